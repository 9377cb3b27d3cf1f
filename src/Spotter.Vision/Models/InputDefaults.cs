using System.Globalization;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>How pictures were prepared when models of a family were trained, so that they are prepared so again.</summary>
internal static class InputDefaults
{
    private static readonly float[] ImageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] ImageNetDeviation = [0.229f, 0.224f, 0.225f];
    private static readonly float[] NanoDetMean = [103.53f, 116.28f, 123.675f];
    private static readonly float[] NanoDetDeviation = [57.375f, 57.12f, 58.395f];
    private static readonly float[] CaffeMean = [104, 117, 123];
    private static readonly float[] YolactMean = [123.68f, 116.78f, 103.94f];
    private static readonly float[] YolactDeviation = [58.4f, 57.12f, 57.38f];
    private static readonly float[] Middle = [127.5f, 127.5f, 127.5f];
    private static readonly float[] UltraFaceMean = [127, 127, 127];
    private static readonly float[] Eighth = [128, 128, 128];
    private static readonly float[] ClipMean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] ClipDeviation = [0.26862954f, 0.26130258f, 0.27577711f];
    private static readonly float[] Halves = [0.5f, 0.5f, 0.5f];
    private static readonly float[] Zero = [0, 0, 0];
    private static readonly float[] One = [1, 1, 1];

    /// <summary>The edge of an input that leaves it free. Depth Anything's is in steps of 14.</summary>
    public static int EdgeOf(string? task) => task switch
    {
        VisionTasks.Classify or VisionTasks.Embed => 224,
        VisionTasks.Depth => 518,
        VisionTasks.Saliency => 320,
        VisionTasks.Semantic => 512,
        _ => 640,
    };

    /// <summary>Fills in colour order, normalisation and fit, and says where each comes from.</summary>
    public static InputSpec Complete(
        InputSpec input, LayoutGuess guess, ModelOverrides overrides, IReadOnlyDictionary<string, string> notes, string producer, bool noted, List<ModelFact> facts)
    {
        var usual = Usual(input, guess, notes, producer, noted);
        var spec = usual with
        {
            Bgr = overrides.Bgr ?? usual.Bgr,
            Scale = overrides.Scale ?? usual.Scale,
            Mean = overrides.Mean ?? usual.Mean,
            Deviation = overrides.Deviation ?? usual.Deviation,
            Fit = overrides.Fit ?? usual.Fit,
            Fill = overrides.Fill ?? usual.Fill,
            ResizeTo = overrides.ResizeTo ?? usual.ResizeTo,
        };
        Say("colour order", spec.Bgr ? "bgr" : "rgb", overrides.Bgr is not null);
        Say("normalisation", Normalisation(spec), (overrides.Scale ?? overrides.Mean?[0] ?? overrides.Deviation?[0]) is not null);
        Say("fit", spec.Fit switch
        {
            Fit.Letterbox => $"letterbox, filled with {spec.Fill.ToString(CultureInfo.InvariantCulture)}",
            Fit.LetterboxTopLeft => $"letterbox at the top left, filled with {spec.Fill.ToString(CultureInfo.InvariantCulture)}",
            Fit.Stretch => "stretched",
            Fit.Line => $"a line at the left, filled with {spec.Fill.ToString(CultureInfo.InvariantCulture)}",
            _ => spec.ResizeTo > 0 ? string.Create(CultureInfo.InvariantCulture, $"middle, after the shorter edge is {spec.ResizeTo}") : "middle",
        }, overrides.Fit is not null);
        if (spec.Free is { } free)
            Say("free size", free.ToString(), false);
        return spec;

        void Say(string name, string value, bool overridden) => facts.Add(new ModelFact(name, value, overridden ? FactSource.Overridden : FactSource.Assumed));
    }

    private static InputSpec Usual(InputSpec input, LayoutGuess guess, IReadOnlyDictionary<string, string> notes, string producer, bool noted)
    {
        // Integers are normalised in the graph.
        if (input.Type is OrtPort.UInt8 or OrtPort.Int32)
            return input with { Scale = 1, Fit = FitOf(guess.Family), Fill = guess.Layout == OutputLayout.People ? 0 : input.Fill };
        var ultralytics = noted && (notes.ContainsKey("stride") || notes.ContainsKey("imgsz") || notes.ContainsKey("task"));
        return guess.Family switch
        {
            FamilyNames.YoloX => input with { Scale = 1, Bgr = true, Fit = Fit.LetterboxTopLeft },
            FamilyNames.NanoDet => input with { Scale = 1, Bgr = true, Mean = NanoDetMean, Deviation = NanoDetDeviation, Fit = Fit.Stretch },
            FamilyNames.RtDetr => input with { Fit = Fit.Stretch },
            // PP-YOLOE+ and RT-DETR are only scaled to 0..1; PicoDet and the first PP-YOLOE take ImageNet's normalisation.
            FamilyNames.Paddle => input with { Fit = Fit.Stretch },
            FamilyNames.Scrfd => input with { Scale = 1, Mean = Middle, Deviation = Eighth, Fit = Fit.LetterboxTopLeft, Fill = 0 },
            FamilyNames.YuNet => input with { Scale = 1, Bgr = true, Fit = Fit.LetterboxTopLeft, Fill = 0 },
            FamilyNames.RetinaFace => input with { Scale = 1, Bgr = true, Mean = CaffeMean, Fit = Fit.LetterboxTopLeft, Fill = 0 },
            FamilyNames.Yolact => input with { Scale = 1, Mean = YolactMean, Deviation = YolactDeviation, Fit = Fit.Stretch },
            FamilyNames.MoveNet => input with { Scale = 1, Fill = 0 },
            FamilyNames.MediaPipePose => input with { Fill = 0 },
            FamilyNames.UltraFace => input with { Scale = 1, Mean = UltraFaceMean, Deviation = Eighth, Fit = Fit.Stretch },
            // RF-DETR and the first DETR want ImageNet's normalisation.
            FamilyNames.Detr => input with { Fit = Fit.Stretch, Mean = ImageNetMean, Deviation = ImageNetDeviation },
            FamilyNames.Db or FamilyNames.Ctc => TextRules.Prepare(input, guess),
            FamilyNames.Ssd when input.ChannelsLast => input with { Scale = 1, Fit = Fit.Stretch },
            FamilyNames.Ssd => input with { Fit = Fit.Stretch },
            FamilyNames.Classifier when ultralytics => input with { Fit = Fit.Crop },
            FamilyNames.Classifier when producer.Contains("caffe", StringComparison.OrdinalIgnoreCase) => input with { Scale = 1, Bgr = true, Mean = CaffeMean, Fit = Fit.Crop },
            // Keras and TensorFlow, whose pictures have their channels last, count from -1 to 1.
            FamilyNames.Classifier when input.ChannelsLast => input with { Scale = 1 / 127.5f, Mean = One, Fit = Fit.Crop },
            FamilyNames.Classifier => input with { Mean = ImageNetMean, Deviation = ImageNetDeviation, Fit = Fit.Crop },
            FamilyNames.LabelMap or FamilyNames.DepthMap or FamilyNames.SaliencyMap => input with { Mean = ImageNetMean, Deviation = ImageNetDeviation, Fit = Fit.Stretch },
            FamilyNames.Embedding => OfEmbedding(input, guess.Name ?? ""),
            _ => input,
        };
    }

    /// <summary>Faces are aligned before, and people cut out, so that all of them is shown; other pictures are seen in their middle.</summary>
    private static InputSpec OfEmbedding(InputSpec input, string output) => (input.Width, input.Height) switch
    {
        (112, 112) => input with { Mean = Halves, Deviation = Halves, Fit = Fit.Stretch },
        var (width, height) when width != height => input with { Mean = ImageNetMean, Deviation = ImageNetDeviation, Fit = Fit.Stretch },
        _ when output.Contains("image_embed", StringComparison.OrdinalIgnoreCase) => input with { Mean = ClipMean, Deviation = ClipDeviation, Fit = Fit.Crop },
        _ => input with { Mean = ImageNetMean, Deviation = ImageNetDeviation, Fit = Fit.Crop },
    };

    private static Fit FitOf(string family) => family switch
    {
        FamilyNames.Ssd or FamilyNames.Detr or FamilyNames.RtDetr or FamilyNames.NanoDet or FamilyNames.Paddle or FamilyNames.UltraFace or FamilyNames.Yolact
            or FamilyNames.LabelMap or FamilyNames.DepthMap or FamilyNames.SaliencyMap => Fit.Stretch,
        FamilyNames.Classifier or FamilyNames.Embedding => Fit.Crop,
        FamilyNames.Ctc => Fit.Line,
        FamilyNames.Db or FamilyNames.YoloX or FamilyNames.Scrfd or FamilyNames.YuNet or FamilyNames.RetinaFace => Fit.LetterboxTopLeft,
        _ => Fit.Letterbox,
    };

    private static string Normalisation(InputSpec spec)
    {
        var scale = spec.Scale == 1 ? "0..255" : Math.Abs(spec.Scale - (1 / 255f)) < 1e-9 ? "0..1" : string.Create(CultureInfo.InvariantCulture, $"times {spec.Scale}");
        if (spec.Mean.SequenceEqual(Zero) && spec.Deviation.SequenceEqual(One))
            return scale;
        return string.Create(CultureInfo.InvariantCulture, $"{scale}, less {string.Join('/', spec.Mean)}, by {string.Join('/', spec.Deviation)}");
    }
}
