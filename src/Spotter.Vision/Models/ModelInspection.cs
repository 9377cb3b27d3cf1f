using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Spotter.Core;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Finds out what a loaded model is: from the overrides beside it, else from what its file states, else from shapes,
/// operators and, where two layouts look alike, from what it says about a blank picture.
/// </summary>
internal sealed partial class ModelInspection : IDisposable
{
    private readonly string file;
    private readonly OrtSession session;
    private readonly ModelOverrides overrides;
    private readonly IReadOnlyDictionary<string, string> notes;
    private readonly OnnxFile onnx;
    private readonly List<ModelFact> facts = [];
    private readonly List<FixedInput> constant = [];
    private readonly TrialRuns runs;
    private readonly TrialJudge judge;
    private InputSpec input = null!;
    private SizeInput? size;

    private ModelInspection(string file, OrtSession session, OnnxFile onnx, TrialJudge judge)
    {
        (this.file, this.session, this.onnx, this.judge) = (file, session, onnx, judge);
        overrides = ModelOverrides.Of(file);
        notes = session.Metadata;
        runs = new TrialRuns(Run);
    }

    /// <summary>Loads a model for a look or for running.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>.</exception>
    public static (OrtSession Session, OnnxFile File) Load(string file, int threads, bool optimize, Device device = Device.Cpu)
    {
        if (!ModelInfo.IsId(Path.GetFileNameWithoutExtension(file)))
            throw new SpotterException(ErrorCodes.ModelInvalid, $"The name of {file} can't be a model's: it has more than {ModelInfo.LongestId} characters, a dot first, or control characters; rename the file.");
        if (!File.Exists(file))
            throw new SpotterException(ErrorCodes.ModelNotFound, $"There is no model file {file}; correct the path, or fetch the model first.");
        var read = OnnxFile.Read(file);
        if (read.CustomOperators.ToList() is [_, ..] custom)
        {
            throw new SpotterException(ErrorCodes.ModelUnsupported,
                $"{file} needs operators that are not part of ONNX ({string.Join(", ", custom.Take(5))}); export the model without them.");
        }
        ModelFiles.CheckWeights(file);
        try
        {
            return (OrtSession.Load(file, threads, optimize, device), read);
        }
        catch (OnnxRuntimeException e)
        {
            throw LoadFailure.Explain(file, read, e);
        }
    }

    /// <summary>What the loaded model is.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelUnsupported"/>, <see cref="ErrorCodes.ModelInvalid"/>.</exception>
    public static ModelMetadata Inspect(string file, OrtSession session, OnnxFile onnx, TrialJudge judge)
    {
        using var inspection = new ModelInspection(file, session, onnx, judge);
        return inspection.Inspect();
    }

    public void Dispose() => runs.Dispose();

    private ModelMetadata Inspect()
    {
        var names = Names();
        if (names?.FirstOrDefault(n => n.Length > LabelNames.LongestName) is { } longest)
            throw Refuse($"one of its labels has {longest.Length} characters; {LabelNames.LongestName} are the most");
        var (keypointCount, keypointNumbers) = NotedKeypoints();
        FindInputs();
        // Names that somebody else gave say nothing about who exported it.
        var noted = (overrides.Labels is null && names is not null) || notes.ContainsKey("names") || notes.ContainsKey("stride") || notes.ContainsKey("task");
        var hints = new LayoutHints
        {
            Width = input.Width,
            Height = input.Height,
            Names = names?.Count,
            Noted = noted,
            Task = overrides.Task ?? NotedTask(),
            Family = overrides.Family,
            CallsItselfDetr = CallsItselfDetr(),
            IsToldSize = size is not null,
            IsPaddle = constant.Count > 0,
            IsChannelsLast = input.ChannelsLast,
            TakesIntegers = input.Type is OrtPort.UInt8 or OrtPort.Int32,
            Keypoints = keypointCount > 0 ? (keypointCount, keypointNumbers) : null,
            Operators = onnx.Operators,
            Text = TextHints(),
            MakerOf = onnx.MakerOf,
            IsNormalised = onnx.IsNormalised,
        };
        var outputs = Outputs();
        if (overrides.Family is null && UnsupportedKinds.Tell(outputs) is { } kind)
            throw Refuse(kind);
        var guesses = LayoutRules.Tell(outputs, hints);
        if (guesses is [])
            throw NotUnderstood(outputs, hints, names);
        if (input.Channels == 1 && guesses[0].Layout != OutputLayout.Steps)
            throw OneColour(session.Inputs[input.Index]);
        if (overrides.Family is null && UnsupportedKinds.LeftOut(outputs, guesses[0]) is { } leftOut)
            throw Refuse(leftOut);
        return Choose(guesses, guess => Read(guess, names, outputs, keypointNumbers, noted), names is not null);
    }

