using System.Collections.Concurrent;
using System.Diagnostics;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Jobs;
using Spotter.Core.Vision;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision;

/// <summary>
/// A loaded detection model. Any number of threads may run it at once; each run is the calling thread's work from the
/// picture's bytes to the result (and of more threads within the model, if <see cref="DetectorOptions.Threads"/> says so).
/// Dispose of it after the last run has ended.
/// </summary>
public sealed class Detector : IDisposable
{
    private readonly OrtSession session;
    private readonly ImageLimits limits;
    private readonly ConcurrentBag<Lane> idle = [];

    private Detector(OrtSession session, DetectorModel layout, ImageLimits limits)
    {
        this.session = session;
        this.limits = limits;
        Layout = layout;
    }

    /// <summary>What it is and what it finds.</summary>
    public ModelInfo Model => Layout.Info;

    internal DetectorModel Layout { get; }

    /// <summary>Loads a model and runs it once, so that the first picture is as fast as the others.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.ModelNotFound"/>, <see cref="ErrorCodes.ModelInvalid"/>, <see cref="ErrorCodes.ModelUnsupported"/>,
    /// <see cref="ErrorCodes.ModelOutputInvalid"/>, <see cref="ErrorCodes.NativeMissing"/>.
    /// </exception>
    public static Detector Load(string modelFile, DetectorOptions options)
    {
        var loaded = DetectorInspector.Load(modelFile, options.Threads, optimize: true);
        try
        {
            var detector = new Detector(loaded, DetectorInspector.Inspect(modelFile, loaded), options.Limits);
            detector.WarmUp();
            return detector;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Finds what is in a picture; draws it too when <see cref="JobOptions.Annotate"/> says so.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.EmptyBody"/>, <see cref="ErrorCodes.UnsupportedImage"/>, <see cref="ErrorCodes.TooManyPixels"/>,
    /// <see cref="ErrorCodes.ImageTruncated"/>, <see cref="ErrorCodes.ImageInvalid"/>, <see cref="ErrorCodes.ImageTooComplex"/>,
    /// <see cref="ErrorCodes.ModelOutputInvalid"/>.
    /// </exception>
    public Findings Run(ReadOnlyMemory<byte> picture, JobOptions options)
    {
        var started = Stopwatch.GetTimestamp();
        var lane = Rent();
        Canvas? canvas = null;
        try
        {
            var letterbox = options.Annotate ? Prepare(picture, lane, out canvas, out var size) : Prepare(picture, lane, out size);
            var decoded = Stopwatch.GetTimestamp();
            using var output = Infer(lane);
            var inferred = Stopwatch.GetTimestamp();
            var result = ReadBoxes(output.Span, letterbox, size, options, lane);
            var read = Stopwatch.GetTimestamp();
            var annotated = canvas is null ? default : Annotator.Draw(canvas, result);
            var timings = new JobTimings
            {
                DecodeMs = Milliseconds(started, decoded),
                InferMs = Milliseconds(decoded, inferred),
                PostMs = Milliseconds(inferred, read),
                EncodeMs = canvas is null ? 0 : Milliseconds(read, Stopwatch.GetTimestamp()),
            };
            return new Findings(result, timings, annotated);
        }
        finally
        {
            canvas?.Dispose();
            idle.Add(lane);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (idle.TryTake(out var lane))
            lane.Dispose();
        session.Dispose();
    }

    internal Lane Rent() => idle.TryTake(out var lane) ? lane : new Lane(Layout);

    internal void Return(Lane lane) => idle.Add(lane);

    /// <summary>From bytes to the model's input, at no more than the size that the model needs.</summary>
    internal Letterbox Prepare(ReadOnlyMemory<byte> encoded, Lane lane, out (int Width, int Height) size)
    {
        using var picture = Picture.Open(encoded, limits);
        size = (picture.Width, picture.Height);
        var letterbox = Fit(size);
        picture.ShrinkTo(letterbox.Width, letterbox.Height);
        lane.Writer.Write(picture, letterbox, Layout, lane.Input.Span);
        return letterbox;
    }

    /// <summary>From bytes to the model's input, by way of the whole picture, which is to be drawn on later.</summary>
    internal Letterbox Prepare(ReadOnlyMemory<byte> encoded, Lane lane, out Canvas canvas, out (int Width, int Height) size)
    {
        using var picture = Picture.Open(encoded, limits);
        size = (picture.Width, picture.Height);
        var letterbox = Fit(size);
        canvas = Canvas.Decode(picture);
        lane.Writer.Write(canvas, letterbox, Layout, lane.Input.Span);
        return letterbox;
    }

    internal OrtOutput Infer(Lane lane)
    {
        try
        {
            return session.Run(lane.Input, Layout.Output);
        }
        catch (OrtException e)
        {
            throw new SpotterException(
                ErrorCodes.ModelOutputInvalid, $"{Model.Id} can't be run: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", e);
        }
    }

    /// <summary>From the model's output to boxes of the upright picture.</summary>
    internal VisionResult ReadBoxes(
        ReadOnlySpan<float> output, in Letterbox letterbox, (int Width, int Height) size, JobOptions options, Lane lane)
    {
        OutputDecoder.Decode(Layout, output, (float)options.Confidence, lane.Candidates);
        if (options.Labels is { } labels)
            lane.Candidates.RemoveOtherThan(labels, Model.Labels);
        NonMaxSuppression.Apply(lane.Candidates, options.Iou);

        var detections = new List<Detection>(lane.Candidates.Count);
        foreach (ref readonly var found in lane.Candidates.Span)
        {
            var box = letterbox.ToPicture(found.X1, found.Y1, found.X2, found.Y2);
            var clipped = new Box(
                Clip(box.X1, size.Width), Clip(box.Y1, size.Height), Clip(box.X2, size.Width), Clip(box.Y2, size.Height));
            if (clipped.X2 > clipped.X1 && clipped.Y2 > clipped.Y1)
                detections.Add(new Detection(Model.Labels[found.ClassId], found.ClassId, Math.Round(Math.Min(1, found.Score), 4), clipped));
        }
        return new VisionResult
        {
            Width = size.Width,
            Height = size.Height,
            Detections = detections,
            Summary = VisionResult.Summarize(detections),
        };
    }

    private static double Clip(double value, int edge) => Math.Round(Math.Clamp(value, 0, edge), 1);

    private static double Milliseconds(long from, long to) => Math.Round(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds, 3);

    private Letterbox Fit((int Width, int Height) size) =>
        Letterbox.Create(Layout.Family, Layout.InputWidth, Layout.InputHeight, size.Width, size.Height);

    private void WarmUp()
    {
        var lane = Rent();
        using var output = Infer(lane);
        ReadBoxes(output.Span, Fit((Layout.InputWidth, Layout.InputHeight)), (Layout.InputWidth, Layout.InputHeight), new JobOptions(), lane);
        Return(lane);
    }

    /// <summary>The memory of one run at a time.</summary>
    internal sealed class Lane(DetectorModel layout) : IDisposable
    {
        public OrtTensor Input { get; } = new([1, 3, layout.InputHeight, layout.InputWidth]);

        public InputWriter Writer { get; } = new();

        public Candidates Candidates { get; } = new();

        public void Dispose()
        {
            Input.Dispose();
            Writer.Dispose();
        }
    }
}
