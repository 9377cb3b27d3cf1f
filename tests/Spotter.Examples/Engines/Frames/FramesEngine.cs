using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Engines;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Examples.Engines.Frames;

/// <summary>
/// An engine for large inputs that runs long and makes several files: it looks at every n-th frame of a video, says how
/// bright it is and how much has changed, and shows the frames side by side.
/// </summary>
internal sealed class FramesEngine : IOfferedEngine
{
    // Of all that brightness can be.
    private const double Cut = 0.15;

    public string Name => "frames";

    public string Help => "Measures every n-th frame of a video";

    public bool NeedsModel => false;

    public EngineLimits Limits { get; } = new()
    {
        MediaTypes = ["video/x-yuv4mpeg", InputTerms.AnyBytes],
        InputBytes = 2L << 30,
        MostInputs = 1,
        InputsAsFiles = true,
        RunTime = TimeSpan.FromHours(1),
        OutputBytes = 256 << 20,
    };

    public IReadOnlyList<JobOption> Options => FramesOptions.Declared;

    public string OutputMediaType => "application/octet-stream";

    public JsonTypeInfo ResultType => FramesJson.Default.FramesResult;

    public bool CanBeDrawn => false;

    public bool Takes(ModelInfo model) => false;

    public EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs) =>
        new(RawJson.Of(FramesOptions.Declared.Read(fields), FramesJson.Default.FramesParameters), CacheParameters: null);

    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var every = job.Spec.Parameters.Read(FramesJson.Default.FramesParameters).Every;
        var start = Stopwatch.GetTimestamp();
        using var file = job.Inputs[0].Open();
        var video = new Y4mReader(file);
        var sheet = new ContactSheet();
        var before = new byte[video.Width * video.Height];
        var (frames, looked, cuts) = (0, 0, 0);
        using (var lines = job.Outputs.Create("frames.jsonl", "application/jsonl"))
        {
            for (; video.Read(); frames++)
            {
                // A job that nobody wants any more, or that has run for too long, ends here.
                cancel.ThrowIfCancellationRequested();
                if (frames % every != 0)
                    continue;
                var frame = Measure(video, frames, before, isFirst: looked++ == 0);
                cuts += frame.Change > Cut ? 1 : 0;
                JsonSerializer.Serialize(lines, frame, FramesJson.Default.FrameLine);
                lines.WriteByte((byte)'\n');
                sheet.Add(video);
                progress.Report((double)file.Position / file.Length);
            }
        }
        using (var picture = job.Outputs.Create("contact-sheet.png", "image/png"))
            sheet.Write(picture);
        var result = new FramesResult(video.Width, video.Height, frames, looked, cuts, Math.Round(frames / video.FramesPerSecond, 3));
        return new EngineResult(RawJson.Of(result, FramesJson.Default.FramesResult), new JobTimings { InferMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds });
    }

    public string? Describe(RawJson result)
    {
        var found = result.Read(FramesJson.Default.FramesResult);
        return string.Create(CultureInfo.InvariantCulture, $"{found.Frames} frames; {found.Cuts} cuts");
    }

    private static FrameLine Measure(Y4mReader video, int frame, byte[] before, bool isFirst)
    {
        var now = video.Brightness;
        var (sum, change) = (0L, 0L);
        for (var i = 0; i < now.Length; i++)
        {
            sum += now[i];
            change += Math.Abs(now[i] - before[i]);
        }
        now.CopyTo(before);
        var whole = 255.0 * now.Length;
        return new FrameLine(frame, Math.Round(frame / video.FramesPerSecond, 3), Math.Round(sum / whole, 4), isFirst ? 0 : Math.Round(change / whole, 4));
    }
}

/// <summary>What the engine <c>frames</c> is told.</summary>
/// <param name="Every">It looks at each n-th frame, beginning with the first.</param>
internal sealed record FramesParameters(int Every = 25);

/// <summary>A line of <c>frames.jsonl</c>.</summary>
/// <param name="Frame">Which frame, from 0.</param>
/// <param name="Seconds">When it is shown.</param>
/// <param name="Brightness">0 for black to 1 for white, on average.</param>
/// <param name="Change">How far its pixels are from those of the line before, 0 to 1 on average.</param>
internal sealed record FrameLine(int Frame, double Seconds, double Brightness, double Change);

/// <summary>What there is to say of a video.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Frames">How many there are.</param>
/// <param name="Looked">How many were looked at.</param>
/// <param name="Cuts">How often almost everything changed from one to the next.</param>
/// <param name="Seconds">How long it is.</param>
internal sealed record FramesResult(int Width, int Height, int Frames, int Looked, int Cuts, double Seconds);

internal static class FramesOptions
{
    public static OptionSet<FramesParameters> Declared { get; } = new(new FramesParameters())
    {
        { "every", "Look at each n-th frame", OptionValues.Whole(1, 100_000), p => p.Every, (p, v) => p with { Every = v } },
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(FramesParameters))]
[JsonSerializable(typeof(FramesResult))]
[JsonSerializable(typeof(FrameLine))]
internal sealed partial class FramesJson : JsonSerializerContext;
