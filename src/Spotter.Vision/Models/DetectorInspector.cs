using System.Globalization;
using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Tells from a model's metadata and shapes what it is. A detector's family follows from its output:
/// <c>[1, 4 + classes, anchors]</c> is YOLOv8's; <c>[1, anchors, 5 + classes]</c> with three boxes per cell is YOLOv5's;
/// with one box per cell it is YOLOv5's layout when the file carries notes as Ultralytics writes them (names, stride or
/// task), and YOLOX's when it carries none, since YOLOX exports write no notes.
/// </summary>
internal static class DetectorInspector
{
    private const int DefaultSize = 640;

    private const string Supported =
        "supported are detectors with a float32 input [1,3,height,width] and an output [1,4+classes,anchors] (YOLOv8 and later), [1,anchors,5+classes] (YOLOv5) or the raw heads of YOLOX";

    /// <summary>Loads a model for a look or for running.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>.</exception>
    public static OrtSession Load(string file, int threads, bool optimize)
    {
        if (!File.Exists(file))
            throw new SpotterException(ErrorCodes.ModelNotFound, $"There is no model file {file}; correct the path, or fetch the model first.");
        try
        {
            return OrtSession.Load(file, threads, optimize);
        }
        catch (OrtException e)
        {
            throw new SpotterException(ErrorCodes.ModelInvalid, $"{file} is not an ONNX model that can be loaded: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", e);
        }
    }

    /// <summary>What the loaded model is.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelUnsupported"/>, <see cref="ErrorCodes.ModelInvalid"/>.</exception>
    public static DetectorModel Inspect(string file, OrtSession session)
    {
        var notes = session.Metadata;
        if (notes.TryGetValue("task", out var task) && task != Engines.Detect)
            throw Unsupported(file, session, $"its task is {task}");
        if (session.Inputs is not [{ Type: OrtPort.Float32, Shape: [-1 or 1, -1 or 3, _, _] } input])
            throw Unsupported(file, session, "its input is no float32 picture");

        var (noteHeight, noteWidth) = NotedSize(notes);
        var height = input.Shape[2] > 0 ? checked((int)input.Shape[2]) : noteHeight;
        var width = input.Shape[3] > 0 ? checked((int)input.Shape[3]) : noteWidth;
        var names = LabelNames.Parse(notes.GetValueOrDefault("names"));
        var noted = names is not null || notes.ContainsKey("stride") || notes.ContainsKey("task");

        for (var output = 0; output < session.Outputs.Count; output++)
        {
            if (session.Outputs[output] is not { Type: OrtPort.Float32, Shape.Length: 3 } port)
                continue;
            var shape = port.Shape.Any(d => d < 0) ? OnBlank(file, session, output, width, height, static result => result.Shape) : port.Shape;
            if (Tell(shape, width, height, names?.Count, noted) is not var (family, classes, anchors))
                continue;
            return new DetectorModel
            {
                Info = new ModelInfo(
                    Path.GetFileNameWithoutExtension(file), Engines.Detect, Name(family), width, height, names ?? LabelNames.Default(classes)),
                Family = family,
                Output = output,
                Classes = classes,
                Anchors = anchors,
                BoxesInCells = family == DetectorFamily.YoloX && OnBlank(file, session, output, width, height, result => CountsFromCells(result, width)),
            };
        }
        throw Unsupported(file, session, names is null ? "none of its outputs is a known layout" : $"none of its outputs is a known layout of its {names.Count} classes");
    }

    /// <summary>The family that an output of this shape belongs to; null for none.</summary>
    /// <param name="shape">Three dimensions.</param>
    /// <param name="width">Input width.</param>
    /// <param name="height">Input height.</param>
    /// <param name="names">How many class names the file carries; null for none.</param>
    /// <param name="noted">Whether the file carries notes as Ultralytics writes them.</param>
    public static (DetectorFamily Family, int Classes, int Anchors)? Tell(long[] shape, int width, int height, int? names, bool noted)
    {
        if (shape[0] != 1 || shape[1] > int.MaxValue || shape[2] > int.MaxValue)
            return null;
        int first = (int)shape[1], second = (int)shape[2];

        var columnClasses = first - 4;
        if (columnClasses > 0 && (names ?? columnClasses) == columnClasses && AnchorGrid.Fits(second, width, height, 1))
            return (DetectorFamily.YoloV8, columnClasses, second);

        var rowClasses = second - 5;
        if (rowClasses <= 0 || (names ?? rowClasses) != rowClasses)
            return null;
        if (AnchorGrid.Fits(first, width, height, 3))
            return (DetectorFamily.YoloV5, rowClasses, first);
        if (noted && AnchorGrid.Fits(first, width, height, 1))
            return (DetectorFamily.YoloV5, rowClasses, first);
        if (!noted && AnchorGrid.Cells(width, height) == first)
            return (DetectorFamily.YoloX, rowClasses, first);
        return null;
    }

    private static string Name(DetectorFamily family) => family switch
    {
        DetectorFamily.YoloV8 => "yolov8",
        DetectorFamily.YoloV5 => "yolov5",
        _ => "yolox",
    };

    /// <summary>Height and width from the notes: <c>[640, 480]</c> or <c>640</c>.</summary>
    private static (int Height, int Width) NotedSize(IReadOnlyDictionary<string, string> notes)
    {
        var numbers = new List<int>();
        foreach (var part in notes.GetValueOrDefault("imgsz", "").Split(['[', ']', '(', ')', ',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(part, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 16_384)
                numbers.Add(number);
        }
        return numbers switch
        {
            [var height, var width, ..] => (height, width),
            [var size] => (size, size),
            _ => (DefaultSize, DefaultSize),
        };
    }

    /// <summary>
    /// Whether centres count from their cell, as from YOLOX's heads, or are spread over the whole input because the
    /// export decodes them already. The shapes are the same.
    /// </summary>
    private static bool CountsFromCells(OrtOutput result, int width)
    {
        var numbers = result.Span;
        var row = (int)result.Shape[2];
        double sum = 0;
        for (var at = 0; at < numbers.Length; at += row)
            sum += numbers[at];
        // On average a decoded centre is in the middle; one that counts in cells is within a cell or two.
        return sum / (numbers.Length / row) < width / 8.0;
    }

    /// <summary>What can only be seen when the model runs, seen on a black picture.</summary>
    private static T OnBlank<T>(string file, OrtSession session, int output, int width, int height, Func<OrtOutput, T> look)
    {
        using var blank = new OrtTensor([1, 3, height, width]);
        try
        {
            using var result = session.Run(blank, output);
            return look(result);
        }
        catch (OrtException e)
        {
            throw new SpotterException(
                ErrorCodes.ModelInvalid, $"{file} can't be run on a picture of {width} x {height} pixels: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", e);
        }
    }

    private static SpotterException Unsupported(string file, OrtSession session, string why) => new(
        ErrorCodes.ModelUnsupported,
        $"{file} is not understood: {why} (inputs {string.Join(", ", session.Inputs)}; outputs {string.Join(", ", session.Outputs)}); {Supported}.");
}
