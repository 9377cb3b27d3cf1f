using System.Runtime.CompilerServices;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.S3;

/// <summary>
/// Blobs as objects of a bucket, at Amazon or at any server that speaks S3. An object is there whole or not at all, by
/// the nature of S3; a large one is sent in parts, and becomes visible with the last.
/// </summary>
internal sealed partial class S3BlobStore : IBlobStore, IDisposable
{
    // Not among the pictures: a place that has none yet is to look empty.
    private const string CheckKey = "spotter-check";

    /// <summary>The smallest part that S3 takes, and so the most of one blob that is held in memory.</summary>
    public const int PartBytes = 5 * 1024 * 1024;

    // Parts of an upload whose process died are paid for until somebody drops them; no upload takes this long.
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(3);
    private const int Retries = 2;

    private readonly S3Settings settings;
    private readonly S3Faults faults;
    private readonly TimeProvider clock;
    private readonly AmazonS3Client client;

    /// <summary>Uses a bucket; nothing is sent yet.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: no region is known.</exception>
    public S3BlobStore(S3Settings settings, TimeProvider clock)
    {
        this.settings = settings;
        this.clock = clock;
        faults = new S3Faults(settings);
#pragma warning disable RS0030 // Its connections come from Outgoing.
        var config = new AmazonS3Config
        {
            HttpClientFactory = new AwsHttpClients(LongestConnect),
            MaxErrorRetry = Retries,
            RetryMode = RequestRetryMode.Standard,
            // Checksums that came late to S3 are unknown to many servers; what was sent is hashed by the signature anyway.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
#pragma warning restore RS0030
        if (settings.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = settings.Region ?? Environment.GetEnvironmentVariable("AWS_REGION") ?? "us-east-1";
            config.ForcePathStyle = true;
        }
        else if (settings.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        try
        {
            client = settings.Credentials is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config);
        }
        catch (AmazonClientException e)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"No region is known for bucket {settings.Bucket}; name it with --s3-region or AWS_REGION.", e);
        }
    }

    /// <summary>Makes sure that blobs can be listed and read, and changes nothing.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: they can't.</exception>
    public async Task ProbeAsync(CancellationToken cancel)
    {
        await ListOneAsync(cancel);
        await using var none = await OpenAsync(CheckKey, cancel);
    }

    /// <summary>
    /// Makes sure that blobs can be listed, written, read and deleted, and drops uploads that nobody will end.
    /// </summary>
    /// <returns>What is wrong but may pass by itself; null if all is well.</returns>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: it won't work until somebody puts it right.</exception>
    public async Task<string?> CheckAsync(CancellationToken cancel)
    {
        try
        {
            await ListOneAsync(cancel);
            await PutAsync(CheckKey, new MemoryStream([1]), cancel);
            await using (await OpenAsync(CheckKey, cancel))
            {
                // That it can be opened says enough, also that there is none: several may check at once.
            }
            await DeleteAsync(CheckKey, cancel);
            return null;
        }
        catch (SpotterException refused) when (refused.InnerException is { } cause && S3Faults.IsPassing(cause))
        {
            return refused.Message;
        }
    }

    private Task ListOneAsync(CancellationToken cancel) =>
        CallAsync("list", token => client.ListObjectsV2Async(new() { BucketName = settings.Bucket, Prefix = NameOf(CheckKey), MaxKeys = 1 }, token), cancel);

    public async Task PutAsync(string key, Stream content, CancellationToken cancel)
    {
        var name = NameOf(key);
        // What the sender's stream throws is the sender's affair; only the server's side becomes a refusal.
        await using var part = new PartBuffer();
        await part.FillAsync(content, PartBytes, cancel);
        if (part.Length < PartBytes)
            await CallAsync("write to", token => PutWholeAsync(name, part, token), cancel);
        else
            await PutInPartsAsync(name, part, content, cancel);
    }

    public async Task<Stream?> OpenAsync(string key, CancellationToken cancel)
    {
        var name = NameOf(key);
        var response = await CallAsync<GetObjectResponse?>("read from", async token =>
        {
            try
            {
                return await client.GetObjectAsync(new() { BucketName = settings.Bucket, Key = name }, token);
            }
            catch (AmazonS3Exception e) when (S3Faults.IsMissing(e))
            {
                return null;
            }
        }, cancel);
        return response is null ? null : new BlobReader(response, settings, faults, clock);
    }

    public async Task DeleteAsync(string key, CancellationToken cancel)
    {
        var name = NameOf(key);
        await CallAsync("delete from", async token =>
        {
            try
            {
                await client.DeleteObjectAsync(new() { BucketName = settings.Bucket, Key = name }, token);
            }
            catch (AmazonS3Exception e) when (S3Faults.IsMissing(e))
            {
                // S3 says nothing of it; some servers do.
            }
            return true;
        }, cancel);
    }

    public async IAsyncEnumerable<string> ListAsync(
        string prefix, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancel)
    {
        var request = new ListObjectsV2Request { BucketName = settings.Bucket, Prefix = settings.Prefix + prefix };
        ListObjectsV2Response page;
        do
        {
            page = await CallAsync("list", token => client.ListObjectsV2Async(request, token), cancel);
            foreach (var found in page.S3Objects ?? [])
            {
                // The bucket may hold what is not ours.
                if (found.Key.StartsWith(request.Prefix, StringComparison.Ordinal) && found.LastModified is { } written
                    && new DateTimeOffset(written.ToUniversalTime()) < before
                    && found.Key[settings.Prefix.Length..] is var key && BlobKey.IsValid(key))
                {
                    yield return key;
                }
            }
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true && request.ContinuationToken is not null);
    }

    public void Dispose() => client.Dispose();

    private async Task<bool> PutWholeAsync(string name, PartBuffer whole, CancellationToken cancel)
    {
        await client.PutObjectAsync(new()
        {
            BucketName = settings.Bucket,
            Key = name,
            InputStream = whole,
            AutoCloseStream = false,
            AutoResetStreamPosition = true,
            // The signature then holds a hash of all bytes, which the server checks.
            UseChunkEncoding = false,
        }, cancel);
        return true;
    }

    private async Task PutInPartsAsync(string name, PartBuffer part, Stream content, CancellationToken cancel)
    {
        var begun = await CallAsync("write to", token => client.InitiateMultipartUploadAsync(new() { BucketName = settings.Bucket, Key = name }, token), cancel);
        try
        {
            var sent = new List<PartETag>();
            do
            {
                var number = sent.Count + 1;
                var response = await CallAsync("write to", token => client.UploadPartAsync(new()
                {
                    BucketName = settings.Bucket,
                    Key = name,
                    UploadId = begun.UploadId,
                    PartNumber = number,
                    PartSize = part.Length,
                    InputStream = part,
                    UseChunkEncoding = false,
                }, token), cancel);
                sent.Add(new PartETag(number, response.ETag));
                await part.FillAsync(content, PartBytes, cancel);
            }
            while (part.Length > 0);
            await CallAsync("write to", token => client.CompleteMultipartUploadAsync(
                new() { BucketName = settings.Bucket, Key = name, UploadId = begun.UploadId, PartETags = sent }, token), cancel);
        }
        catch
        {
            await DropQuietlyAsync(name, begun.UploadId);
            throw;
        }
    }

    public async Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel)
    {
        try
        {
            var request = new ListMultipartUploadsRequest { BucketName = settings.Bucket, Prefix = settings.Prefix };
            var uploads = await CallAsync("list", token => client.ListMultipartUploadsAsync(request, token), cancel);
            foreach (var upload in uploads.MultipartUploads ?? [])
            {
                if (upload.Initiated is { } begun && new DateTimeOffset(begun.ToUniversalTime()) < before)
                    await DropQuietlyAsync(upload.Key, upload.UploadId);
            }
        }
        catch (SpotterException)
        {
            // Not every server can, and not everyone may; it costs a little room.
        }
    }

    private async Task DropQuietlyAsync(string name, string upload)
    {
        try
        {
            await CallAsync("delete from", token => client.AbortMultipartUploadAsync(
                new() { BucketName = settings.Bucket, Key = name, UploadId = upload }, token), CancellationToken.None);
        }
        catch (SpotterException)
        {
            // Dropped when unfinished ones are next looked for.
        }
    }

    /// <summary>Calls the server, within the time that a call may take.</summary>
    private async Task<T> CallAsync<T>(string what, Func<CancellationToken, Task<T>> call, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(settings.Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            return await call(either.Token);
        }
        catch (Exception e) when (S3Faults.IsFault(e) && !cancel.IsCancellationRequested)
        {
            throw limit.IsCancellationRequested ? faults.TooSlow(what, e) : faults.Refusal(what, e);
        }
        catch (Exception e) when (cancel.IsCancellationRequested && e is not OperationCanceledException && S3Faults.IsFault(e))
        {
            throw new OperationCanceledException("The call was cancelled.", e, cancel);
        }
    }

    private string NameOf(string key) =>
        BlobKey.IsValid(key) ? settings.Prefix + key : throw new ArgumentException("This is not a key of a blob.", nameof(key));
}
