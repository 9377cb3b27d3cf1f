using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The app tier of a web tier that classifies: a request by a queue, a text in a bucket, a response by another queue.</summary>
internal sealed class S3Worker(LegacySettings settings, ILegacyPost post) : ILegacyWorker, IDisposable
{
    private const int LongestId = 200;

    // Of two results for one key, the second has to see the first.
    private readonly SemaphoreSlim writing = new(1);

    public IReadOnlyList<string> Engines { get; } = [PictureResult.EngineWithLabels];

    public bool Draws => false;

    public LegacyRequest Read(LegacyMessage message)
    {
        var (id, name) = LegacyRequest.TextsOf(message.Body, "request_id", "filename") ?? default;
        if (id is not { Length: > 0 and <= LongestId })
            return new LegacyRequest.Dropped("it is no JSON object with a 'request_id', so there is nobody to answer.");
        // What was asked for is not repeated: it may be anything.
        return name is not null && LegacyName.IsPicture(name)
            ? new LegacyRequest.Picture(new LegacyTarget(id, 0, name))
            : new LegacyRequest.Refused(new LegacyTarget(id, 0, ""), "The 'filename' is missing or can't be one; take letters, digits, '.', '-' and '_'.");
    }

    public Task<LegacyObject?> OpenAsync(LegacyTarget target, CancellationToken cancel) => post.GetAsync(settings.Bucket, settings.Folder + target.Picture, settings.MaxInputBytes, cancel);

    public async Task SucceedAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        var (stem, label) = (LegacyName.StemOf(target.Picture), PictureResult.Of(job).Labels is [var best, ..] ? best.Label : "unknown");
        // Files that differ in their extensions only have one stem. The first has the key of old, and the others their whole names.
        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target.Picture)));
        await writing.WaitAsync(cancel);
        try
        {
            var isTaken = await post.FindAsync(settings.OutputBucket!, stem, cancel) is { Mark: { } other } && other != mark;
            await post.PutAsync(settings.OutputBucket!, isTaken ? target.Picture : stem, Encoding.UTF8.GetBytes($"{stem},{label}"), "text/plain; charset=utf-8", mark, cancel);
        }
        finally
        {
            writing.Release();
        }
        await post.SendAsync(settings.ResultQueue!, TierResponse.Write(target.Id, label), cancel);
    }

    public Task RefuseAsync(LegacyTarget target, int status, string why, CancellationToken cancel) => post.SendAsync(settings.ResultQueue!, TierResponse.Write(target.Id, $"error: {why}"), cancel);

    /// <inheritdoc/>
    public void Dispose() => writing.Dispose();
}

/// <summary>What the web tier waits for.</summary>
/// <param name="RequestId">As the request had it.</param>
/// <param name="ClassifierOutput">The label, or <c>error: </c> and why there is none.</param>
internal sealed record TierResponse(string RequestId, string ClassifierOutput)
{
    private static readonly TierResponseJson Json = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower });

    /// <summary>As the queue carries it.</summary>
    public static string Write(string requestId, string output) => JsonSerializer.Serialize(new TierResponse(requestId, output), Json.TierResponse);
}

[JsonSerializable(typeof(TierResponse))]
internal sealed partial class TierResponseJson : JsonSerializerContext;
