using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.S3;

/// <summary>What lets others write and read objects by themselves: signatures, made here without asking the server.</summary>
internal sealed partial class S3BlobStore : IBlobLinks
{
    private const string ContentType = "Content-Type";
    private const string AnswerStatus = "success_action_status";
    private const string Note = "x-amz-meta-spotter";

    public IBlobLinks Links => this;

    public Task<BlobForm> FormAsync(string key, string contentType, long least, long most, TimeSpan life, string? note, CancellationToken cancel)
    {
        var expires = clock.GetUtcNow() + life;
        // They are conditions too, so the server takes them as they are or not at all.
        var fields = new Dictionary<string, string>(StringComparer.Ordinal) { [ContentType] = contentType, [AnswerStatus] = "201" };
        if (note is not null)
            fields.Add(Note, note);
        var request = new CreatePresignedPostRequest
        {
            BucketName = settings.Bucket,
            Key = NameOf(key),
            Expires = expires.UtcDateTime,
            Fields = fields,
            Conditions = [S3PostCondition.ContentLengthRange(least, most)],
        };
        return CallAsync("sign for", async _ =>
        {
            var signed = await client.CreatePresignedPostAsync(request);
            return new BlobForm(signed.Url, signed.Fields, expires);
        }, cancel);
    }

    public Task<string> LinkAsync(string key, TimeSpan life, CancellationToken cancel)
    {
        var request = new GetPreSignedUrlRequest
        {
            BucketName = settings.Bucket,
            Key = NameOf(key),
            Verb = HttpVerb.GET,
            Expires = (clock.GetUtcNow() + life).UtcDateTime,
            Protocol = settings.Endpoint?.Scheme == Uri.UriSchemeHttp ? Protocol.HTTP : Protocol.HTTPS,
        };
        return CallAsync("sign for", _ => client.GetPreSignedURLAsync(request), cancel);
    }

    public async Task<BlobStart?> ReadStartAsync(string key, int most, CancellationToken cancel)
    {
        var name = NameOf(key);
        return await CallAsync<BlobStart?>("read from", async token =>
        {
            try
            {
                using var response = await client.GetObjectAsync(new() { BucketName = settings.Bucket, Key = name, ByteRange = new ByteRange(0, most - 1) }, token);
                var bytes = new byte[Math.Min(response.ContentLength, most)];
                await response.ResponseStream.ReadExactlyAsync(bytes, token);
                // bytes 0-9/100
                var whole = response.ContentRange?.Split('/') is [_, var text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : response.ContentLength;
                return new BlobStart(bytes, whole, response.ETag, response.Metadata[Note]);
            }
            catch (AmazonS3Exception e) when (S3Faults.IsMissing(e))
            {
                return null;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                // It is there and has no first byte. The answer to that says nothing else of it.
                return new BlobStart(default, 0, "", (await client.GetObjectMetadataAsync(new() { BucketName = settings.Bucket, Key = name }, token)).Metadata[Note]);
            }
        }, cancel);
    }

    public async Task<string> CopyAsync(string from, string version, string to, CancellationToken cancel)
    {
        var request = new CopyObjectRequest
        {
            SourceBucket = settings.Bucket,
            SourceKey = NameOf(from),
            DestinationBucket = settings.Bucket,
            DestinationKey = NameOf(to),
            ETagToMatch = version,
            ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
            // Nothing that a client has said of it goes with it.
            MetadataDirective = S3MetadataDirective.REPLACE,
        };
        var copied = await CallAsync("write to", async token =>
        {
            try
            {
                return await client.CopyObjectAsync(request, token);
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed || S3Faults.IsMissing(e))
            {
                throw new SpotterException(ErrorCodes.NotReady, "The upload was replaced or deleted while it was read; confirm it again.", e);
            }
        }, cancel);
        if (copied.ChecksumSHA256 is { Length: > 0 } sum && copied.ChecksumType != ChecksumType.COMPOSITE)
            return Convert.ToHexStringLower(Convert.FromBase64String(sum));
        // Not every server hashes what it copies.
        await using var content = await OpenAsync(to, cancel) ?? throw new SpotterException(ErrorCodes.NotReady, "The copy of the upload is not there; confirm it again.");
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
    }
}
