using Spotter.Core;

namespace Spotter.Backends;

/// <summary>
/// Gathers the calls that come while a statement is on its way and sends them together as the next one: alone when
/// there is little to do, hundreds at a time when there is much, with no waiting in between.
/// </summary>
/// <param name="run">Does the work of all items with one statement; the answers are in the order of the items.</param>
/// <param name="faults">What the server's errors mean.</param>
/// <param name="largest">Items in one statement.</param>
/// <param name="gather">
/// Where each statement costs money and nobody waits for its answer: for so long more calls are waited for, unless there are enough.
/// </param>
/// <param name="pace">How it waits and runs; real when null.</param>
internal sealed class Batcher<TItem, TAnswer>(
    Func<IReadOnlyList<TItem>, Task<TAnswer[]>> run, BatchFaults faults, int largest, TimeSpan gather = default, Pace? pace = null)
{
    /// <summary>Calls that wait; more are refused, since they would wait too long.</summary>
    private const int MostWaiting = 20_000;

    private const int MostCollisions = 5;

    private readonly Pace pace = pace ?? Pace.Real;
    private readonly Lock gate = new();
    private readonly Queue<Call> waiting = new();
    private Task pump = Task.CompletedTask;
    private TaskCompletionSource? enough;
    private bool pumping;
    private bool closed;

    /// <summary>Does one item's work, together with others'. Once it has been sent, cancelling makes no difference.</summary>
    /// <exception cref="SpotterException">It could not be done.</exception>
    public Task<TAnswer> RunAsync(TItem item, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
            return Task.FromCanceled<TAnswer>(cancel);
        var call = new Call(item, cancel);
        lock (gate)
        {
            if (closed)
                throw faults.ToRefusal(new ObjectDisposedException(null));
            if (waiting.Count >= MostWaiting)
                throw new SpotterException(ErrorCodes.Busy, $"Too many requests wait for {faults.Server}; try again in some seconds.");
            waiting.Enqueue(call);
            if (waiting.Count >= largest)
                enough?.TrySetResult();
            if (!pumping)
            {
                pumping = true;
                pump = pace.Start(PumpAsync);
            }
        }
        return call.Answered;
    }

    /// <summary>Does what waits, and takes nothing more.</summary>
    public Task StopAsync()
    {
        lock (gate)
        {
            closed = true;
            enough?.TrySetResult();
            return pump;
        }
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            await GatherAsync();
            if (NextBatch() is not { } batch)
                return;
            await RunBatchAsync(batch);
        }
    }

    private async Task GatherAsync()
    {
        if (gather == default)
            return;
        TaskCompletionSource more;
        lock (gate)
        {
            if (closed || waiting.Count >= largest)
                return;
            enough = more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        await using var timer = pace.Clock.CreateTimer(static more => ((TaskCompletionSource)more!).TrySetResult(), more, gather, Timeout.InfiniteTimeSpan);
        await more.Task;
    }

    private List<Call>? NextBatch()
    {
        var batch = new List<Call>();
        lock (gate)
        {
            while (batch.Count < largest && waiting.TryDequeue(out var call))
            {
                if (!call.DropIfCancelled())
                    batch.Add(call);
            }
            if (batch.Count > 0)
                return batch;
            pumping = false;
            return null;
        }
    }

    private async Task RunBatchAsync(List<Call> batch)
    {
        for (var collisions = 1; ; collisions++)
        {
            try
            {
                var answers = await run([.. batch.Select(c => c.Item)]);
                for (var i = 0; i < answers.Length; i++)
                    batch[i].Answer(answers[i]);
                return;
            }
            catch (Exception e) when (faults.IsCollision(e) && collisions < MostCollisions)
            {
                // Two statements met in rows that they took in different order; this one was taken back whole.
            }
            catch (Exception e) when (faults.IsOfStatement(e) && batch.Count > 1)
            {
                // One of them can't succeed. In halves, so that it fails alone.
                var half = batch.Count / 2;
                await RunBatchAsync(batch[..half]);
                await RunBatchAsync(batch[half..]);
                return;
            }
            catch (Exception e) when (faults.IsFault(e) || faults.IsOfStatement(e) || e is SpotterException)
            {
                var refusal = faults.ToRefusal(e);
                batch.ForEach(c => c.Fail(refusal));
                return;
            }
            catch (Exception e)
            {
                batch.ForEach(c => c.Fail(e));
                return;
            }
        }
    }

    private sealed class Call(TItem item, CancellationToken cancel)
    {
        private readonly TaskCompletionSource<TAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TItem Item => item;

        public Task<TAnswer> Answered => answer.Task;

        public bool DropIfCancelled() => cancel.IsCancellationRequested && answer.TrySetCanceled(cancel);

        public void Answer(TAnswer value) => answer.TrySetResult(value);

        public void Fail(Exception error) => answer.TrySetException(error);
    }
}

/// <summary>What a server's errors mean to calls that were sent together.</summary>
/// <param name="Server">The server, as in "too many requests wait for …".</param>
/// <param name="IsCollision">It was taken back whole, and may succeed when it is sent again.</param>
/// <param name="IsOfStatement">One of the calls can't succeed.</param>
/// <param name="IsFault">The server, or the way to it, has failed.</param>
/// <param name="ToRefusal">What callers are told.</param>
internal sealed record BatchFaults(
    string Server, Func<Exception, bool> IsCollision, Func<Exception, bool> IsOfStatement, Func<Exception, bool> IsFault, Func<Exception, SpotterException> ToRefusal);
