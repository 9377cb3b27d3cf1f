using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.SQS;
using Amazon.SQS.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Where jobs wait together: one SQS queue.</summary>
/// <param name="Queue">The queue (<see cref="QueueNames"/>).</param>
/// <param name="Priority">The level of priority.</param>
internal readonly record struct SqsLine(string Queue, JobPriority Priority);

/// <summary>A message that was received.</summary>
/// <param name="Job">The job that it names.</param>
/// <param name="Receipt">What changes or deletes it.</param>
internal sealed record SqsDelivery(JobId Job, SqsReceipt Receipt);

/// <summary>What changes or deletes a message that was received.</summary>
/// <param name="Line">Its queue.</param>
/// <param name="Handle">The receipt handle.</param>
internal sealed record SqsReceipt(SqsLine Line, string Handle)
{
    /// <summary>As a lease carries it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(int)Line.Priority}|{Handle}");

    /// <summary>From a lease; null when it has none.</summary>
    public static SqsReceipt? Of(Lease lease) =>
        lease.Receipt is { Length: > 2 } text && text[1] == '|' && int.TryParse(text.AsSpan(0, 1), NumberStyles.None, CultureInfo.InvariantCulture, out var priority)
            ? new(new(lease.Queue, (JobPriority)priority), text[2..])
            : null;
}

