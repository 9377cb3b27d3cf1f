using System.Globalization;
using Spotter.Core;
using Spotter.Core.Files;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spotter.Vision.Models;

/// <summary>
/// What the file <c>&lt;model&gt;.yaml</c> beside a model says about it. Everything in it goes before what the model file
/// states and before what would be inferred.
/// </summary>
internal sealed record ModelOverrides
{
    private const int LargestFile = 1024 * 1024;
    private const int Deepest = 4;

    private static readonly string[] Keys = ["task", "family", "labels", "input", "boxes", "activation", "blank", "keypoints", "size"];
    private static readonly string[] InputKeys = ["width", "height", "layout", "colour", "scale", "mean", "deviation", "fit", "fill", "resize"];
    private static readonly string[] KeypointKeys = ["count", "numbers", "names", "skeleton"];

    public static ModelOverrides None { get; } = new();

    /// <summary>Every key that has a value of its own, as <c>input.width</c>.</summary>
    public static IEnumerable<string> AllKeys =>
        [.. Keys.Except(["input", "keypoints"], StringComparer.Ordinal), .. InputKeys.Select(key => $"input.{key}"), .. KeypointKeys.Select(key => $"keypoints.{key}")];

    /// <summary>The file; null when there is none.</summary>
    public string? File { get; private init; }

    public string? Task { get; private init; }

    public string? Family { get; private init; }

    public IReadOnlyList<string>? Labels { get; private init; }

    /// <summary>The labels with nothing trimmed off them, for a model that reads text: a space is a character too.</summary>
    public IReadOnlyList<string>? Characters { get; private init; }

    /// <summary>A text reader's blank is its last column, or its first.</summary>
    public bool? IsBlankLast { get; private init; }

    public int? Width { get; private init; }

    public int? Height { get; private init; }

    public bool? ChannelsLast { get; private init; }

    public bool? Bgr { get; private init; }

    public float? Scale { get; private init; }

    public IReadOnlyList<float>? Mean { get; private init; }

    public IReadOnlyList<float>? Deviation { get; private init; }

    public Fit? Fit { get; private init; }

    public float? Fill { get; private init; }

    public int? ResizeTo { get; private init; }

    public BoxUnits? Units { get; private init; }

    public Activation? Activation { get; private init; }

    public bool? HeightFirst { get; private init; }

    public int? KeypointCount { get; private init; }

    public int? KeypointNumbers { get; private init; }

    public IReadOnlyList<string>? KeypointNames { get; private init; }

    public IReadOnlyList<IReadOnlyList<int>>? Skeleton { get; private init; }

    /// <summary>The file of overrides that belongs to a model file, whether it exists or not.</summary>
    public static string FileOf(string modelFile) => ModelFiles.OverridesOf(modelFile);

    /// <summary>Reads what lies beside a model file; <see cref="None"/> when nothing does.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelInvalid"/>: where it is wrong, and what it may be.</exception>
    public static ModelOverrides Of(string modelFile)
    {
        var file = new FileInfo(FileOf(modelFile));
        if (!file.Exists)
            return None;
        return new Reader(file.FullName).Read();
    }

    /// <summary>The name of the text file that the labels stand in, by what lies beside a model file; null when there is none.</summary>
    public static string? LabelsFileOf(string modelFile)
    {
        try
        {
            return System.IO.File.Exists(FileOf(modelFile)) ? new Reader(FileOf(modelFile)).LabelsFile() : null;
        }
        catch (SpotterException)
        {
            // Whoever loads the model says so.
            return null;
        }
    }

    private sealed class Reader(string file)
    {
        public string? LabelsFile() => Root() is { } root && Map(root, "", Keys).GetValueOrDefault("labels") is YamlScalarNode { Value: { Length: > 0 } name } ? name : null;

