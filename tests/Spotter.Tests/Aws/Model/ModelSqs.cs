using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>All queues.</summary>
internal sealed class ModelQueues(ModelCloud cloud, int mostInFlight)
{
    private readonly SortedDictionary<string, ModelQueue> queues = new(StringComparer.Ordinal);

    public IEnumerable<ModelQueue> All => queues.Values;

    public ModelQueue? Find(string name) => queues.GetValueOrDefault(name);

    public ModelQueue Of(string name) => queues.TryGetValue(name, out var there) ? there : queues[name] = new ModelQueue(name, cloud, mostInFlight);
}

/// <summary>SQS in memory, as one process sees it: the calls that the store makes, and no others.</summary>
internal sealed class ModelSqs(ModelCloud cloud, ModelQueues queues, ModelProcess process)
    : AmazonSQSClient(new AnonymousAWSCredentials(), new AmazonSQSConfig { RegionEndpoint = RegionEndpoint.EUCentral1 })
{
    public override Task<GetQueueUrlResponse> GetQueueUrlAsync(string queueName, CancellationToken cancellationToken = default) => Call(() =>
        queues.Find(queueName) is { } queue ? new GetQueueUrlResponse { QueueUrl = queue.Name } : throw new QueueDoesNotExistException("no such queue"));

    public override Task<CreateQueueResponse> CreateQueueAsync(CreateQueueRequest request, CancellationToken cancellationToken = default) =>
        Call(() => new CreateQueueResponse { QueueUrl = queues.Of(request.QueueName).Name });

    public override Task<SendMessageBatchResponse> SendMessageBatchAsync(SendMessageBatchRequest request, CancellationToken cancellationToken = default)
    {
        if (!process.IsDead)
            request.Entries.ForEach(entry => cloud.Oracle.Sent(JobId.Parse(entry.MessageBody)));
        return Call(() => new SendMessageBatchResponse
        {
            Failed = Each(request.QueueUrl, request.Entries, e => e.Id, (queue, entry) =>
            {
                queue.Send(entry.MessageBody, entry.DelaySeconds ?? 0);
                return true;
            }),
        });
    }

    public override async Task<ReceiveMessageResponse> ReceiveMessageAsync(ReceiveMessageRequest request, CancellationToken cancellationToken = default)
    {
        var until = cloud.Now + TimeSpan.FromSeconds(request.WaitTimeSeconds ?? 0);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var answer = await Call(() => Receive(request));
            if (answer.Messages.Count > 0 || cloud.Now >= until)
                return answer;
            await Task.Delay(TimeSpan.FromSeconds(1), cloud.Clock, cancellationToken);
        }
    }

    public override Task<DeleteMessageBatchResponse> DeleteMessageBatchAsync(DeleteMessageBatchRequest request, CancellationToken cancellationToken = default) => Call(() => new DeleteMessageBatchResponse
    {
        Failed = Each(request.QueueUrl, request.Entries, e => e.Id, (queue, entry) =>
        {
            queue.Delete(entry.ReceiptHandle);
            return true;
        }),
    });

    public override Task<ChangeMessageVisibilityBatchResponse> ChangeMessageVisibilityBatchAsync(
        ChangeMessageVisibilityBatchRequest request, CancellationToken cancellationToken = default) => Call(() => new ChangeMessageVisibilityBatchResponse
        {
            Failed = Each(request.QueueUrl, request.Entries, e => e.Id, (queue, entry) => queue.Change(entry.ReceiptHandle, entry.VisibilityTimeout ?? 0)),
        });

    public override Task<GetQueueAttributesResponse> GetQueueAttributesAsync(GetQueueAttributesRequest request, CancellationToken cancellationToken = default) => Call(() =>
    {
        // They are called approximate.
        var count = QueueOf(request.QueueUrl).Count;
        var told = cloud.Faults.NothingFound > 0 ? (int)(count * cloud.Between(0.95, 1.05)) : count;
        return new GetQueueAttributesResponse
        {
            Attributes = new(StringComparer.Ordinal) { ["ApproximateNumberOfMessages"] = $"{told}", ["ApproximateNumberOfMessagesDelayed"] = "0" },
        };
    });

    private ReceiveMessageResponse Receive(ReceiveMessageRequest request)
    {
        var (queue, isShort) = (QueueOf(request.QueueUrl), request.WaitTimeSeconds is null or 0);
        if (queue.HasLimitReached)
        {
            queue.NoteOverLimit();
            // A long poll is answered as if there was nothing.
            return isShort ? throw new OverLimitException("too many messages are in flight") { ErrorCode = "OverLimit", StatusCode = HttpStatusCode.Forbidden } : new() { Messages = [] };
        }
        if (isShort && cloud.Chance(cloud.Faults.NothingFound))
            return new() { Messages = [] };
        var received = queue.Receive(1 + cloud.Below(request.MaxNumberOfMessages ?? 1), request.VisibilityTimeout ?? 60);
        return new() { Messages = received.ConvertAll(r => new Message { Body = r.Body, ReceiptHandle = r.Handle }) };
    }

    private List<BatchResultErrorEntry> Each<T>(string url, List<T> entries, Func<T, string> idOf, Func<ModelQueue, T, bool> apply)
    {
        if (entries.Count > 10)
            cloud.Oracle.Violated($"a batch of {entries.Count} messages");
        var queue = QueueOf(url);
        return [.. entries.Where(entry => cloud.Chance(cloud.Faults.EntryFailed) || !apply(queue, entry)).Select(entry => new BatchResultErrorEntry { Id = idOf(entry), Code = "InternalError" })];
    }

    private ModelQueue QueueOf(string url) => queues.Find(url) ?? throw new QueueDoesNotExistException("no such queue");

    private Task<T> Call<T>(Func<T> apply) =>
        cloud.CallAsync(process, apply, () => new AmazonSQSException("unavailable") { ErrorCode = "ServiceUnavailable", StatusCode = HttpStatusCode.ServiceUnavailable });
}