    /// <summary>Tries each reading, and takes the first that nothing speaks against.</summary>
    private ModelMetadata Choose(IReadOnlyList<LayoutGuess> guesses, Func<LayoutGuess, ModelMetadata> read, bool areNamed)
    {
        var (before, bare, told) = (facts.ToList(), input, size);
        var readings = new List<(ModelMetadata Model, TrialVerdict Verdict)>();
        SpotterException? refusal = null;
        foreach (var guess in guesses)
        {
            facts.Clear();
            facts.AddRange(before);
            (input, size, suspicion) = (bare, told, guess.Doubt);
            try
            {
                var model = read(guess);
                readings.Add((model with { Facts = [.. facts] }, Try(model, areNamed, guess)));
            }
            catch (SpotterException e) when (guesses.Count > 1)
            {
                refusal ??= e;
            }
        }
        if (readings is [])
            throw refusal!;
        var fitting = readings.FindAll(r => r.Verdict is { Wrong: null, Doubt: null });
        var (chosen, verdict) = fitting.Concat(readings.Where(r => r.Verdict.Wrong is null)).Concat(readings).First();
        if (verdict.Wrong is { } wrong)
            throw Refuse($"it was taken for {Kind(chosen)}, but then {wrong}; what it is can be said in {ModelOverrides.FileOf(file)}, with family, labels or activation");
        // Numbers that can only be read in one order are findings, whatever else their shape is like.
        var isOrdered = chosen.Facts.Any(fact => fact is { Name: "order", Source: not FactSource.Assumed });
        var doubt = verdict.Doubt ?? (fitting.Count > 1 && !isOrdered ? $"its outputs also fit {string.Join(" or ", fitting.Skip(1).Select(r => Kind(r.Model)))}" : null);
        var found = chosen.Facts.ToList();
        if (verdict.Seen.Length > 0)
            found.Add(new ModelFact("trial", $"finds {verdict.Seen}", FactSource.Inferred));
        if (doubt is null)
            return chosen with { Facts = found };
        var keys = readings.Exists(r => IsWhole(r.Model.Layout)) ? "task" : "family";
        var unsure = $"It was taken for {Kind(chosen)}, but {doubt}; say what it is in {Path.GetFileName(ModelOverrides.FileOf(file))} beside it, with {keys} and labels.";
        return chosen with { Facts = found, Info = chosen.Info with { Unsure = unsure } };
    }

    /// <summary>What was said beside the model isn't tried, and neither is what has no boxes.</summary>
    private TrialVerdict Try(ModelMetadata model, bool areNamed, LayoutGuess guess)
    {
        if (overrides.Family is not null)
            return new(null, null, "");
        // Whether there is a vector in the place of classes shows in its length.
        if (model.Layout == OutputLayout.Steps || (model.Layout == OutputLayout.Classes && !guess.IsLoose))
            return new(null, suspicion, "");
        var verdict = judge(model, areNamed, picture => runs.Of(picture, model.Input, model.Size, constant).Take(model.Outputs));
        return verdict with { Doubt = verdict.Doubt ?? suspicion };
    }

