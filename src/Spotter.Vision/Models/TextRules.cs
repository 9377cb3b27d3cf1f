using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>What is known of a model that may find or read text, before its outputs are looked at.</summary>
internal sealed record TextHints
{
    /// <summary>The input's width is free.</summary>
    public bool HasFreeWidth { get; init; }

    /// <summary>The input's height is free.</summary>
    public bool HasFreeHeight { get; init; }

    /// <summary>How many characters its dictionary has; null when there is none.</summary>
    public int? Characters { get; init; }
}

/// <summary>
/// Tells models that find text (a map of probabilities, as of DB, "Real-time Scene Text Detection with Differentiable Binarization", arXiv
/// 1911.08947) and models that read it (scores of characters step by step, decoded as CTC says). Their shapes are those of other models
/// too, so the file has to say more: names of outputs, operators, an input as high as a line of text, a dictionary.
/// </summary>
internal static class TextRules
{
    // Of all published readers: the heights of their inputs, and the digits and the blank.
    private static readonly int[] LineHeights = [31, 32, 48, 64];
    private const int FewestColumns = 11;
    private static readonly int[] MapCells = [1, 2, 4, 8];

    private static readonly float[] ImageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] ImageNetDeviation = [0.229f, 0.224f, 0.225f];
    private static readonly float[] MapMean = [0.798f, 0.785f, 0.772f];
    private static readonly float[] MapDeviation = [0.264f, 0.2749f, 0.287f];
    private static readonly float[] LineMean = [0.694f, 0.695f, 0.693f];
    private static readonly float[] LineDeviation = [0.299f, 0.296f, 0.301f];

    /// <summary>The layout, when it is one of these two; null when nothing says so.</summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run.</param>
    /// <param name="hints">What else is known.</param>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints) => Steps(outputs, hints) ?? Map(outputs, hints);

    /// <summary>How pictures were prepared in training: by PaddleOCR, or by docTR, whose exports end before their last activation.</summary>
    public static InputSpec Prepare(InputSpec input, LayoutGuess guess)
    {
        if (guess.Layout == OutputLayout.Steps)
        {
            // A value of 0 after normalisation is what fills a line of PaddleOCR's, black one of docTR's.
            input = guess.IsDocTr
                ? input with { Mean = LineMean, Deviation = LineDeviation, Fit = Fit.Line, Fill = 0 }
                : input with { Bgr = input.Channels == 3, Mean = [0.5f, 0.5f, 0.5f], Deviation = [0.5f, 0.5f, 0.5f], Fit = Fit.Line, Fill = 127.5f };
            return input.HasFreeWidth ? input with { Width = 320, Free = new FreeSize(1, input.Channels == 3 ? 320 : input.Height, 3200, KeepsHeight: true) } : input;
        }
        input = guess.IsDocTr
            ? input with { Mean = MapMean, Deviation = MapDeviation, Fit = Fit.Letterbox, Fill = 0 }
            : input with { Bgr = true, Mean = ImageNetMean, Deviation = ImageNetDeviation, Fit = Fit.LetterboxTopLeft, Fill = 0 };
        return input is { HasFreeWidth: true, HasFreeHeight: true } ? input with { Fit = Fit.Stretch, Free = new FreeSize(32, 32, 960) } : input;
    }

    /// <summary><c>[1, 1, h, w]</c>, as large as the input.</summary>
    private static LayoutGuess? Map(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var isStated = hints.Family == FamilyNames.Db;
        if (!isStated && (hints.Family is not null || hints.Task is not (null or VisionTasks.Obb) || hints.Names is > 1))
            return null;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i] is not { Type: OrtPort.Float32 or OrtPort.Float16, Shape: [1, 1, var height, var width] } || height != hints.Height || width != hints.Width)
                continue;
            // MMOCR's and docTR's own name, and those that Paddle's exports give to all kinds of models.
            var isTold = outputs[i].Name == "maps";
            var isNamed = isTold || outputs[i].Says("sigmoid_", "fetch_name_", "save_infer_model");
            var isDocTr = outputs[i].Says("logits") && hints.MakerOf(outputs[i].Name) != "Sigmoid";
            var isOpen = hints.Text is { HasFreeHeight: true, HasFreeWidth: true } && hints.MakerOf(outputs[i].Name) == "Sigmoid";
            // The head of DB ends with two of these, where heads for masks and depths scale up by interpolation.
            if (!isStated && !(hints.Operators.Contains("ConvTranspose") && (isNamed || isDocTr || isOpen)))
                continue;
            return new(OutputLayout.TextMap, FamilyNames.Db, VisionTasks.Obb, [i], 1)
            {
                IsDocTr = isDocTr,
                // Text is looked for in pages of any size.
                Doubt = isStated || isTold || (isNamed && isOpen) ? null : "a map of probabilities can be of something else than text",
            };
        }
        return null;
    }

    /// <summary><c>[1, steps, columns]</c> or <c>[steps, 1, columns]</c>.</summary>
    private static LayoutGuess? Steps(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var isStated = hints.Task == VisionTasks.Read || hints.Family == FamilyNames.Ctc;
        if (!isStated && (hints.Task is not null || hints.Family is not null))
            return null;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i] is not { Type: OrtPort.Float32 or OrtPort.Float16, Shape: [1, > 1, > 1] or [> 1, 1, > 1] } || (!isStated && IsMap(outputs[i].Shape, hints)))
                continue;
            var columns = outputs[i].Shape[2];
            var hasDictionary = hints.Text.Characters is { } characters && CharacterSet.CanBe(characters, columns);
            var isAlone = outputs.Count == 1 && hints.Names is null && !hints.Noted && !IsGrid(outputs[i].Shape, hints);
            if (!isStated && !(IsLine(hints) && columns >= FewestColumns && (hasDictionary || isAlone)))
                continue;
            var maker = hints.MakerOf(outputs[i].Name);
            var isPaddle = outputs[i].Says("softmax_", "fetch_name_", "save_infer_model");
            var isDocTr = outputs[i].Says("logits") && maker != "Softmax";
            // Readers that attend to one character after the other have the same shapes, but none of these operators, and no blank.
            var isCtc = isPaddle || hints.Family == FamilyNames.Ctc || hints.Operators.Overlaps(["LSTM", "GRU", "RNN"]);
            return new(OutputLayout.Steps, FamilyNames.Ctc, VisionTasks.Read, [i], (int)columns)
            {
                IsDocTr = isDocTr,
                IsLoose = !isStated && !hasDictionary && !isCtc,
                Doubt = isCtc ? null : "a reader that needs no blank has the same outputs",
            };
        }
        return null;
    }

    /// <summary>A detector of wide pictures has a box for each cell of its input.</summary>
    private static bool IsGrid(long[] shape, LayoutHints hints) =>
        shape.Any(edge => AnchorGrid.Fits(edge, hints.Width, hints.Height, 1) || AnchorGrid.Fits(edge, hints.Width, hints.Height, 3));

    /// <summary>A number for each pixel of the input, or each square of some, is a map of it, as of depth.</summary>
    private static bool IsMap(long[] shape, LayoutHints hints) => Array.Exists(MapCells, edge => (shape[1] * edge, shape[2] * edge) == (hints.Height, hints.Width));

    private static bool IsLine(LayoutHints hints) => LineHeights.Contains(hints.Height) && !hints.Text.HasFreeHeight && (hints.Text.HasFreeWidth || hints.Width >= 2 * hints.Height);
}
