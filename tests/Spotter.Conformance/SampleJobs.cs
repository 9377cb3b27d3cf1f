using System.Buffers.Binary;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>Jobs and outcomes for tests that don't care what is in them.</summary>
public static class SampleJobs
{
    // Names of engines; nothing here runs one.
    public const string Detect = "detect";
    public const string Classify = "classify";
    public const string Annotate = "annotate";

    public static readonly JobError Fault = new(ErrorCodes.Internal, "It broke.");

    public static NewJob New(string engine = Detect, string? key = null, bool isInternal = false, JobId? id = null, string? model = null) => new()
    {
        Id = id ?? JobId.New(RandomSource.System, TimeProvider.System),
        Spec = new JobSpec { Engine = engine, Model = model, Inputs = [Input()], Parameters = RawJson.OfText("""{"confidence":0.25}""") },
        IdempotencyKey = key,
        Fingerprint = key is null ? null : $"print of {key}",
        Internal = isInternal,
    };

    /// <summary>The job with another spec.</summary>
    public static NewJob Having(this NewJob job, Func<JobSpec, JobSpec> change) => job with { Spec = change(job.Spec) };

    public static NewJob At(this NewJob job, JobPriority priority) => job.Having(s => s with { Priority = priority });

    /// <summary>An input of its own.</summary>
    public static InputRef Input() =>
        new(BlobKey.NewInput(RandomSource.System, TimeProvider.System), "image/jpeg", 480_000, new string('a', 64));

    /// <summary>A picture as far as its header goes; other widths are other pictures.</summary>
    public static byte[] Picture(ushort width = 8)
    {
        byte[] gif = [.. "GIF89a"u8, 0, 0, 6, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0, 0, 6, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(6), width);
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(18), width);
        return gif;
    }

    /// <summary>A result in which nothing but the width differs.</summary>
    public static RawJson Result(int width = 810) => RawJson.OfText($$"""{"width":{{width}}, "height":1080,"label":"né 犬"}""");

    public static JobOutcome.Done Done(string? output = null, int width = 810) =>
        new(Result(width), new JobTimings { DecodeMs = 5, InferMs = 15 }, output);

    /// <summary>What a store counts that is empty, once a worker has done this.</summary>
    public static StoreCounts Served(string queue, ServedJobs jobs) =>
        new(new JobCounts(0, 0, 0, 0, 0, 0), []) { Served = new Dictionary<string, ServedJobs>(StringComparer.Ordinal) { [queue] = jobs } };

    /// <summary>A file that a job made.</summary>
    public static OutputRef File(string name) => new(name, "application/json", 1234, BlobKey.NewOutput(RandomSource.System, TimeProvider.System));

    public static JobOutcome.Retry Retry(bool spendAttempt = true) => new(Fault, spendAttempt);

    public static JobOutcome.Reject Reject() => new(new JobError(ErrorCodes.ImageInvalid, "The picture is damaged."));

    /// <summary>Everything in a row, comparable: records compare their lists by reference.</summary>
    public static string Print(Job? job) => JsonSerializer.Serialize(job, SpotterJson.Default.Job!);
}
