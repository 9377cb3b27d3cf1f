using System.Diagnostics;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Annotation;

namespace Spotter.Engines.Annotate;

/// <summary>Draws an earlier result on its picture, when somebody wants to see it. Spotter asks for it itself; no request does.</summary>
public sealed class AnnotateEngine : IEngine
{
    /// <summary>Its name.</summary>
    public const string EngineName = "annotate";

    /// <inheritdoc/>
    public string Name => EngineName;

    /// <inheritdoc/>
    public bool NeedsModel => false;

    /// <inheritdoc/>
    public EngineLimits Limits { get; } = new();

    /// <summary>What it is told to draw a result.</summary>
    /// <param name="result">The result.</param>
    /// <param name="confidence">Only what is at least so certain.</param>
    /// <param name="parameters">What the engine was told that found it.</param>
    public static RawJson Parameters(RawJson result, double confidence, RawJson parameters = default)
    {
        var all = result.Read(VisionJson.Default.VisionResult);
        // What is hidden depends on all that was found: nobody may uncover it by asking for less.
        var options = DrawOptions.Of(parameters.Read(VisionJson.Default.VisionParameters), all);
        return RawJson.Of(new Drawing(all, confidence) { Options = options }, DrawingJson.Default.Drawing);
    }

    /// <summary>True when drawing with this threshold leaves out nothing of a result.</summary>
    public static bool DrawsAll(RawJson result, double confidence) =>
        result.Read(VisionJson.Default.VisionResult).Detections is not { } all || all.All(d => d.Confidence >= confidence);

    /// <inheritdoc/>
    public bool Takes(ModelInfo model) => false;

    /// <inheritdoc/>
    public long MemoryOf(EngineJob job) => Annotator.MemoryOf(job.Inputs[0].Bytes, job.Host.ImageLimits);

    /// <inheritdoc/>
    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var drawing = job.Spec.Parameters.Read(DrawingJson.Default.Drawing);
        var shown = drawing.Result.Detections is { } all
            ? drawing.Result with { Detections = [.. all.Where(d => d.Confidence >= drawing.Confidence)] }
            : drawing.Result;
        var start = Stopwatch.GetTimestamp();
        var drawn = Annotator.Draw(job.Inputs[0].Bytes, shown, job.Host.ImageLimits, drawing.Options);
        var timings = new JobTimings { EncodeMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds };
        // What was found is in the row of the job that found it.
        var size = new VisionResult { Width = shown.Width, Height = shown.Height };
        return new EngineResult(RawJson.Of(size, VisionJson.Default.VisionResult), timings, new EngineOutput(drawn));
    }
}

/// <summary>What to draw.</summary>
/// <param name="Result">What was found.</param>
/// <param name="Confidence">Only what is at least so certain.</param>
internal sealed record Drawing(VisionResult Result, double Confidence)
{
    /// <summary>What is drawn besides; null in what was ordered before there was any such thing.</summary>
    public DrawOptions? Options { get; init; }
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Drawing))]
internal sealed partial class DrawingJson : JsonSerializerContext;
