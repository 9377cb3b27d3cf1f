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
    private const string SentAt = "SentTimestamp";
    private const string Receives = "ApproximateReceiveCount";
    private const string DeadLetters = "RedrivePolicy";

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
                MessageAttributeNames = ["All"], MessageSystemAttributeNames = [SentAt, Receives],
            },
            cancel);
        return [.. (answer.Messages ?? []).Select(MessageOf)];
    }, cancel);

    public Task ReturnAsync(string queue, LegacyMessage message, TimeSpan after, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
        await clients.Sqs.ChangeMessageVisibilityAsync(await UrlOf(queue, cancel), message.Receipt, (int)after.TotalSeconds, cancel), cancel);

    public Task DeleteAsync(string queue, LegacyMessage message, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
        await clients.Sqs.DeleteMessageAsync(new DeleteMessageRequest(await UrlOf(queue, cancel), message.Receipt), cancel), cancel);

    public Task<string> SendAsync(string queue, string body, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
        (await clients.Sqs.SendMessageAsync(new SendMessageRequest(await UrlOf(queue, cancel), body), cancel)).MessageId, cancel);

    public Task<bool> HasDeadLettersAsync(string queue, CancellationToken cancel) => CallAsync($"the SQS queue '{queue}'", async () =>
    {
        try
        {
            return (await clients.Sqs.GetQueueAttributesAsync(await UrlOf(queue, cancel), [DeadLetters], cancel)).Attributes?.ContainsKey(DeadLetters) == true;
        }
        catch (AmazonServiceException denied) when (AwsFaults.IsDenied(denied))
        {
            return false;
        }
    }, cancel);

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
        clients.Dynamo.PutItemAsync(new PutItemRequest(table, LegacyRows.ItemOf(row)), cancel), cancel);

    public Task<IReadOnlyList<LegacyLabel>?> FindLabelsAsync(string table, string predictionId, CancellationToken cancel) => CallAsync($"the DynamoDB table '{table}'", async () =>
    {
        var found = await clients.Dynamo.GetItemAsync(new GetItemRequest(table, LegacyRows.KeyOf(predictionId)), cancel);
        return found.Item is { Count: > 0 } item ? LegacyRows.LabelsOf(item) : null;
    }, cancel);

    public async Task CheckAsync(LegacyPart part, CancellationToken cancel)
    {
        try
        {
            Task look = part.Kind switch
            {
                LegacyPartKind.Queue => CallAsync($"the SQS queue '{part.Name}'", () => clients.Sqs.GetQueueUrlAsync(AskFor(part.Name), cancel), cancel),
                LegacyPartKind.Bucket => CallAsync($"the S3 bucket '{part.Name}'", () => clients.S3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = part.Name, MaxKeys = 1 }, cancel), cancel),
                LegacyPartKind.Table => CallAsync<bool>($"the DynamoDB table '{part.Name}'", async () =>
                {
                    try
                    {
                        // Tries the right to write by a write that fails, even if a row should have this key.
                        await clients.Dynamo.PutItemAsync(
                            new PutItemRequest(part.Name, LegacyRows.NoKey) { ConditionExpression = $"attribute_exists({LegacyRows.Key}) AND attribute_not_exists({LegacyRows.Key})" }, cancel);
                    }
                    catch (ConditionalCheckFailedException)
                    {
                        // As it was meant to.
                    }
                    return true;
                }, cancel),
                LegacyPartKind.ReadTable => FindLabelsAsync(part.Name, LegacyRows.None, cancel),
                _ => throw new ArgumentOutOfRangeException(nameof(part)),
            };
            await look;
        }
        catch (SpotterException wrong) when (IsLasting(wrong.InnerException))
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, wrong.Message, wrong.InnerException);
        }
    }

    private static LegacyMessage MessageOf(Message message) => new(message.MessageId, message.Body, message.ReceiptHandle)
    {
        Sent = message.Attributes?.GetValueOrDefault(SentAt) is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sent) ? DateTimeOffset.FromUnixTimeMilliseconds(sent) : default,
        Received = int.TryParse(message.Attributes?.GetValueOrDefault(Receives), NumberStyles.None, CultureInfo.InvariantCulture, out var received) ? received : 0,
        Attributes = (message.MessageAttributes ?? []).Where(a => a.Value.StringValue is not null).ToDictionary(a => a.Key, a => a.Value.StringValue, StringComparer.Ordinal),
    };

    /// <summary>Asks for a queue by its name; an address ends in the owner's account and the name.</summary>
    private static GetQueueUrlRequest AskFor(string queue) => IsAddress(queue) && queue.TrimEnd('/').Split('/') is [.., var owner, var name]
        ? new GetQueueUrlRequest(name) { QueueOwnerAWSAccountId = owner }
        : new GetQueueUrlRequest(queue);

    private static bool IsAddress(string queue) => queue.StartsWith("https://", StringComparison.Ordinal) || queue.StartsWith("http://", StringComparison.Ordinal);

    /// <summary>True for what is the same until somebody changes it.</summary>
    private static bool IsLasting(Exception? error) =>
        error is QueueDoesNotExistException or Amazon.DynamoDBv2.Model.ResourceNotFoundException or AmazonS3Exception { ErrorCode: "NoSuchBucket" }
        || (error is AmazonServiceException denied && AwsFaults.IsDenied(denied));

    /// <summary>The address of a queue, which may be said by its name.</summary>
    private async Task<string> UrlOf(string queue, CancellationToken cancel)
    {
        if (IsAddress(queue))
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
                AmazonServiceException denied when AwsFaults.IsDenied(denied) => Unavailable($"The role or user may not use {what} as is needed; see the permissions in docs/compat-messages.md.", denied),
                AmazonServiceException { StatusCode: > default(HttpStatusCode) } refused when !AwsFaults.IsOfCredentials(refused) => Unavailable($"A request to {what} failed ({CodeOf(refused)}).", error),
                _ => clients.Faults.ToRefusal(error),
            };
        }
    }

    private static string CodeOf(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= 64 } code && code.All(char.IsAsciiLetterOrDigit) ? code : $"status {(int)error.StatusCode}";

    private static SpotterException Unavailable(string message, Exception? cause) => new(ErrorCodes.StoreUnavailable, message, cause);
}
