using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Jobs;

/// <summary>Jobs and outcomes for tests that don't care what is in them.</summary>
internal static class SampleJobs
{
    public static readonly JobError Fault = new(ErrorCodes.Internal, "It broke.");

    public static NewJob New(string engine = Engines.Detect, string? key = null, bool isInternal = false, JobId? id = null, string? model = null)
    {
        var job = id ?? JobId.New(RandomSource.System);
        return new NewJob
        {
            Id = job,
            Engine = engine,
            Model = model,
            Options = new JobOptions(),
            Image = new ImageRef(BlobKey.Original(job), ImageFormat.Jpeg, 480_000, new string('a', 64)),
            IdempotencyKey = key,
            Fingerprint = key is null ? null : $"print of {key}",
            Internal = isInternal,
        };
    }

    /// <summary>A made picture of so many bytes.</summary>
    public static EncodedPicture Picture(int bytes) => new(new Bytes([.. Enumerable.Range(1, bytes).Select(b => (byte)b)]));

    public static VisionResult Result(int width = 810) => new()
    {
        Width = width,
        Height = 1080,
        Detections = [new Detection("bus", 5, 0.873, new Box(22.3, 231.4, 805, 756.8))],
        Summary = new Dictionary<string, int>(StringComparer.Ordinal) { ["bus"] = 1 },
    };

    public static JobOutcome.Done Done(string? output = null, int width = 810) =>
        new(Result(width), new JobTimings { DecodeMs = 5, InferMs = 15 }, output);

    public static JobOutcome.Retry Retry(bool spendAttempt = true) => new(Fault, spendAttempt);

    public static JobOutcome.Reject Reject() => new(new JobError(ErrorCodes.ImageInvalid, "The picture is damaged."));

    public static Delivery Delivery(JobId id, string engine = Engines.Detect) => new(id, engine, "1-1");

    /// <summary>Everything in a row, comparable: records compare their lists by reference.</summary>
    public static string Print(Job? job) => JsonSerializer.Serialize(job, SpotterJson.Default.Job!);

    private sealed class Bytes(byte[] content) : System.Buffers.IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = content;

        public void Dispose()
        {
            // Nothing to give back.
        }
    }
}
