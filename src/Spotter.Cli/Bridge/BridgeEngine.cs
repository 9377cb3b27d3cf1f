using System.Diagnostics;
using Spotter.Core;
using Spotter.Engines;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Results;

namespace Spotter.Cli.Bridge;

/// <summary>Has the workers of an earlier service look at pictures: to a gateway they are one more model.</summary>
/// <param name="model">What the gateway knows of them.</param>
/// <param name="settings">Where their pictures are.</param>
/// <param name="post">Reaches the bucket.</param>
/// <param name="workers">They.</param>
/// <param name="wait">How long an answer may take.</param>
/// <param name="time">The clock.</param>
internal sealed class BridgeEngine(ModelInfo model, LegacySettings settings, ILegacyPost post, IOldWorkers workers, TimeSpan wait, TimeProvider time) : IEngine
{
    // The engine gives up by itself; the worker's own limit is for the case that it doesn't.
    private static readonly TimeSpan Spare = TimeSpan.FromMinutes(2);
    private const int NameBytes = 16;

    public string Name => model.Engine;

    public bool NeedsModel => true;

    public EngineLimits Limits { get; } = new() { RunTime = wait + Spare };

    public bool Takes(ModelInfo other) => other.Engine == model.Engine;

    public long MemoryOf(EngineJob job) => Annotator.MemoryOf(job.Inputs[0].Bytes, job.Host.ImageLimits);

    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var asked = job.Spec.Parameters.Read(VisionJson.Default.VisionParameters);
        if (asked.Tile is not null || asked.Region is not null || asked.RunsAlone)
            throw new SpotterException(ErrorCodes.UnsupportedOption, $"The model '{model.Id}' stands for workers that look at whole pictures only; leave 'tile', 'roi', 'crops' and 'then' out.");
        var picture = job.Inputs[0].Bytes;
        var begun = Stopwatch.GetTimestamp();
        // A damaged picture would end such a worker, and the next one that gets the message.
        var (width, height) = Annotator.Measure(picture, job.Host.ImageLimits);
        var decoded = Stopwatch.GetTimestamp();
        var answer = AskAsync(job, cancel).GetAwaiter().GetResult();
        var result = BridgeResult.Of(answer, width, height, model.Labels, asked.Labels);
        if (asked.Zones is { } zones)
            result = ZoneCount.Count(result, zones);
        var answered = Stopwatch.GetTimestamp();
        var drawn = asked.Annotate ? Annotator.Draw(picture, result, job.Host.ImageLimits, DrawOptions.Of(asked, result)) : null;
        var timings = new JobTimings
        {
            DecodeMs = Stopwatch.GetElapsedTime(begun, decoded).TotalMilliseconds,
            InferMs = Stopwatch.GetElapsedTime(decoded, answered).TotalMilliseconds,
            EncodeMs = Stopwatch.GetElapsedTime(answered).TotalMilliseconds,
        };
        return new EngineResult(RawJson.Of(result, VisionJson.Default.VisionResult), timings, drawn is null ? null : new EngineOutput(drawn)) { ModelVersion = model.Version };
    }

    private async Task<OldAnswer> AskAsync(EngineJob job, CancellationToken cancel)
    {
        var input = job.Spec.Inputs[0];
        // One for each attempt, so no worker ever finds an annotated picture in its place; with one dot, as more are one too many for some.
        var name = $"{job.Host.Random.NextHex(NameBytes)}.{input.MediaType[(input.MediaType.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace("jpeg", "jpg", StringComparison.Ordinal)}";
        using var timer = new CancellationTokenSource(wait, time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            await post.PutAsync(settings.Bucket, settings.Folder + name, job.Inputs[0].Bytes, input.MediaType, name, until.Token);
            Failpoint.At("bridge-put", job.Spec.Name);
            return await workers.AskAsync(name, until.Token);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            var silence = settings.Service == LegacyService.S1 ? " Workers of this kind also write nothing when they find nothing." : "";
            throw new SpotterException(
                ErrorCodes.JobTimeout, $"No worker of the earlier service gave a result within {wait.TotalSeconds:0} s; see that they run, or let the bridge wait longer (bridge.waitSeconds).{silence}");
        }
    }
}