    private static string Kind(ModelMetadata model) => model.Layout switch
    {
        OutputLayout.ValueMap => model.Info.Family,
        OutputLayout.Vector => string.Create(CultureInfo.InvariantCulture, $"{model.Info.Family} with {model.Dimensions} numbers"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{model.Info.Family} with {model.Classes} {(model.Classes == 1 ? "class" : "classes")}"),
    };

    private ModelMetadata Read(LayoutGuess guess, IReadOnlyList<string>? names, List<OrtPort> outputs, int keypointNumbers, bool noted)
    {
        if (guess.Layout == OutputLayout.Cells)
            guess = Cells(guess);
        if (guess.Layout == OutputLayout.Classes && guess.Classes == 0)
            throw Refuse("it has 0 classes, so there is nothing that it could find; export it with its classes");

        CheckShapes(guess, outputs);
        State("task", guess.Task, overrides.Task is not null, notes.ContainsKey("task"));
        Note("family", guess.Family, overrides.Family is not null ? FactSource.Overridden : guess.IsLoose ? FactSource.Assumed : FactSource.Inferred);
        State("outputs", $"{Word(guess.Layout)}: {string.Join(", ", guess.Outputs.Select(o => session.Outputs[o]))}", false, false);
        input = InputDefaults.Complete(input, guess, overrides, notes, session.Producer, noted, facts);
        if (IsWhole(guess.Layout))
            return ReadWhole(guess, names);
        FindSizeOrder(guess);
        CheckBoxes(guess);
        var background = BackgroundOf(guess, names?.Count);
        var activation = ActivationOf(guess, background, out var scoreScale);
        var classes = background == BackgroundColumn.None ? guess.Classes : guess.Classes - 1;
        var characters = CharactersOf(guess);
        var labels = characters is not null ? [] : names ?? AssumedLabels(guess, classes);
        if (labels.Count == 0 && characters is null)
            throw Refuse("it has 0 classes, so there is nothing that it could find; export it with its classes");
        if (characters is null)
            Note("labels", string.Create(CultureInfo.InvariantCulture, $"{labels.Count}"), overrides.Labels is not null ? FactSource.Overridden : names is not null ? FactSource.Stated : FactSource.Assumed);
        return new ModelMetadata
        {
            Info = new ModelInfo(Path.GetFileNameWithoutExtension(file), guess.Task, guess.Family, input.Width, input.Height, labels) { Version = ModelVersion.Of(file), Tensors = Tensors() },
            Input = input,
            Size = size,
            Fixed = constant,
            Layout = guess.Layout,
            Outputs = guess.Outputs,
            Shapes = [.. guess.Outputs.Select(o => ShapeOf(outputs[o], guess))],
            Classes = classes == 0 ? labels.Count : classes,
            Extras = guess.Extras,
            Activation = activation,
            Background = background,
            Units = UnitsOf(guess),
            RowsFirst = guess.Layout == OutputLayout.Lists && session.Outputs[guess.Outputs[0]].Name.Contains("detection_boxes", StringComparison.OrdinalIgnoreCase),
            Strides = guess.Strides,
            CellOffset = guess.CellOffset,
            Order = OrderOf(guess, outputs, labels.Count, names is not null),
            HeadKind = guess.HeadKind,
            Heads = guess.Heads,
            ScoreScale = scoreScale,
            Characters = characters,
            People = guess.People,
            ExtrasFirst = guess.Family == FamilyNames.YoloV5Face,
            Keypoints = KeypointsOf(guess, GivesFaces(guess) ? 2 : guess.Layout == OutputLayout.People ? 3 : keypointNumbers),
            Facts = facts,
        };
    }

    /// <summary>Refuses a model whose outputs are others than its file says: nothing that was concluded from their shapes would hold.</summary>
    private void CheckShapes(LayoutGuess guess, List<OrtPort> outputs)
    {
        foreach (var output in guess.Outputs)
        {
            var (said, ran) = (outputs[output].Shape, Blank(output).Shape);
            if (said.All(d => d >= 0) && said.Aggregate(1L, (all, d) => all * d) != ran.Aggregate(1L, (all, d) => all * d))
                throw Refuse($"its output {session.Outputs[output]} is [{string.Join(',', ran)}] when it is run; export it again");
        }
    }

    /// <summary>What the model itself takes and gives; null when that is not all plain numbers.</summary>
    private ModelTensors? Tensors()
    {
        var (inputs, outputs) = (session.Inputs.Select(PortOf).ToList(), session.Outputs.Select(PortOf).ToList());
        return !inputs.Contains(null) && !outputs.Contains(null) && new ModelTensors(inputs!, outputs!) is { IsSound: true } tensors ? tensors : null;
    }

    private static TensorPort? PortOf(OrtPort port) =>
        OrtPort.DatatypeOf(port.Type) is { } datatype ? new TensorPort(port.Name, datatype, [.. port.Shape.Select(d => Math.Max(d, -1))]) : null;

    private IReadOnlyList<string>? Names() =>
        overrides.Labels ?? LabelNames.Parse(notes.GetValueOrDefault("names")) ?? LabelNames.Parse(notes.GetValueOrDefault("labels")) ?? LabelNames.Parse(notes.GetValueOrDefault("classes"));

    private string? NotedTask()
    {
        if (!notes.TryGetValue("task", out var task))
            return null;
        return VisionTasks.All.Contains(task, StringComparer.Ordinal)
            ? task
            : throw Refuse($"its task is '{task}'; tasks are {string.Join(", ", VisionTasks.All.SkipLast(1))} and {VisionTasks.All[^1]}");
    }

    private bool CallsItselfDetr() =>
        notes.GetValueOrDefault("description", "").Contains("detr", StringComparison.OrdinalIgnoreCase);

    private (int Count, int Numbers) NotedKeypoints()
    {
        var noted = Integers(notes.GetValueOrDefault("kpt_shape"));
        var count = overrides.KeypointCount ?? (noted is [var n, ..] ? n : 0);
        var numbers = overrides.KeypointNumbers ?? (noted is [_, var d, ..] ? d : 3);
        return numbers is 2 or 3 && count is >= 0 and <= 1000 ? (count, numbers) : throw Refuse($"its kpt_shape is {notes["kpt_shape"]}; keypoints have 2 or 3 numbers");
    }

    private static IReadOnlyList<string> AssumedLabels(LayoutGuess guess, int classes) => (guess.Task, classes) switch
    {
        (VisionTasks.Classify, 1000) => LabelSets.ImageNet,
        _ when guess.Layout == OutputLayout.TextMap => ["text"],
        (VisionTasks.Classify, 1001) => ["nothing", .. LabelSets.ImageNet],
        _ when GivesFaces(guess) || guess.Family is FamilyNames.Scrfd or FamilyNames.UltraFace => ["face"],
        (VisionTasks.Obb, 15 or 0) => LabelSets.Dota,
        (VisionTasks.Pose, 1 or 0) => ["person"],
        (not VisionTasks.Classify, 80) => LabelSets.Coco,
        (not VisionTasks.Classify, 90 or 91) => LabelSets.CocoNumbered,
        (_, 0) when guess.Family == FamilyNames.Ssd => LabelSets.CocoNumbered,
        (_, 0) => LabelSets.Coco,
        _ => [.. Enumerable.Range(0, classes).Select(LabelNames.Unnamed)],
    };

    /// <summary>Its poses are the landmarks of faces.</summary>
    private static bool GivesFaces(LayoutGuess guess) => guess.Task == VisionTasks.Pose && (guess.Layout == OutputLayout.Heads || guess.Family == FamilyNames.YoloV5Face);

    private KeypointSpec? KeypointsOf(LayoutGuess guess, int numbers)
    {
        if (guess.Task != VisionTasks.Pose)
            return null;
        var count = overrides.KeypointCount ?? (guess.Extras % numbers == 0 ? guess.Extras / numbers : 0);
        if (count == 0 || count * numbers != guess.Extras)
            throw Refuse($"{guess.Extras} numbers per object can't be {count} keypoints of {numbers}; say so with keypoints.count and keypoints.numbers in {ModelOverrides.FileOf(file)}");
        var (usual, joined) = count switch
        {
            _ when count == LabelSets.CocoKeypoints.Count => (LabelSets.CocoKeypoints, LabelSets.CocoSkeleton),
            _ when count == LabelSets.BodyKeypoints.Count && guess.Layout == OutputLayout.People => (LabelSets.BodyKeypoints, LabelSets.BodySkeleton),
            _ when count == LabelSets.FaceLandmarks.Count && GivesFaces(guess) => (LabelSets.FaceLandmarks, []),
            _ => ((IReadOnlyList<string>?)null, (IReadOnlyList<IReadOnlyList<int>>)[]),
        };
        State("keypoints", string.Create(CultureInfo.InvariantCulture, $"{count} of {numbers} numbers"), overrides.KeypointCount is not null, notes.ContainsKey("kpt_shape"));
        var skeleton = overrides.Skeleton ?? joined;
        if (skeleton.Any(pair => pair[0] >= count || pair[1] >= count))
            throw Refuse($"its skeleton joins keypoints beyond the {count} that there are");
        return new KeypointSpec(count, numbers, overrides.KeypointNames ?? usual, skeleton);
    }

    private static List<int> Integers(string? text)
    {
        var numbers = new List<int>();
        foreach (var part in (text ?? "").Split(['[', ']', '(', ')', ',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(part, CultureInfo.InvariantCulture, out var number))
                numbers.Add(number);
        }
        return numbers;
    }

    private void State(string name, string value, bool overridden, bool stated) =>
        Note(name, value, overridden ? FactSource.Overridden : stated ? FactSource.Stated : FactSource.Inferred);

    private void Note(string name, string value, FactSource source) => facts.Add(new ModelFact(name, value, source));

    private static string Word(OutputLayout layout) => layout switch
    {
        OutputLayout.Columns => "boxes in columns",
        OutputLayout.Rows or OutputLayout.ScoreRows => "boxes in rows",
        OutputLayout.Cells => "boxes in cells",
        OutputLayout.EndToEnd or OutputLayout.Batched => "boxes without doubles",
        OutputLayout.Distances => "distances from cells",
        OutputLayout.QueryRows or OutputLayout.Queries => "queries",
        OutputLayout.CornersAndScores => "boxes and scores",
        OutputLayout.Lists => "boxes, labels and scores",
        OutputLayout.Heads => "an output for each stride or quantity",
        OutputLayout.Priors => "boxes that count from prepared ones",
        OutputLayout.People => "keypoints of people",
        OutputLayout.TextMap => "a map of where text is",
        OutputLayout.Steps => "scores of characters, step by step",
        OutputLayout.ClassMap => "classes of each cell",
        OutputLayout.ValueMap => "a value of each cell",
        OutputLayout.Vector => "a vector",
        _ => "one number per class",
    };

    private static bool HasNoClasses(long[] shape, LayoutHints hints) => shape switch
    {
        [1, 4, var anchors] => AnchorGrid.Fits(anchors, hints.Width, hints.Height, 1),
        [1, var anchors, 4 or 5] => AnchorGrid.Fits(anchors, hints.Width, hints.Height, 1) || AnchorGrid.Fits(anchors, hints.Width, hints.Height, 3),
        [1, 0] => true,
        _ => false,
    };

    private SpotterException NotUnderstood(IReadOnlyList<OrtPort> outputs, LayoutHints hints, IReadOnlyList<string>? names)
    {
        if (outputs.Any(o => o.Shape is [1, 3, _, _, > 5]))
            return Refuse("its outputs are the bare heads of a YOLO; export it with its boxes decoded (for YOLOv7 with --grid)");
        if (outputs is [var only] && HasNoClasses(only.Shape, hints))
            return Refuse("it has 0 classes, so there is nothing that it could find; export it with its classes");
        var why = names is null ? "none of its outputs is a layout that is known" : $"none of its outputs is a known layout of its {names.Count} classes";
        if (hints.Task is not null)
            why += $" for the task '{hints.Task}'";
        return Refuse($"{why} (inputs {string.Join(", ", session.Inputs)}; outputs {string.Join(", ", session.Outputs)}); what it is can be said in {ModelOverrides.FileOf(file)}");
    }

    /// <summary>What the overrides say can't be true of this model.</summary>
    private SpotterException Contradicts(string how) => new(ErrorCodes.ModelInvalid, $"{ModelOverrides.FileOf(file)} can't be used: {how}.");

    private SpotterException Refuse(string why) => new(ErrorCodes.ModelUnsupported, $"{file} is not understood: {why}.");
}
