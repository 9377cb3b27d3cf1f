using Amazon;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.S3;

/// <summary>An SQS queue to which the bucket sends its events.</summary>
internal sealed class UploadQueue : IUploadEvents, IDisposable
{
    private const int LongPollSeconds = 20;
    private const int VisibilitySeconds = 60;
    private const int MostAtOnce = 10;

    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(3);

    private readonly string queue;
    private readonly S3Settings bucket;
    private readonly AmazonSQSClient client;
    private string? url;

    /// <summary>Uses a queue; nothing is sent yet.</summary>
    /// <param name="queue">Its name, or its URL.</param>
    /// <param name="bucket">The bucket.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: no region is known.</exception>
    public UploadQueue(string queue, S3Settings bucket)
    {
        (this.queue, this.bucket) = (queue, bucket);
        var config = new AmazonSQSConfig
        {
            HttpClientFactory = new AwsHttpClients(LongestConnect),
            RetryMode = RequestRetryMode.Standard,
            Timeout = bucket.Patience + TimeSpan.FromSeconds(LongPollSeconds),
        };
        if (bucket.Region is { } region)
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        if (Uri.TryCreate(queue, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            url = queue;
            config.ServiceURL = address!.GetLeftPart(UriPartial.Authority);
            // sqs.eu-central-1.amazonaws.com
            config.AuthenticationRegion = bucket.Region ?? (address.Host.Split('.') is ["sqs", var named, "amazonaws", ..] ? named : FallbackRegionFactory.GetRegionEndpoint()?.SystemName ?? "us-east-1");
        }
        try
        {
            client = bucket.Credentials is { } credentials ? new AmazonSQSClient(credentials, config) : new AmazonSQSClient(config);
        }
        catch (AmazonClientException e)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"No region is known for the queue {queue}; name it with --s3-region or AWS_REGION, or give the queue's URL.", e);
        }
    }

    public async Task<IReadOnlyList<UploadEvent>> ReceiveAsync(CancellationToken cancel)
    {
        var from = await UrlAsync(cancel);
        var received = await CallAsync(() => client.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = from, MaxNumberOfMessages = MostAtOnce, WaitTimeSeconds = LongPollSeconds, VisibilityTimeout = VisibilitySeconds }, cancel), cancel);
        return
        [
            .. (received.Messages ?? []).Select(m => S3Event.UploadsIn(m.Body ?? "", bucket.Bucket, bucket.Prefix) is { } uploads
                ? new UploadEvent(uploads, m.ReceiptHandle)
                : new UploadEvent([], m.ReceiptHandle) { IsOdd = true }),
        ];
    }

    public async Task DeleteAsync(IReadOnlyList<UploadEvent> events, CancellationToken cancel)
    {
        if (events.Count == 0)
            return;
        var from = await UrlAsync(cancel);
        await CallAsync(() => client.DeleteMessageBatchAsync(
            new DeleteMessageBatchRequest { QueueUrl = from, Entries = [.. events.Select((e, i) => new DeleteMessageBatchRequestEntry { Id = $"m{i}", ReceiptHandle = e.Receipt })] }, cancel), cancel);
    }

    public void Dispose() => client.Dispose();

    private async Task<string> UrlAsync(CancellationToken cancel) =>
        url ??= (await CallAsync(() => client.GetQueueUrlAsync(queue, cancel), cancel)).QueueUrl;

    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (S3Faults.IsFault(e) && !cancel.IsCancellationRequested)
        {
            var code = e is AmazonServiceException { ErrorCode: { Length: > 0 and <= 64 } named } && named.All(char.IsAsciiLetterOrDigit) ? named : "no answer";
            throw new SpotterException(ErrorCodes.StoreUnavailable,
                $"Events about uploads can't be read from the SQS queue {queue} ({code}); make it, or correct --upload-events, and allow sqs:GetQueueUrl, sqs:ReceiveMessage and sqs:DeleteMessage.");
        }
    }
}