        public ModelOverrides Read()
        {
            if (Root() is not { } root)
                return new ModelOverrides { File = file };
            var top = Map(root, "", Keys);
            var input = Map(top.GetValueOrDefault("input"), "input.", InputKeys);
            var points = Map(top.GetValueOrDefault("keypoints"), "keypoints.", KeypointKeys);
            return new ModelOverrides
            {
                File = file,
                Task = Choice(top, "task", VisionTasks.All),
                Family = Choice(top, "family", FamilyNames.All),
                Labels = Labels(top.GetValueOrDefault("labels")),
                Characters = Characters(top.GetValueOrDefault("labels")),
                IsBlankLast = Choice(top, "blank", "first", "last") switch { null => null, var place => place == "last" },
                Units = Choice(top, "boxes", "pixels", "shares") switch { null => null, "pixels" => BoxUnits.Input, _ => BoxUnits.Shares },
                Activation = Choice(top, "activation", "none", "sigmoid", "softmax") switch
                {
                    null => null,
                    "none" => Models.Activation.None,
                    "sigmoid" => Models.Activation.Sigmoid,
                    _ => Models.Activation.Softmax,
                },
                HeightFirst = Choice(top, "size", "width-height", "height-width") switch { null => null, var order => order == "height-width" },
                Width = Whole(input, "width", 1, 16_384, "input."),
                Height = Whole(input, "height", 1, 16_384, "input."),
                ChannelsLast = Choice(input, "input.layout", "nchw", "nhwc") switch { null => null, var layout => layout == "nhwc" },
                Bgr = Choice(input, "input.colour", "rgb", "bgr") switch { null => null, var order => order == "bgr" },
                Scale = Numbers(input, "scale", 1)?[0] is not { } scale ? null
                    : scale != 0 ? scale : throw Wrong("'input.scale' is 0, which leaves nothing of a picture"),
                Mean = Numbers(input, "mean", 3),
                Deviation = Numbers(input, "deviation", 3) is not { } deviation ? null
                    : deviation.All(d => d > 0) ? deviation : throw Wrong("'input.deviation' has a number that is not above 0"),
                Fit = Choice(input, "input.fit", "letterbox", "letterbox-top-left", "stretch", "crop") switch
                {
                    null => null,
                    "letterbox" => Models.Fit.Letterbox,
                    "letterbox-top-left" => Models.Fit.LetterboxTopLeft,
                    "stretch" => Models.Fit.Stretch,
                    _ => Models.Fit.Crop,
                },
                Fill = Whole(input, "fill", 0, 255, "input."),
                ResizeTo = Whole(input, "resize", 1, 16_384, "input."),
                KeypointCount = Whole(points, "count", 1, 1000, "keypoints."),
                KeypointNumbers = Whole(points, "numbers", 2, 3, "keypoints."),
                KeypointNames = Texts(points.GetValueOrDefault("names"), "keypoints.names"),
                Skeleton = Skeleton(points.GetValueOrDefault("skeleton")),
            };
        }

        /// <summary>The keys and values; null when the file is empty.</summary>
        private YamlMappingNode? Root()
        {
            var stream = new YamlStream();
            try
            {
                var text = Text(file, "it is to describe a model in a few lines");
                if (YamlShape.FlawOf(text, Deepest) is { } flaw)
                    throw Wrong($"line {flaw.Line}: {flaw.Words}");
                stream.Load(new StringReader(text));
            }
            catch (YamlException e)
            {
                throw Wrong($"line {e.Start.Line} is no YAML ({e.Message.ReplaceLineEndings(" ")})");
            }
            return stream.Documents switch
            {
                [] or [{ RootNode: YamlScalarNode { Value: null or "" } }] => null,
                [{ RootNode: YamlMappingNode root }] => root,
                _ => throw Wrong("it is no list of keys and values"),
            };
        }

        private string Text(string path, string purpose)
        {
            try
            {
                return RegularFile.ReadText(path, LargestFile);
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                throw Wrong($"{unreadable.Message.TrimEnd('.')}; {purpose}");
            }
        }

        private Dictionary<string, YamlNode> Map(YamlNode? node, string prefix, string[] known)
        {
            var map = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
            if (node is null or YamlScalarNode { Value: null or "" })
                return map;
            if (node is not YamlMappingNode mapping)
                throw Wrong($"'{prefix.TrimEnd('.')}' is no list of keys and values");
            foreach (var (key, value) in mapping.Children)
            {
                var name = (key as YamlScalarNode)?.Value ?? "";
                if (!known.Contains(name, StringComparer.Ordinal))
                    throw Wrong($"'{prefix}{name}' is unknown; known are {string.Join(", ", known.Select(k => prefix + k))}");
                map[name] = value;
            }
            return map;
        }

        private string? Choice(Dictionary<string, YamlNode> map, string key, params IReadOnlyList<string> choices)
        {
            if (!map.TryGetValue(key.Split('.')[^1], out var node))
                return null;
            var text = (node as YamlScalarNode)?.Value;
            return choices.FirstOrDefault(choice => choice.Equals(text, StringComparison.OrdinalIgnoreCase))
                ?? throw Wrong($"'{key}' is {(text is null ? "no text" : $"'{text}'")}; it is one of {string.Join(", ", choices)}");
        }

