using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SQS.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>The queues, buckets and table of an earlier service at Amazon.</summary>
/// <param name="settings">Where they are.</param>
internal sealed class LegacyPost(AwsSettings settings) : ILegacyPost, IDisposable
{
    private const int MostAtOnce = 10;
    private const string Mark = "spotter";

    private readonly AwsClients clients = new(settings);
    private readonly ConcurrentDictionary<string, string> urls = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose() => clients.Dispose();

    public Task<IReadOnlyList<LegacyMessage>> ReceiveAsync(string queue, TimeSpan wait, CancellationToken cancel) => CallAsync<IReadOnlyList<LegacyMessage>>($"the SQS queue '{queue}'", async () =>
    {
        var answer = await clients.Sqs.ReceiveMessageAsync(
            new ReceiveMessageRequest(await UrlOf(queue, cancel))
            {
                MaxNumberOfMessages = MostAtOnce, WaitTimeSeconds = (int)Math.Min(wait.TotalSeconds, SqsQueues.LongPoll.TotalSeconds),
            },
            cancel);
        return [.. (answer.Messages ?? []).Select(m => new LegacyMessage(m.MessageId, m.Body, m.ReceiptHandle))];
    }, cancel);

    public Task DeleteAsync(string queue, LegacyMessage message, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
        await clients.Sqs.DeleteMessageAsync(new DeleteMessageRequest(await UrlOf(queue, cancel), message.Receipt), cancel), cancel);

    public Task SendAsync(string queue, string body, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
        await clients.Sqs.SendMessageAsync(new SendMessageRequest(await UrlOf(queue, cancel), body), cancel), cancel);

    public Task<LegacyObjectInfo?> FindAsync(string bucket, string key, CancellationToken cancel) => CallAsync<LegacyObjectInfo?>($"the S3 bucket '{bucket}'", async () =>
    {
        try
        {
            var found = await clients.S3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key }, cancel);
            return new LegacyObjectInfo(found.ETag, found.Metadata[Mark]);
        }
        catch (AmazonS3Exception missing) when (missing.ErrorCode is "NoSuchKey" or "NotFound")
        {
            return null;
        }
    }, cancel);

    public Task<LegacyObject?> GetAsync(string bucket, string key, long most, CancellationToken cancel) => CallAsync<LegacyObject?>($"the S3 bucket '{bucket}'", async () =>
    {
        try
        {
            using var found = await clients.S3.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = key }, cancel);
            if (found.ContentLength > most)
                throw new SpotterException(ErrorCodes.BodyTooLarge, string.Create(CultureInfo.InvariantCulture, $"The picture has {found.ContentLength} bytes, and {most} may have come; send a smaller one."));
            var bytes = new byte[found.ContentLength];
            await found.ResponseStream.ReadExactlyAsync(bytes, cancel);
            return new LegacyObject(new LegacyObjectInfo(found.ETag, found.Metadata[Mark]), bytes);
        }
        catch (AmazonS3Exception missing) when (missing.ErrorCode is "NoSuchKey" or "NotFound")
        {
            return null;
        }
    }, cancel);

    public Task PutAsync(string bucket, string key, ReadOnlyMemory<byte> content, string mediaType, string mark, CancellationToken cancel) => CallAsync($"the S3 bucket '{bucket}'", async () =>
    {
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        var request = new PutObjectRequest { BucketName = bucket, Key = key, InputStream = stream, ContentType = mediaType, AutoCloseStream = false };
        request.Metadata[Mark] = mark;
        return await clients.S3.PutObjectAsync(request, cancel);
    }, cancel);

    public Task PutRowAsync(string table, LegacyRow row, CancellationToken cancel) => CallAsync($"the DynamoDB table '{table}'", () =>
        clients.Dynamo.PutItemAsync(new PutItemRequest(table, ItemOf(row)), cancel), cancel);

    /// <summary>A row as the table has it.</summary>
    internal static Dictionary<string, AttributeValue> ItemOf(LegacyRow row)
    {
        var item = new Dictionary<string, AttributeValue>(StringComparer.Ordinal)
        {
            ["predictionId"] = new() { S = row.PredictionId },
            ["chatId"] = Number(row.ChatId),
            ["originalImgPath"] = new() { S = row.OriginalImgPath },
            ["predictedImgPath"] = new() { S = row.PredictedImgPath },
            ["labels"] = new()
            {
                IsLSet = true,
                L = [.. row.Labels.Select(l => new AttributeValue
                {
                    M = new(StringComparer.Ordinal) { ["class"] = new() { S = l.Class }, ["cx"] = Number(l.Cx), ["cy"] = Number(l.Cy), ["width"] = Number(l.Width), ["height"] = Number(l.Height) },
                })],
            },
            ["time"] = Number(row.Time),
        };
        if (row.Error is { } error)
            item["error"] = new() { S = error };
        return item;
    }

    private static AttributeValue Number(IFormattable number) => new() { N = number.ToString(null, CultureInfo.InvariantCulture) };

    /// <summary>The address of a queue, which may be said by its name.</summary>
    private async Task<string> UrlOf(string queue, CancellationToken cancel)
    {
        if (queue.StartsWith("https://", StringComparison.Ordinal) || queue.StartsWith("http://", StringComparison.Ordinal))
            return queue;
        if (!urls.TryGetValue(queue, out var url))
            urls[queue] = url = (await clients.Sqs.GetQueueUrlAsync(new GetQueueUrlRequest(queue), cancel)).QueueUrl;
        return url;
    }

    private async Task<T> CallAsync<T>(string what, Func<Task<T>> call, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            return await call();
        }
        catch (Exception error) when (AwsFaults.IsFault(error))
        {
            cancel.ThrowIfCancellationRequested();
            throw error switch
            {
                QueueDoesNotExistException or Amazon.DynamoDBv2.Model.ResourceNotFoundException or AmazonS3Exception { ErrorCode: "NoSuchBucket" } =>
                    Unavailable($"There is no {what["the ".Length..]}; make it, or correct its name or region (docs/compat-messages.md).", error),
                AmazonServiceException denied when AwsFaults.IsDenied(denied) => Unavailable($"The role or user may not use {what} as is needed; see the permissions in docs/compat-messages.md.", cause: null),
                AmazonServiceException { StatusCode: > default(HttpStatusCode) } refused when !AwsFaults.IsOfCredentials(refused) => Unavailable($"A request to {what} failed ({CodeOf(refused)}).", error),
                _ => clients.Faults.ToRefusal(error),
            };
        }
    }

    private static string CodeOf(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= 64 } code && code.All(char.IsAsciiLetterOrDigit) ? code : $"status {(int)error.StatusCode}";

    private static SpotterException Unavailable(string message, Exception? cause) => new(ErrorCodes.StoreUnavailable, message, cause);
}
