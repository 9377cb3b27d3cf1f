using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>One call that takes an id: a unit of work at first, and then, when there was none, somebody in line.</summary>
internal sealed class QueueWaiter : WriteWork
{
    private readonly TaskCompletionSource<Delivery?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<WriteScope, QueueWaiter> take;
    private readonly CancellationToken cancel;
    private ITimer? timer;

    public QueueWaiter(
        Action<WriteScope, QueueWaiter> take, IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel)
    {
        this.take = take;
        this.cancel = cancel;
        Queues = queues;
        Hold = hold;
        Wait = wait;
        Rank = rank;
        AnswersEarly = true;
    }

    public IReadOnlyCollection<string> Queues { get; }

    public TimeSpan Hold { get; }

    public TimeSpan Wait { get; }

    public Func<long> Rank { get; }

    public Task<Delivery?> Answered => answer.Task;

    /// <summary>True once it has its answer, or no longer wants one.</summary>
    public bool IsOver => answer.Task.IsCompleted;

    public override bool DropIfCancelled() => cancel.IsCancellationRequested && answer.TrySetCanceled(cancel);

    public override void Run(WriteScope scope) => take(scope, this);

    /// <summary>Its answer is an id, which may come later than the work is done.</summary>
    public override void Answer()
    {
    }

    public override void Fail(Exception error)
    {
        timer?.Dispose();
        answer.TrySetException(error);
    }

    /// <summary>False when the caller has gone, so that the id is still there for others.</summary>
    public bool TryDeliver(Delivery? delivery)
    {
        timer?.Dispose();
        return answer.TrySetResult(delivery);
    }

    /// <summary>The caller wants nothing any more.</summary>
    public void GiveUp()
    {
        timer?.Dispose();
        answer.TrySetCanceled(cancel);
    }

    /// <summary>Begins to wait.</summary>
    public void StartWaiting(TimeProvider clock)
    {
        if (Wait != Timeout.InfiniteTimeSpan)
            timer = clock.CreateTimer(static state => ((QueueWaiter)state!).TryDeliver(null), this, Wait, Timeout.InfiniteTimeSpan);
    }
}
