using System.Net;
using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Backends.S3;

/// <summary>What S3 says in the messages of a bucket (event message structure, versions 2.x).</summary>
internal static class S3Event
{
    private const string Created = "ObjectCreated:";

    /// <summary>The uploads that have arrived in a bucket by a message; null for one that is none of S3's.</summary>
    /// <param name="message">The message.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="prefix">What the names of all blobs begin with there.</param>
    public static IReadOnlyList<UploadId>? UploadsIn(string message, string bucket, string prefix)
    {
        try
        {
            using var document = JsonDocument.Parse(message);
            if (!document.RootElement.TryGetProperty("Records", out var records))
                // Sent once, when notifications are switched on.
                return document.RootElement.TryGetProperty("Event", out var test) && test.ValueEquals("s3:TestEvent") ? [] : null;
            return [.. records.EnumerateArray().Select(record => Find(record, bucket, prefix)).OfType<UploadId>()];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static UploadId? Find(JsonElement record, string bucket, string prefix)
    {
        var (name, s3) = (record.GetProperty("eventName").GetString(), record.GetProperty("s3"));
        // As in a form: a space is a plus.
        var key = WebUtility.UrlDecode(s3.GetProperty("object").GetProperty("key").GetString()) ?? "";
        return name?.StartsWith(Created, StringComparison.Ordinal) == true && s3.GetProperty("bucket").GetProperty("name").ValueEquals(bucket)
            && key.StartsWith(prefix, StringComparison.Ordinal) && BlobKey.TryParseUpload(key[prefix.Length..], out var id)
            ? id
            : null;
    }
}
