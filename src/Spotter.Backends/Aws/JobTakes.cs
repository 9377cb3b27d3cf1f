using System.Collections.Concurrent;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// Gives jobs to workers. Messages say which; the row, replaced by one who wins, grants the lease. The message stays hidden while the
/// job runs, so that SQS delivers it again if this gateway is gone, and serves for the next attempt if there is one.
/// </summary>
/// <param name="rows">The rows.</param>
/// <param name="queues">The messages.</param>
/// <param name="known">What waits, as far as it is known here.</param>
/// <param name="leases">Who runs what, as far as it is known here.</param>
/// <param name="changes">Hears that messages came.</param>
/// <param name="clock">The time.</param>
/// <param name="pace">How it waits and polls.</param>
internal sealed class JobTakes(
    JobRows rows, SqsQueues queues, KnownJobs known, KnownLeases leases, ChangeReaders changes, TimeProvider clock, Pace pace) : IAsyncDisposable
{
    /// <summary>A message of a job whose lease holds is hidden a little longer than that.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(5);

    /// <summary>Messages are fetched for workers that were here so lately.</summary>
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(5);

    /// <summary>A message that led to nothing for so long is taken to be lost, once SQS says that it has no more.</summary>
    private static readonly TimeSpan LostAfter = TimeSpan.FromMinutes(2);

    /// <summary>Workers wait no longer for a look into a queue; what was taken from others must reach them.</summary>
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<SqsLine, Line> lines = new();
    private readonly CancellationTokenSource ended = new();
    private int turn;

    /// <summary>One SQS queue, as this gateway sees it.</summary>
    private sealed class Line
    {
        public ConcurrentQueue<SqsDelivery> Received { get; } = new();

        /// <summary>One call at a time fetches.</summary>
        public SemaphoreSlim Fetching { get; } = new(1, 1);

        /// <summary>There may be messages: some were sent from here, or nobody has looked.</summary>
        public volatile bool MayHave = true;

        /// <summary>When somebody last wanted more than there was.</summary>
        public DateTimeOffset WantedAt = DateTimeOffset.MinValue;

        public int Wanted;

        public Task? Poll;
    }

    /// <summary>A job that may be there to be started.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Receipt">Its message; null when it is known without one.</param>
    /// <param name="Known">What was known of it here; null when a message told of it.</param>
    private sealed record Candidate(JobId Job, SqsReceipt? Receipt, KnownJob? Known = null);

    /// <summary>What one call has taken so far.</summary>
    private sealed class Taking(TakeRequest request)
    {
        public TakeRequest Request => request;

        /// <summary>By the place of the worker.</summary>
        public StartedJob?[] Started { get; } = new StartedJob?[request.Workers.Count];

        public bool IsDone => !Started.Contains(null);

        /// <summary>The first thing that went wrong.</summary>
        public SpotterException? Fault { get; set; }

        /// <summary>A queue has answered.</summary>
        public bool HasAnswer { get; set; }

        public List<int> Free() => [.. Enumerable.Range(0, Started.Length).Where(i => Started[i] is null)];
    }

    /// <summary>Messages were sent.</summary>
    public void Sent(SqsLine line) => Of(line).MayHave = true;

    /// <summary>See <see cref="IJobStore.TakeAsync"/>.</summary>
    public async Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var taking = new Taking(request);
        foreach (var level in request.Levels)
        {
            // Another queue goes first each time, as SQS doesn't say whose jobs are oldest.
            foreach (var queue in Rotated(request.Queues))
            {
                await TakeFromAsync(new(queue, level), taking, cancel);
                if (taking.IsDone)
                    return new TakenJobs([.. taking.Started.OfType<StartedJob>()], null);
            }
        }
        // One queue that fails keeps no job of another from its worker.
        if (taking is { Fault: { } fault, HasAnswer: false } && taking.Started.All(s => s is null))
            throw fault;
        return new TakenJobs(await InOrderAsync(taking.Started, request.Workers), known.NextDue(request.Queues, clock.GetUtcNow(), LostAfter));
    }

    /// <summary>A lease was lost or given back: its message serves for the next attempt, or for nothing any more.</summary>
    public void Ended(Lease lease, JobRow after)
    {
        leases.Drop(lease.Job);
        var receipt = SqsReceipt.Of(lease);
        if (after.IsQueued)
        {
            // Here it is known when it is due; elsewhere it is found by its message.
            if (receipt is not null)
                SqsQueues.Forget(queues.HideAsync(receipt, after.Due - clock.GetUtcNow() + SqsQueues.Visibility));
            known.Add(KnownJob.Of(after, receipt, isDirect: true));
        }
        else if (receipt is not null)
        {
            SqsQueues.Forget(queues.DeleteAsync(receipt));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        foreach (var line in lines.Values)
        {
            Task? poll;
            lock (line)
                poll = line.Poll;
            if (poll is not null)
                await poll;
            foreach (var delivery in line.Received)
                SqsQueues.Forget(queues.HideAsync(delivery.Receipt, TimeSpan.Zero));
        }
        // Not disposed of: whoever still takes meanwhile asks whether it has ended.
    }

    private IEnumerable<string> Rotated(IReadOnlyCollection<string> all)
    {
        if (all.Count < 2)
            return all;
        var first = (int)((uint)Interlocked.Increment(ref turn) % (uint)all.Count);
        return [.. all.Skip(first), .. all.Take(first)];
    }

    private async Task TakeFromAsync(SqsLine name, Taking taking, CancellationToken cancel)
    {
        var line = Of(name);
        try
        {
            while (taking.Free() is { Count: > 0 } free)
            {
                var some = await NextAsync(name, line, free.Count, cancel);
                taking.HasAnswer = true;
                if (some.Count == 0)
                {
                    if (changes.HasReaders)
                        KeepPolling(name, line, free.Count);
                    return;
                }
                await Task.WhenAll(some.Zip(free, (candidate, place) => StartAsync(candidate, place, taking)));
                if (taking.Fault is not null)
                    return;
            }
        }
        catch (SpotterException failed)
        {
            taking.Fault ??= failed;
        }
    }

    private async Task StartAsync(Candidate candidate, int place, Taking taking)
    {
        try
        {
            taking.Started[place] = await TryStartAsync(candidate, taking.Request.Workers[place], taking.Request.Duration);
        }
        catch (SpotterException failed)
        {
            // Another job's lease may have been granted. This one is found again: by its message, or by what is known of it.
            taking.Fault ??= failed;
            if (candidate.Known is { } job)
                known.Add(job);
        }
    }

    /// <summary>
    /// The first workers get what there is. Where a job turned out to be taken already, one behind it has a lease that a worker before it
    /// should have, and is passed on.
    /// </summary>
    private async Task<IReadOnlyList<StartedJob>> InOrderAsync(StartedJob?[] started, IReadOnlyList<string> workers)
    {
        var inOrder = new List<StartedJob>();
        foreach (var one in started.OfType<StartedJob>())
        {
            var (lease, worker) = (one.Lease, workers[inOrder.Count]);
            if (lease.Worker == worker)
            {
                inOrder.Add(one);
                continue;
            }
            var (_, after) = await rows.ChangeAsync(
                lease.Job, row => row.IsHeldBy(lease) ? row with { Job = row.Job with { Worker = worker } } : null, CancellationToken.None);
            if (after is null)
                continue;
            var passed = lease with { Worker = worker };
            leases.Hold(new(passed, after.LeasedUntil, clock.GetUtcNow()));
            inOrder.Add(new StartedJob(after.Job, passed));
        }
        return inOrder;
    }

    /// <summary>Jobs that may be there to be started; none when there are none, as far as is known.</summary>
    private async Task<List<Candidate>> NextAsync(SqsLine name, Line line, int wanted, CancellationToken cancel)
    {
        var some = new List<Candidate>();
        while (some.Count < wanted && known.TakeDirect(name, clock.GetUtcNow()) is { } job)
            some.Add(new(job.Id, job.Receipt, job));
        while (some.Count < wanted && line.Received.TryDequeue(out var delivery))
            some.Add(new(delivery.Job, delivery.Receipt));
        if (some.Count == 0 && line.MayHave)
            some.AddRange(await ReceiveAsync(name, line, wanted, cancel));
        if (some.Count == 0 && !line.MayHave && known.TakeLost(name, clock.GetUtcNow(), LostAfter) is { } lost)
            some.Add(new(lost.Id, lost.Receipt, lost));
        return some;
    }

    private async Task<IEnumerable<Candidate>> ReceiveAsync(SqsLine name, Line line, int wanted, CancellationToken cancel)
    {
        // Whoever fetches already tells of what it gets.
        if (!await line.Fetching.WaitAsync(0, CancellationToken.None))
            return [];
        using var brief = new CancellationTokenSource(Brief, pace.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(brief.Token, cancel);
        try
        {
            line.MayHave = false;
            var received = await queues.ReceiveAsync(name, wanted, TimeSpan.Zero, either.Token);
            if (received.Count > 0)
                line.MayHave = true;
            return received.Select(d => new Candidate(d.Job, d.Receipt));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            line.MayHave = true;
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"SQS did not answer within {Brief.TotalSeconds:0} s; it is asked again.");
        }
        catch
        {
            line.MayHave = true;
            throw;
        }
        finally
        {
            line.Fetching.Release();
        }
    }

    /// <summary>Grants a lease if the row says so; else sees to it that the message comes when it may mean something, or never.</summary>
    private async Task<StartedJob?> TryStartAsync(Candidate candidate, string worker, TimeSpan duration)
    {
        var (id, receipt) = (candidate.Job, candidate.Receipt);
        var now = clock.GetUtcNow();
        var (before, after) = await rows.ChangeAsync(
            id, row => row.MayStart(now) && row.Due <= now ? JobTransitions.Take(row, worker, duration, now) : null, CancellationToken.None);
        if (after is { Job: var job })
        {
            known.Remove(id);
            var lease = new Lease(id, job.Queue, job.FencingToken, job.Attempts, worker) { Receipt = receipt?.ToString() };
            leases.Hold(new(lease, after.LeasedUntil, now));
            return new StartedJob(job, lease);
        }
        switch (before)
        {
            case { IsQueued: true } early when early.MayStart(now):
                Hide(receipt, early.Due - now);
                known.Add(KnownJob.Of(early, receipt, isDirect: true));
                break;
            case { IsQueued: true } late:
                Hide(receipt, SqsQueues.Visibility);
                known.Add(KnownJob.Of(late, receipt, isDirect: false));
                break;
            case { IsRunning: true } running when running.LeasedUntil + Slack > now:
                Hide(receipt, running.LeasedUntil - now + Slack);
                break;
            case { IsRunning: true, Job: var silent } running:
                // Whoever gave that lease is gone as well, or would have taken it: it is to be taken from here.
                Hide(receipt, SqsQueues.Visibility);
                var lost = new Lease(id, silent.Queue, silent.FencingToken, silent.Attempts, silent.Worker!) { Receipt = receipt?.ToString() };
                leases.Hold(new(lost, running.LeasedUntil, now));
                break;
            default:
                known.Remove(id);
                if (receipt is not null)
                    SqsQueues.Forget(queues.DeleteAsync(receipt));
                break;
        }
        return null;
    }

    private void Hide(SqsReceipt? receipt, TimeSpan time)
    {
        if (receipt is not null)
            SqsQueues.Forget(queues.HideAsync(receipt, time));
    }

    /// <summary>Waits for messages for as long as somebody wants some.</summary>
    private void KeepPolling(SqsLine name, Line line, int wanted)
    {
        lock (line)
        {
            (line.WantedAt, line.Wanted) = (clock.GetUtcNow(), wanted);
            if (line.Poll is not { IsCompleted: false } && !ended.IsCancellationRequested)
                line.Poll = pace.Start(() => PollAsync(name, line));
        }
    }

    private async Task PollAsync(SqsLine name, Line line)
    {
        try
        {
            while (true)
            {
                lock (line)
                {
                    if (clock.GetUtcNow() - line.WantedAt > Interest || ended.IsCancellationRequested)
                        return;
                }
                await line.Fetching.WaitAsync(CancellationToken.None);
                try
                {
                    var received = await queues.ReceiveAsync(name, line.Wanted, SqsQueues.LongPoll, ended.Token);
                    foreach (var delivery in received)
                        line.Received.Enqueue(delivery);
                    if (received.Count > 0)
                    {
                        line.MayHave = true;
                        changes.Publish([new JobChange(null, name.Queue)]);
                    }
                }
                catch (SpotterException)
                {
                    await Task.Delay(AfterFault, pace.Clock, ended.Token);
                }
                finally
                {
                    line.Fetching.Release();
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // This is how it ends.
        }
    }

    private Line Of(SqsLine line) => lines.GetOrAdd(line, _ => new Line());
}