        private int? Whole(Dictionary<string, YamlNode> map, string key, int least, int most, string prefix)
        {
            if (!map.TryGetValue(key, out var node))
                return null;
            return int.TryParse((node as YamlScalarNode)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? number
                : throw Wrong($"'{prefix}{key}' is no whole number from {least} to {most}");
        }

        /// <summary>So many numbers; a single one stands for all. A fraction as 1/255 may be written so.</summary>
        private float[]? Numbers(Dictionary<string, YamlNode> map, string key, int count)
        {
            if (!map.TryGetValue(key, out var node))
                return null;
            var nodes = node is YamlSequenceNode list ? [.. list.Children] : Enumerable.Repeat(node, count).ToList();
            if (nodes.Count != count)
                throw Wrong($"'input.{key}' has {nodes.Count} numbers; {count} are wanted");
            return [.. nodes.Select(n => Number((n as YamlScalarNode)?.Value, key))];
        }

        private float Number(string? text, string key)
        {
            var parts = (text ?? "").Split('/');
            if (parts.Length <= 2 && Parse(parts[0], out var number) && (parts.Length == 1 || (Parse(parts[1], out var divisor) && divisor != 0 && Divide(ref number, divisor)))
                && double.IsFinite(number))
            {
                return (float)number;
            }
            throw Wrong($"'input.{key}' has '{text}', which is no number");

            static bool Parse(string part, out double value) => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

            static bool Divide(ref double value, double by)
            {
                value /= by;
                return true;
            }
        }

        /// <summary>A list, numbers with names, or a text file with one name per line.</summary>
        private IReadOnlyList<string>? Labels(YamlNode? node)
        {
            switch (node)
            {
                case null:
                    return null;
                case YamlScalarNode { Value: { Length: > 0 } name }:
                    return Bounded(LabelLines(name), "labels");
                case YamlMappingNode map:
                    if (!map.Children.All(c => c is { Key: YamlScalarNode { Value: { Length: > 0 } number }, Value: YamlScalarNode } && number.All(char.IsAsciiDigit)))
                        throw Wrong("'labels' is no list of numbers and names");
                    return Bounded(
                        LabelNames.Parse("{" + string.Join(',', map.Children.Select(c => $"{c.Key}:'{c.Value.ToString().Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'")) + "}")
                            ?? throw Wrong("'labels' is no list of numbers and names"), "labels");
                default:
                    return Texts(node, "labels");
            }
        }

        /// <summary>The same for a model that reads text.</summary>
        private IReadOnlyList<string>? Characters(YamlNode? node) => node is YamlScalarNode { Value: { Length: > 0 } name } ? CharacterSet.Parse(LabelText(name)) : Labels(node);

        private string LabelText(string name)
        {
            if (SideFile.Find(file, name, out var path) is { } flaw)
                throw Wrong($"'labels' names the file {name}, {flaw}");
            return Text(path, "'labels' names a text file with a name on each line");
        }

        private List<string> LabelLines(string name)
        {
            var lines = LabelText(name).ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(l => l.Trim()).ToList();
            return lines is not [""] ? lines : throw Wrong($"'labels' names the file {name}, which is empty");
        }

        private IReadOnlyList<string>? Texts(YamlNode? node, string key) => node switch
        {
            null => null,
            YamlSequenceNode { Children: [_, ..] items } => Bounded([.. items.Select(i => (i as YamlScalarNode)?.Value ?? throw Wrong($"'{key}' has an entry that is no text"))], key),
            _ => throw Wrong($"'{key}' is no list of names"),
        };

        /// <summary>Names go into every result and every listing of models.</summary>
        private IReadOnlyList<string> Bounded(IReadOnlyList<string> names, string key)
        {
            if (names.Count > LabelNames.MaxClasses)
                throw Wrong($"'{key}' has {names.Count} names; at most {LabelNames.MaxClasses} are taken");
            return names.All(n => n.Length <= LabelNames.LongestName) ? names : throw Wrong($"'{key}' has a name of more than {LabelNames.LongestName} characters");
        }

        private List<IReadOnlyList<int>>? Skeleton(YamlNode? node) => node switch
        {
            null => null,
            YamlSequenceNode list => [.. list.Children.Select(pair => pair is YamlSequenceNode { Children: [YamlScalarNode from, YamlScalarNode to] }
                && int.TryParse(from.Value, CultureInfo.InvariantCulture, out var a) && int.TryParse(to.Value, CultureInfo.InvariantCulture, out var b) && a >= 0 && b >= 0
                    ? (IReadOnlyList<int>)[a, b]
                    : throw Wrong("'keypoints.skeleton' has an entry that is no pair of numbers"))],
            _ => throw Wrong("'keypoints.skeleton' is no list of pairs"),
        };

        private SpotterException Wrong(string what) => new(ErrorCodes.ModelInvalid, $"{file} can't be used: {what}.");
    }
}