/// <summary>
/// The queues: one for each queue of jobs and level of priority. Messages name jobs and nothing else; they may come twice, late, or
/// never, as the rows know better. Calls of the same kind that come together are sent ten at a time.
/// </summary>
internal sealed class SqsQueues(IAmazonSQS client, AwsFaults faults, AwsSettings settings, Pace pace)
{
    /// <summary>How long a receive waits for a message, at most.</summary>
    public static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);

    /// <summary>For so long a message that was received is hidden.</summary>
    public static readonly TimeSpan Visibility = TimeSpan.FromSeconds(60);

    /// <summary>No message can be sent with a longer delay.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(900);

    private static readonly TimeSpan LongestVisibility = TimeSpan.FromHours(12);

    /// <summary>Messages in one call.</summary>
    public const int MostAtOnce = 10;

    private const int LongestName = 80;

    /// <summary>Nobody waits for a message to be hidden or deleted, and ten cost as much as one.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<SqsLine, Task<string>> urls = new();
    private readonly ConcurrentDictionary<SqsLine, Batchers> batchers = new();

    private sealed record Batchers(
        Batcher<(JobId Job, int Delay), bool> Sends, Batcher<(string Handle, int Seconds), bool> Hides, Batcher<string, bool> Deletes)
    {
        public Task StopAsync() => Task.WhenAll(Sends.StopAsync(), Hides.StopAsync(), Deletes.StopAsync());
    }

    /// <summary>The name of a line's queue: letters, digits, hyphens and underscores, at most 80.</summary>
    public static string NameOf(string prefix, SqsLine line)
    {
        var (queue, priority) = (line.Queue, EnumNames.Of(line.Priority));
        var plain = string.Concat(queue.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
        var name = $"{prefix}-{plain}-{priority}";
        // A slash is what all have; of other changes the name has to tell.
        if (plain == queue.Replace('/', '_') && name.Length <= LongestName)
            return name;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(queue)))[..12];
        var room = LongestName - prefix.Length - priority.Length - hash.Length - 3;
        return $"{prefix}-{plain[..Math.Min(plain.Length, room)]}-{hash}-{priority}";
    }

    /// <summary>Makes sure that there is a queue, once: a job whose messages nobody can send is better not accepted.</summary>
    /// <exception cref="SpotterException">There is none.</exception>
    public Task CheckAsync(SqsLine line) => UrlOf(line);

    /// <summary>Sends a message about a job.</summary>
    /// <exception cref="SpotterException">SQS did not take it, or can't be asked.</exception>
    public async Task SendAsync(SqsLine line, JobId job, TimeSpan delay)
    {
        if (!await For(line).Sends.RunAsync((job, Seconds(delay, LongestDelay)), CancellationToken.None))
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"SQS took other messages and not that about job {job}; it is sent again later.");
    }

    /// <summary>Receives messages; waits until there is one, or for so long.</summary>
    public async Task<List<SqsDelivery>> ReceiveAsync(SqsLine line, int most, TimeSpan wait, CancellationToken cancel)
    {
        var url = await UrlOf(line);
        var request = new ReceiveMessageRequest(url)
        {
            MaxNumberOfMessages = Math.Clamp(most, 1, MostAtOnce), WaitTimeSeconds = (int)wait.TotalSeconds, VisibilityTimeout = (int)Visibility.TotalSeconds,
        };
        var answer = await faults.CallAsync(() => client.ReceiveMessageAsync(request, cancel), cancel);
        var deliveries = new List<SqsDelivery>();
        foreach (var message in answer.Messages ?? [])
        {
            var receipt = new SqsReceipt(line, message.ReceiptHandle);
            if (JobId.TryParse(message.Body, out var job))
                deliveries.Add(new(job, receipt));
            else
                Forget(DeleteAsync(receipt));
        }
        return deliveries;
    }

    /// <summary>Has a message come again after a time, unless it is deleted.</summary>
    public async Task HideAsync(SqsReceipt receipt, TimeSpan time) => await For(receipt.Line).Hides.RunAsync((receipt.Handle, Seconds(time, LongestVisibility)), CancellationToken.None);

    /// <summary>Deletes a message.</summary>
    public async Task DeleteAsync(SqsReceipt receipt) => await For(receipt.Line).Deletes.RunAsync(receipt.Handle, CancellationToken.None);

    /// <summary>About how many messages there are to be received, now or after a delay.</summary>
    public async Task<long> CountAsync(SqsLine line, CancellationToken cancel)
    {
        var url = await UrlOf(line);
        var answer = await faults.CallAsync(() => client.GetQueueAttributesAsync(new GetQueueAttributesRequest
        {
            QueueUrl = url, AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
        }, cancel), cancel);
        return (long)answer.ApproximateNumberOfMessages + answer.ApproximateNumberOfMessagesDelayed;
    }

    /// <summary>What is lost when this fails is made good by a later message: nobody has to hear of it.</summary>
    public static void Forget(Task task) =>
        _ = task.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Does what waits, and takes nothing more.</summary>
    public Task StopAsync() => Task.WhenAll(batchers.Values.Select(b => b.StopAsync()));

    private static int Seconds(TimeSpan time, TimeSpan most) => (int)Math.Ceiling(Math.Clamp(time.TotalSeconds, 0, most.TotalSeconds));

    private Batchers For(SqsLine line) => batchers.GetOrAdd(line, _ => new(
        new(some => SendAllAsync(line, some), faults.OfBatches, MostAtOnce, default, pace),
        new(some => HideAllAsync(line, some), faults.OfBatches, MostAtOnce, Gather, pace),
        new(some => DeleteAllAsync(line, some), faults.OfBatches, MostAtOnce, Gather, pace)));

    private async Task<bool[]> SendAllAsync(SqsLine line, IReadOnlyList<(JobId Job, int Delay)> some)
    {
        var url = await UrlOf(line);
        var answer = await faults.CallAsync(() => client.SendMessageBatchAsync(new SendMessageBatchRequest(url,
            [.. some.Select((s, i) => new SendMessageBatchRequestEntry(Id(i), s.Job.Value) { DelaySeconds = s.Delay })])), CancellationToken.None);
        return Answers(some.Count, answer.Failed);
    }

    private async Task<bool[]> HideAllAsync(SqsLine line, IReadOnlyList<(string Handle, int Seconds)> some)
    {
        var url = await UrlOf(line);
        var answer = await faults.CallAsync(() => client.ChangeMessageVisibilityBatchAsync(new ChangeMessageVisibilityBatchRequest(url,
            [.. some.Select((s, i) => new ChangeMessageVisibilityBatchRequestEntry(Id(i), s.Handle) { VisibilityTimeout = s.Seconds })])), CancellationToken.None);
        return Answers(some.Count, answer.Failed);
    }

    private async Task<bool[]> DeleteAllAsync(SqsLine line, IReadOnlyList<string> some)
    {
        var url = await UrlOf(line);
        var answer = await faults.CallAsync(() => client.DeleteMessageBatchAsync(new DeleteMessageBatchRequest(url,
            [.. some.Select((handle, i) => new DeleteMessageBatchRequestEntry(Id(i), handle))])), CancellationToken.None);
        return Answers(some.Count, answer.Failed);
    }

    private static string Id(int index) => index.ToString(CultureInfo.InvariantCulture);

    private static bool[] Answers(int count, List<BatchResultErrorEntry>? failed)
    {
        var answers = Enumerable.Repeat(true, count).ToArray();
        foreach (var entry in failed ?? [])
            answers[int.Parse(entry.Id, CultureInfo.InvariantCulture)] = false;
        return answers;
    }

    private async Task<string> UrlOf(SqsLine line)
    {
        var asking = urls.GetOrAdd(line, FindAsync);
        try
        {
            return await asking;
        }
        catch
        {
            // It may be there the next time.
            urls.TryRemove(new(line, asking));
            throw;
        }
    }

    private async Task<string> FindAsync(SqsLine line)
    {
        var name = NameOf(settings.Queues, line);
        try
        {
            return (await client.GetQueueUrlAsync(name)).QueueUrl;
        }
        catch (QueueDoesNotExistException) when (settings.Creates)
        {
            return (await faults.CallAsync(() => client.CreateQueueAsync(new CreateQueueRequest(name) { Attributes = AwsSchema.QueueAttributes }), CancellationToken.None)).QueueUrl;
        }
        catch (QueueDoesNotExistException)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"There is no SQS queue '{name}'; make it with deploy/aws/up, or correct --aws-queues or --aws-region.");
        }
        catch (Exception error) when (AwsFaults.IsFault(error))
        {
            throw faults.ToRefusal(error);
        }
    }
}
