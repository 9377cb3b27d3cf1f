using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Spotter.Core;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Finds out what a loaded model is: from the overrides beside it, else from what its file states, else from shapes,
/// operators and, where two layouts look alike, from what it says about a blank picture.
/// </summary>
internal sealed class ModelInspection : IDisposable
{
    private readonly string file;
    private readonly OrtSession session;
    private readonly ModelOverrides overrides;
    private readonly IReadOnlyDictionary<string, string> notes;
    private readonly OnnxFile onnx;
    private readonly List<ModelFact> facts = [];
    private readonly Dictionary<int, OrtOutput> seen = [];
    private InputSpec input = null!;
    private SizeInput? size;
    private OrtOutputs? blank;

    private ModelInspection(string file, OrtSession session, OnnxFile onnx)
    {
        (this.file, this.session, this.onnx) = (file, session, onnx);
        overrides = ModelOverrides.Of(file);
        notes = session.Metadata;
    }

    /// <summary>Loads a model for a look or for running.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>.</exception>
    public static (OrtSession Session, OnnxFile File) Load(string file, int threads, bool optimize)
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
        try
        {
            return (OrtSession.Load(file, threads, optimize), read);
        }
        catch (OnnxRuntimeException e)
        {
            throw LoadFailure.Explain(file, read, e);
        }
    }

    /// <summary>What the loaded model is.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelUnsupported"/>, <see cref="ErrorCodes.ModelInvalid"/>.</exception>
    public static ModelMetadata Inspect(string file, OrtSession session, OnnxFile onnx)
    {
        using var inspection = new ModelInspection(file, session, onnx);
        return inspection.Inspect();
    }

    public void Dispose() => blank?.Dispose();

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
            Keypoints = keypointCount > 0 ? (keypointCount, keypointNumbers) : null,
            Operators = onnx.Operators,
        };
        var outputs = Outputs();
        if (overrides.Family is null && UnsupportedKinds.Tell(outputs) is { } kind)
            throw Refuse(kind);
        var guess = LayoutRules.Tell(outputs, hints) ?? throw NotUnderstood(outputs, hints, names);
        if (overrides.Family is null && UnsupportedKinds.LeftOut(outputs, guess) is { } leftOut)
            throw Refuse(leftOut);
        if (guess.Layout == OutputLayout.Cells)
            guess = Cells(guess);
        if (guess.Layout == OutputLayout.Classes && guess.Classes == 0)
            throw Refuse("it has 0 classes, so there is nothing that it could find; export it with its classes");

        State("task", guess.Task, overrides.Task is not null, notes.ContainsKey("task"));
        State("family", guess.Family, overrides.Family is not null, false);
        State("outputs", $"{Word(guess.Layout)}: {string.Join(", ", guess.Outputs.Select(o => session.Outputs[o]))}", false, false);
        var activation = ActivationOf(guess, names?.Count, out var lastIsNothing, out var scoreScale);
        var classes = lastIsNothing ? guess.Classes - 1 : guess.Classes;
        var labels = names ?? AssumedLabels(guess, classes);
        if (labels.Count == 0)
            throw Refuse("it has 0 classes, so there is nothing that it could find; export it with its classes");
        State("labels", string.Create(CultureInfo.InvariantCulture, $"{labels.Count}"), overrides.Labels is not null, names is not null);
        input = InputDefaults.Complete(input, guess, overrides, notes, session.Producer, noted, facts);
        return new ModelMetadata
        {
            Info = new ModelInfo(Path.GetFileNameWithoutExtension(file), guess.Task, guess.Family, input.Width, input.Height, labels) { Version = ModelVersion.Of(file), Tensors = Tensors() },
            Input = input,
            Size = size,
            Layout = guess.Layout,
            Outputs = guess.Outputs,
            Shapes = [.. guess.Outputs.Select(o => outputs[o].Shape)],
            Classes = classes == 0 ? labels.Count : classes,
            Extras = guess.Extras,
            Activation = activation,
            LastIsNothing = lastIsNothing,
            Units = UnitsOf(guess),
            RowsFirst = guess.Layout == OutputLayout.Lists && session.Outputs[guess.Outputs[0]].Name.Contains("detection_boxes", StringComparison.OrdinalIgnoreCase),
            Strides = guess.Strides,
            CellOffset = guess.CellOffset,
            ScoreFirst = guess.ScoreFirst,
            ScoreScale = scoreScale,
            Keypoints = KeypointsOf(guess, keypointNumbers),
            Facts = facts,
        };
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
        return task is VisionTasks.Detect or VisionTasks.Classify or VisionTasks.Segment or VisionTasks.Pose or VisionTasks.Obb
            ? task
            : throw Refuse($"its task is '{task}'; tasks are detect, classify, segment, pose and obb");
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

    private void FindInputs()
    {
        if (session.Inputs.Count > 2)
            throw Refuse($"it has {session.Inputs.Count} inputs ({string.Join(", ", session.Inputs)}); a picture, and perhaps the picture's size, are all that is fed");
        for (var i = 0; i < session.Inputs.Count; i++)
        {
            if (input is null && Picture(i) is { } picture)
                input = picture;
            else if (size is null && session.Inputs[i] is { Type: OrtPort.Int64 or OrtPort.Int32 or OrtPort.Float32, Shape: [1 or -1, 2] } port
                && !port.Name.Contains("scale", StringComparison.OrdinalIgnoreCase))
                size = new SizeInput(i, port.Type, overrides.HeightFirst ?? false);
            else if (input is not null && session.Inputs[i].Shape is [_, 3, _, _] or [_, _, _, 3])
                throw Refuse($"its input {session.Inputs[i]} is a second picture; only one is fed");
            else if (session.Inputs.Count == 2)
                throw Refuse($"its input {session.Inputs[i]} is neither a picture nor [1,2] for the picture's size");
        }
        if (session.Inputs is [])
            throw Refuse("it has no input for a picture");
        if (input is null)
            throw Refuse($"its input {session.Inputs[0]} is no picture: it would have to be float32, float16 or uint8 [1,3,height,width] or [1,height,width,3]");
        if (size is null && overrides.HeightFirst is not null)
            throw Contradicts("it has 'size', but the model has no second input for the picture's size");
        if (size is not null)
            Note("size input", $"{session.Inputs[size.Index]}, {(size.HeightFirst ? "height, width" : "width, height")}", overrides.HeightFirst is null ? FactSource.Assumed : FactSource.Overridden);
    }

    /// <summary>The picture input as far as its shape tells; null when it is none.</summary>
    private InputSpec? Picture(int index)
    {
        var port = session.Inputs[index];
        if (port.Type is not (OrtPort.Float32 or OrtPort.Float16 or OrtPort.UInt8))
            return null;
        var single = port.Shape.Length == 3;
        if (!single && (port.Shape.Length != 4 || port.Shape[0] is not (-1 or 1)))
        {
            return port.Shape is [> 1, _, _, _]
                ? throw Refuse($"its input {port} takes {port.Shape[0]} pictures at once and no fewer; export it for one, or with a free first dimension")
                : null;
        }
        var shape = single ? port.Shape : port.Shape[1..];
        bool first = shape[0] == 3, last = shape[2] == 3;
        if (!first && !last && shape[0] != -1 && shape[2] != -1)
        {
            return shape[0] == 1 || shape[2] == 1
                ? throw Refuse($"its input {port} takes pictures of one colour; only models for RGB or BGR are run")
                : null;
        }
        var channelsLast = overrides.ChannelsLast ?? (!first && last);
        if (shape[channelsLast ? 2 : 0] is not (3 or -1))
            throw Contradicts($"'input.layout' is {(channelsLast ? "nhwc" : "nchw")}, but the model's input is {port}");
        var (rows, columns) = channelsLast ? (shape[0], shape[1]) : (shape[1], shape[2]);
        State("layout", channelsLast ? "nhwc" : "nchw", overrides.ChannelsLast is not null, first != last);
        Note("type", OrtPort.NameOf(port.Type), FactSource.Stated);

        var noted = Integers(notes.GetValueOrDefault("imgsz"));
        var otherwise = (overrides.Task ?? notes.GetValueOrDefault("task")) == VisionTasks.Classify ? 224 : 640;
        var (notedHeight, notedWidth) = noted switch
        {
            [> 0 and <= 16_384 and var h, > 0 and <= 16_384 and var w, ..] => (h, w),
            [> 0 and <= 16_384 and var edge] => (edge, edge),
            _ => (0, 0),
        };
        var height = Edge(rows, overrides.Height, notedHeight, otherwise);
        var width = Edge(columns, overrides.Width, notedWidth, otherwise);
        if (height != (overrides.Height ?? height) || width != (overrides.Width ?? width))
            throw Contradicts($"it gives the input another size than the model's own, which is fixed: {port}");
        if (height > 16_384 || width > 16_384)
            throw Refuse($"its input {port} is larger than 16384 pixels");
        var isOverridden = (rows < 0 && overrides.Height is not null) || (columns < 0 && overrides.Width is not null);
        Note("input size", string.Create(CultureInfo.InvariantCulture, $"{width} x {height}"),
            isOverridden ? FactSource.Overridden : rows > 0 && columns > 0 ? FactSource.Stated : notedHeight > 0 ? FactSource.Stated : FactSource.Assumed);
        return new InputSpec
        {
            Index = index,
            Type = port.Type,
            Width = width,
            Height = height,
            ChannelsLast = channelsLast,
            Single = single,
            Batches = !single && port.Shape[0] < 0,
        };
    }

    private static int Edge(long stated, int? overridden, int noted, int otherwise) =>
        stated > 0 ? (int)Math.Min(stated, int.MaxValue) : overridden ?? (noted > 0 ? noted : otherwise);

    /// <summary>The outputs, with free dimensions filled in from a run where one picture alone settles them.</summary>
    private List<OrtPort> Outputs()
    {
        var outputs = new List<OrtPort>(session.Outputs.Count);
        for (var i = 0; i < session.Outputs.Count; i++)
        {
            var port = session.Outputs[i];
            // A list of findings has a length of its own for each picture.
            var free = port.Shape is [-1] or [-1, _] or [1 or -1, -1] or [1 or -1, -1, 4 or 1];
            // A file that says nothing of an output's shape has none here, as a single number has.
            outputs.Add(port.IsNumeric && (port.Shape is [] || port.Shape.Any(d => d < 0)) && !(free && session.Outputs.Count >= 3)
                ? port with { Shape = port.Shape is [-1, 7] ? port.Shape : Blank(i).Shape }
                : port);
        }
        return outputs;
    }

    /// <summary>What the model says about a black picture.</summary>
    private OrtOutput Blank(int output)
    {
        if (blank is null)
        {
            var wanted = Enumerable.Range(0, session.Outputs.Count).Where(o => session.Outputs[o].IsNumeric).Take(16).ToArray();
            using var feed = new InputTensors(input, size, 1);
            feed.TellSize(0, input.Width, input.Height);
            try
            {
                blank = session.Run(feed.Tensors(1), wanted);
            }
            catch (OnnxRuntimeException e)
            {
                var other = session.Inputs[input.Index].Shape.Any(d => d < 0) ? $"; if it wants another size, say so with input.width and input.height in {ModelOverrides.FileOf(file)}" : "";
                throw new SpotterException(ErrorCodes.ModelInvalid,
                    $"{file} can't be run on a picture of {input.Width} x {input.Height} pixels: {LoadFailure.Reason(e)}{other}.", e);
            }
            for (var i = 0; i < wanted.Length; i++)
                seen[wanted[i]] = blank[i];
        }
        return seen[output];
    }

    private LayoutGuess Cells(LayoutGuess guess)
    {
        // YOLOv6 has no objectness and exports ones in its place, where YOLOX is not sure of anything in a black picture.
        if (overrides.Family is FamilyNames.YoloV6 || (overrides.Family is null && Strided(Blank(guess.Outputs[0]).Span, 5 + guess.Classes, 4, 1).TrueForAll(o => o == 1)))
            return guess with { Layout = OutputLayout.Rows, Family = FamilyNames.YoloV6 };
        return CountsFromCells(guess) ? guess : guess with { Layout = OutputLayout.Rows };
    }

    /// <summary>
    /// Whether centres count from their cell, as from YOLOX's heads, or are spread over the whole input because the
    /// export decodes them already. The shapes are the same.
    /// </summary>
    private bool CountsFromCells(LayoutGuess guess)
    {
        if (overrides.Family is FamilyNames.YoloXRaw)
            return true;
        var result = Blank(guess.Outputs[0]);
        var numbers = result.Span;
        var row = (int)result.Shape[2];
        double sum = 0;
        for (var at = 0; at < numbers.Length; at += row)
            sum += numbers[at];
        // On average a decoded centre is in the middle; one that counts in cells is within a cell or two.
        var cells = sum / (numbers.Length / row) < input.Width / 8.0;
        Note("boxes", cells ? "counted in cells" : "in pixels", FactSource.Inferred);
        return cells;
    }

    private Activation ActivationOf(LayoutGuess guess, int? names, out bool lastIsNothing, out float scale)
    {
        lastIsNothing = false;
        scale = 1;
        if (guess.Layout is OutputLayout.Columns or OutputLayout.ScoreRows && overrides.Activation is { } said and not Activation.Softmax)
        {
            Note("scores", Word(said), FactSource.Overridden);
            return said;
        }
        if (guess.Layout is not (OutputLayout.Classes or OutputLayout.Queries or OutputLayout.QueryRows or OutputLayout.CornersAndScores))
        {
            return overrides.Activation is null or Activation.None
                ? Activation.None
                : throw Contradicts($"'activation' can't be said of outputs that are {Word(guess.Layout)}, whose scores are probabilities");
        }
        var scores = Blank(guess.Outputs[^1]).Span;
        if (guess.Layout == OutputLayout.QueryRows)
            scores = Strided(scores, 4 + guess.Classes, 4, guess.Classes).ToArray();
        var shares = true;
        foreach (var score in scores)
            shares &= score is >= 0 and <= 1.0001f;

        var logits = Activation.Sigmoid;
        if (guess.Layout == OutputLayout.Classes)
        {
            double sum = 0;
            foreach (var score in scores)
                sum += score;
            shares &= Math.Abs(sum - 1) < 0.02;
            logits = Activation.Softmax;
            if (session.Outputs[guess.Outputs[^1]].Type == OrtPort.UInt8)
            {
                // A quantised classifier ends with its softmax, in steps of 1/256; logits can't be without their sign.
                (scale, shares) = (1 / 255f, true);
            }
        }
        else if (guess.Layout == OutputLayout.Queries && LastIsNothing(guess, names))
        {
            lastIsNothing = true;
            // RF-DETR scores each class for itself and leaves the last unused.
            logits = IsRfDetr(guess) ? Activation.Sigmoid : Activation.Softmax;
        }
        var activation = overrides.Activation ?? (shares ? Activation.None : logits);
        Note("scores", Word(activation), overrides.Activation is null ? FactSource.Inferred : FactSource.Overridden);
        return activation;
    }

    private static string Word(Activation activation) =>
        activation switch { Activation.None => "probabilities", Activation.Sigmoid => "logits, sigmoid", _ => "logits, softmax" };

    /// <summary>
    /// The first DETR, YOLOS and Table Transformer score all classes and one more for nothing. Their exports from Hugging
    /// Face call the scores logits, as those of RT-DETR and Conditional DETR do, which ask 300 queries and score no nothing.
    /// </summary>
    private bool LastIsNothing(LayoutGuess guess, int? names)
    {
        if (names is { } named)
            return named == guess.Classes - 1;
        var scores = session.Outputs[guess.Outputs[1]].Name;
        return guess.Classes == 92
            || (guess.Family == FamilyNames.Detr && guess.Classes is > 1 and not (90 or 91) && Blank(guess.Outputs[1]).Shape[1] != 300 && scores.Contains("logits", StringComparison.OrdinalIgnoreCase));
    }

    private bool IsRfDetr(LayoutGuess guess) => session.Outputs[guess.Outputs[1]].Name.Equals("labels", StringComparison.OrdinalIgnoreCase);

    private static List<float> Strided(ReadOnlySpan<float> numbers, int row, int skip, int take)
    {
        var taken = new List<float>();
        for (var at = 0; at + row <= numbers.Length; at += row)
            taken.AddRange(numbers.Slice(at + skip, take));
        return taken;
    }

    private BoxUnits UnitsOf(LayoutGuess guess)
    {
        var units = guess.Layout switch
        {
            OutputLayout.Queries or OutputLayout.QueryRows => BoxUnits.Shares,
            OutputLayout.Lists when size is not null => BoxUnits.Told,
            OutputLayout.Lists when session.Outputs[guess.Outputs[0]].Name.Contains("detection_boxes", StringComparison.OrdinalIgnoreCase) => BoxUnits.Shares,
            OutputLayout.Lists or OutputLayout.EndToEnd or OutputLayout.CornersAndScores => LooksLikeShares(guess) ? BoxUnits.Shares : BoxUnits.Input,
            _ => BoxUnits.Input,
        };
        if (overrides.Units is { } said)
            units = said;
        if (guess.Layout is OutputLayout.Lists or OutputLayout.Queries or OutputLayout.QueryRows)
            Note("boxes", units switch { BoxUnits.Input => "in pixels of the input", BoxUnits.Shares => "in shares of the input", _ => "in pixels of the size told" },
                overrides.Units is null ? FactSource.Inferred : FactSource.Overridden);
        return units;
    }

    private bool LooksLikeShares(LayoutGuess guess)
    {
        if (guess.Layout != OutputLayout.Lists)
            return false;
        float most = 0;
        foreach (var number in Blank(guess.Outputs[0]).Span)
            most = Math.Max(most, Math.Abs(number));
        return most is > 0 and <= 2;
    }

    private static IReadOnlyList<string> AssumedLabels(LayoutGuess guess, int classes) => (guess.Task, classes) switch
    {
        (VisionTasks.Classify, 1000) => LabelSets.ImageNet,
        (VisionTasks.Classify, 1001) => ["nothing", .. LabelSets.ImageNet],
        (VisionTasks.Obb, 15 or 0) => LabelSets.Dota,
        (VisionTasks.Pose, 1 or 0) => ["person"],
        (not VisionTasks.Classify, 80) => LabelSets.Coco,
        (not VisionTasks.Classify, 90 or 91) => LabelSets.CocoNumbered,
        (_, 0) when guess.Family == FamilyNames.Ssd => LabelSets.CocoNumbered,
        (_, 0) => LabelSets.Coco,
        _ => [.. Enumerable.Range(0, classes).Select(LabelNames.Unnamed)],
    };

    private KeypointSpec? KeypointsOf(LayoutGuess guess, int numbers)
    {
        if (guess.Task != VisionTasks.Pose)
            return null;
        var count = overrides.KeypointCount ?? (guess.Extras % numbers == 0 ? guess.Extras / numbers : 0);
        if (count == 0 || count * numbers != guess.Extras)
            throw Refuse($"{guess.Extras} numbers per object can't be {count} keypoints of {numbers}; say so with keypoints.count and keypoints.numbers in {ModelOverrides.FileOf(file)}");
        var people = count == LabelSets.CocoKeypoints.Count;
        State("keypoints", string.Create(CultureInfo.InvariantCulture, $"{count} of {numbers} numbers"), overrides.KeypointCount is not null, notes.ContainsKey("kpt_shape"));
        var skeleton = overrides.Skeleton ?? (people ? LabelSets.CocoSkeleton : []);
        if (skeleton.Any(pair => pair[0] >= count || pair[1] >= count))
            throw Refuse($"its skeleton joins keypoints beyond the {count} that there are");
        return new KeypointSpec(count, numbers, overrides.KeypointNames ?? (people ? LabelSets.CocoKeypoints : null), skeleton);
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
