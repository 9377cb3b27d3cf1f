using System.Globalization;
using Spotter.Cli.Detect;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Cli.Evaluate;

/// <summary>An object of a picture as it is labelled: its class, centre and size.</summary>
internal readonly record struct LabelledObject(int ClassId, double X, double Y, double Width, double Height, bool Crowd = false);

/// <summary>A picture and what is in it.</summary>
/// <param name="File">The picture.</param>
/// <param name="Objects">What is in it.</param>
internal sealed record LabelledPicture(string File, IReadOnlyList<LabelledObject> Objects);

/// <summary>
/// A folder of labelled pictures as YOLO's tools keep it: <c>images/</c>, for each picture a text file of its name in
/// <c>labels/</c> with one <c>class x y width height</c> per line, and <c>names.txt</c> with a class per line. Or as the
/// COCO data set keeps it: <c>images/</c> and one file <c>annotations.json</c>.
/// </summary>
/// <param name="Pictures">The pictures, by name.</param>
/// <param name="Names">The classes; null when they are not named.</param>
/// <param name="InPixels">True for boxes in pixels of the upright picture, false for shares of its width and height.</param>
/// <param name="Faults">What is wrong with it, in sentences; figures about it would mean nothing unless empty.</param>
internal sealed record LabelledFolder(IReadOnlyList<LabelledPicture> Pictures, IReadOnlyList<string>? Names, bool InPixels, IReadOnlyList<string> Faults)
{
    private const int MaxLabelBytes = 16 << 20;

    // Tools round to six digits or so.
    private const double Tolerance = 1e-4;

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="max">No more pictures than this; null for all.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is no such folder.</exception>
    public static LabelledFolder Read(string folder, int? max)
    {
        var images = Path.Combine(folder, "images");
        var labels = Path.Combine(folder, "labels");
        var annotations = Path.Combine(folder, "annotations.json");
        if (File.Exists(annotations))
            return CocoDocument.Read(annotations, images, max);
        if (!Directory.Exists(images) || !Directory.Exists(labels))
        {
            throw new SpotterException(
                ErrorCodes.InvalidRequest, $"{folder} holds no labelled pictures: it needs the folders images and labels, or images and a file annotations.json.");
        }
        var files = PictureList.Of([images], output: null).Where(File.Exists).ToList();
        if (files.Count == 0)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{images} holds no .jpg, .png, .webp or .gif file.");

        var names = ReadNames(Path.Combine(folder, "names.txt"));
        List<string> faults = [];
        List<LabelledPicture> pictures = [];
        var stems = new Dictionary<string, string>(StringComparer.Ordinal);
        var labelled = 0;
        foreach (var file in files.Take(max ?? int.MaxValue))
        {
            var stem = Path.ChangeExtension(Path.GetRelativePath(images, file), null);
            if (!stems.TryAdd(stem, file))
                faults.Add($"{file} and {stems[stem]} would have the same label file; rename one.");
            var label = Path.Combine(labels, stem + ".txt");
            var objects = File.Exists(label) ? ReadObjects(label, names?.Count, faults) : [];
            labelled += File.Exists(label) ? 1 : 0;
            pictures.Add(new(file, objects));
        }
        if (labelled == 0)
            faults.Add($"None of the {pictures.Count} pictures in {images} has a label file in {labels}; a picture without one has no objects.");
        return new(pictures, names, InPixels: false, faults);
    }

    private static List<string>? ReadNames(string file)
    {
        if (!File.Exists(file))
            return null;
        var names = ReadLines(file).Select(line => line.Trim()).ToList();
        while (names is [.., ""])
            names.RemoveAt(names.Count - 1);
        if (names.Count == 0)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{file} is empty; it has one class per line, or must not be there.");
        return names;
    }

    private static List<LabelledObject> ReadObjects(string file, int? classes, List<string> faults)
    {
        List<LabelledObject> objects = [];
        var number = 0;
        foreach (var line in ReadLines(file))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            if (Parse(line, classes, out var flaw) is { } one)
                objects.Add(one);
            else
                faults.Add($"{file}, line {number}: {flaw}.");
        }
        return objects;
    }

    private static LabelledObject? Parse(string line, int? classes, out string flaw)
    {
        var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            flaw = $"it has {fields.Length} fields where a box has five: class x y width height";
            return null;
        }
        if (!int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var classId))
        {
            flaw = $"{fields[0]} is no number of a class";
            return null;
        }
        if (classId >= classes)
        {
            flaw = $"there is no class {classId}, as names.txt has {classes}";
            return null;
        }
        var numbers = new double[4];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!double.TryParse(fields[i + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]) || !(numbers[i] is >= -Tolerance and <= 1 + Tolerance))
            {
                flaw = $"{fields[i + 1]} is no share of the picture from 0 to 1";
                return null;
            }
        }
        flaw = "its box has no area";
        return numbers[2] > 0 && numbers[3] > 0 ? new(classId, numbers[0], numbers[1], numbers[2], numbers[3]) : null;
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return RegularFile.ReadText(file, MaxLabelBytes).ReplaceLineEndings("\n").Split('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{file} can't be read: {e.Message}", e);
        }
    }
}
