using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Workers that wait for a job: long polls, ranking and priorities, once for all stores. Calls that come together are
/// served by one take; who gets nothing waits until a queue is filled, a delayed job becomes due, or it is time to look
/// all the same.
/// </summary>
/// <param name="store">Gives the jobs.</param>
/// <param name="duration">How long a lease lasts.</param>
/// <param name="rankOf">Of several workers the one that ranks highest gets the next job; of equals whoever has waited longest.</param>
/// <param name="time">The clock.</param>
public sealed class WaitingWorkers(IJobStore store, TimeSpan duration, Func<string, long> rankOf, TimeProvider time) : IDisposable
{
    /// <summary>Jobs in one take.</summary>
    private const int Largest = 500;

    /// <summary>Waiting calls; more are refused.</summary>
    private const int MostWaiting = 20_000;

    // With nothing heard, it is looked this often: what another gateway says may get lost.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // A store whose clock is a little behind says that a job is due at once, and gives none: it is not asked without a pause.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Queues for two models that are known at a time.</summary>
    private const int MostPairs = 1_000;

    private static readonly JobError Undelivered = new(ErrorCodes.LeaseLost, "The job did not reach the worker, and was given back.");

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = new();
    private readonly List<Task> pumps = [];

    // Of all pairs of models few are ever asked for, and each queue that is looked into costs something.
    private readonly HashSet<string> pairs = new(StringComparer.Ordinal);
    private ITimer? timer;
    private DateTimeOffset nextDue = DateTimeOffset.MaxValue;
    private DateTimeOffset? timerAt;
    private long turn;
    private int pumping;
    private bool closed;

    /// <summary>
    /// Takes one job from one of <paramref name="queues"/>, waiting up to <paramref name="wait"/> for one to come
    /// (<see cref="Timeout.InfiniteTimeSpan"/>: until cancelled); null if none came.
    /// </summary>
    public Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel) =>
        TakeAsync(worker, queues, takesPairs: false, wait, cancel);

    /// <summary>As <see cref="TakeAsync(string, IReadOnlyCollection{string}, TimeSpan, CancellationToken)"/>.</summary>
    /// <param name="worker">Who takes it.</param>
    /// <param name="queues">The queues.</param>
    /// <param name="wait">How long to wait.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="takesPairs">True for a worker that also takes jobs for two of the models of these queues.</param>
    public async Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, bool takesPairs, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var waiter = new Waiter(worker, [.. queues], takesPairs, wait, cancel);
        lock (gate)
        {
            waiter.Consider(pairs);
            if (closed)
                throw Closing();
            if (waiters.Count >= MostWaiting)
                throw new SpotterException(ErrorCodes.Busy, "Too many workers wait for jobs at this gateway; try again in some seconds.");
            waiters.AddLast(waiter);
            if (waiter.Waits && wait != Timeout.InfiniteTimeSpan)
                waiter.Timer = time.CreateTimer(static state => ((Waiter)state!).TryDeliver(null), waiter, wait, Timeout.InfiniteTimeSpan);
            SetTimer();
            Begin();
        }
        using (cancel.UnsafeRegister(static state => ((Waiter)state!).GiveUp(), waiter))
        {
            try
            {
                return await waiter.Answered;
            }
            finally
            {
                waiter.Timer?.Dispose();
            }
        }
    }

    /// <summary>A job has become due in a queue; in any when null.</summary>
    public void Filled(string? queue)
    {
        lock (gate)
        {
            if (closed)
                return;
            if (queue is not null && QueueNames.ThenOf(queue) is not null)
                Note(queue);
            var anybody = false;
            for (var node = waiters.First; node is not null; node = node.Next)
            {
                if (queue is not null && !node.Value.Queues.Contains(queue, StringComparer.Ordinal))
                    continue;
                node.Value.Hungry = true;
                anybody = true;
            }
            if (anybody)
                Begin();
        }
    }

    /// <summary>In these queues there are jobs: those for two models are looked into from now on.</summary>
    public void Know(IEnumerable<string> queues)
    {
        foreach (var queue in queues.Where(q => QueueNames.ThenOf(q) is not null))
        {
            bool known;
            lock (gate)
                known = pairs.Contains(queue);
            if (!known)
                Filled(queue);
        }
    }

    // Called with the gate held.
    private void Note(string pair)
    {
        // Those that are in use come again.
        if (pairs.Count >= MostPairs)
            pairs.Clear();
        if (!pairs.Add(pair))
            return;
        foreach (var waiter in waiters)
            waiter.Consider(pairs);
    }

    /// <summary>Whoever waits hears that the gateway stops.</summary>
    public async Task StopAsync()
    {
        Task last;
        lock (gate)
        {
            closed = true;
            last = Task.WhenAll(pumps);
        }
        await last;
        lock (gate)
        {
            foreach (var waiter in waiters)
                waiter.Fail(Closing());
            waiters.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            timer?.Dispose();
            timer = null;
        }
    }

    private static SpotterException Closing() =>
        new(ErrorCodes.Busy, "The service is shutting down; ask again in a moment.");

    // Called with the gate held.
    private void Begin()
    {
        if (pumping >= store.TakesAtOnce)
            return;
        pumping++;
        pumps.RemoveAll(p => p.IsCompleted);
        pumps.Add(Task.Run(PumpAsync));
    }

    private async Task PumpAsync()
    {
        while (NextGroup() is var (group, queues, firstTurn))
            await ServeAsync(group, queues, firstTurn);
    }

    /// <summary>Those who are served together, in the order in which they are, of which queues, and the turn of the first; null when nobody is hungry.</summary>
    private (List<Waiter> Group, string[] Queues, long FirstTurn)? NextGroup()
    {
        lock (gate)
        {
            var hungry = new List<Waiter>();
            for (var node = waiters.First; node is not null;)
            {
                var (waiter, next) = (node.Value, node.Next);
                if (waiter.IsOver)
                    waiters.Remove(node);
                else if (waiter is { Hungry: true, IsServed: false })
                    hungry.Add(waiter);
                node = next;
            }
            if (hungry.Count == 0 || closed)
            {
                pumping--;
                return null;
            }
            if (hungry.Count > 1)
                hungry = [.. hungry.OrderByDescending(w => rankOf(w.Worker))];
            var group = hungry.Where(w => w.GoesWith(hungry[0])).Take(Largest).ToList();
            group.ForEach(w => (w.Hungry, w.IsServed) = (false, true));
            turn += group.Count;
            return (group, hungry[0].Queues, turn - group.Count);
        }
    }

    private async Task ServeAsync(List<Waiter> group, string[] queues, long firstTurn)
    {
        var unserved = group.Count;
        try
        {
            var requests = new List<TakeRequest>();
            var asked = 0;
            foreach (var (levels, count) in Turns(firstTurn, group.Count))
            {
                requests.Add(new TakeRequest(queues, levels, group.GetRange(asked, count).ConvertAll(w => w.Worker), duration));
                asked += count;
            }
            var first = 0;
            foreach (var (request, taken) in requests.Zip(await store.TakeInTurnAsync(requests, CancellationToken.None)))
            {
                for (var i = 0; i < taken.Jobs.Count; i++)
                    await DeliverAsync(group[first + i], taken.Jobs[i]);
                first += request.Workers.Count;
                unserved -= taken.Jobs.Count;
                if (taken.Jobs.Count < request.Workers.Count)
                    DueLater(taken.NextDue);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Who has a job already doesn't hear of it.
            group.ForEach(waiter => waiter.Fail(e));
            return;
        }
        finally
        {
            EndServing(group, unserved);
        }
        foreach (var waiter in group.Where(w => !w.Waits))
            waiter.TryDeliver(null);
    }

    /// <summary>Gives back the turns of those who got nothing, and lets them be served again if a queue was filled meanwhile.</summary>
    private void EndServing(List<Waiter> group, int unserved)
    {
        lock (gate)
        {
            turn -= unserved;
            group.ForEach(w => w.IsServed = false);
        }
    }

    /// <summary>So many turns, those with the same order of levels together: taking is one call for each.</summary>
    private static List<(JobPriority[] Levels, int Count)> Turns(long first, int count)
    {
        var turns = new List<(JobPriority[] Levels, int Count)>();
        for (var i = 0; i < count; i++)
        {
            var levels = PriorityTurns.Order(first + i);
            var known = turns.FindIndex(t => ReferenceEquals(t.Levels, levels));
            if (known < 0)
                turns.Add((levels, 1));
            else
                turns[known] = (levels, turns[known].Count + 1);
        }
        return turns;
    }

    private async Task DeliverAsync(Waiter waiter, StartedJob started)
    {
        Failpoint.At("job-started");
        if (waiter.TryDeliver(started))
            return;
        try
        {
            // Nobody is there to run it: given back at once, instead of letting the lease run out.
            await store.FinishAsync(started.Lease, new JobOutcome.Retry(Undelivered, SpendAttempt: false), CancellationToken.None);
        }
        catch (SpotterException)
        {
            // Then the lease runs out after all.
        }
    }

    private void DueLater(DateTimeOffset? due)
    {
        lock (gate)
        {
            if (due is not { } at || at >= nextDue)
                return;
            nextDue = at;
            SetTimer();
        }
    }

    // Called with the gate held. Those who come later put off no look.
    private void SetTimer()
    {
        if (closed || waiters.Count == 0)
            return;
        var now = time.GetUtcNow();
        var wait = nextDue - now;
        wait = wait < ShortestPause ? ShortestPause : wait > Look ? Look : wait;
        if (timerAt <= now + wait)
            return;
        timerAt = now + wait;
        timer ??= time.CreateTimer(_ => LookAgain(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void LookAgain()
    {
        lock (gate)
        {
            timerAt = null;
            if (nextDue <= time.GetUtcNow())
                nextDue = DateTimeOffset.MaxValue;
            SetTimer();
        }
        Filled(null);
    }

    private sealed class Waiter(string worker, string[] queues, bool takesPairs, TimeSpan wait, CancellationToken cancel)
    {
        private readonly string[] named = queues;
        private readonly TaskCompletionSource<StartedJob?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Worker => worker;

        /// <summary>The queues that are looked into for it.</summary>
        public string[] Queues { get; private set; } = queues;

        public bool Waits { get; } = wait > TimeSpan.Zero || wait == Timeout.InfiniteTimeSpan;

        public Task<StartedJob?> Answered => answer.Task;

        /// <summary>True once it has its answer, or no longer wants one.</summary>
        public bool IsOver => answer.Task.IsCompleted;

        /// <summary>There may be something for it.</summary>
        public bool Hungry { get; set; } = true;

        /// <summary>A take for it is under way: another one would give it a job that it can't run.</summary>
        public bool IsServed { get; set; }

        public ITimer? Timer { get; set; }

        public bool GoesWith(Waiter other) => Queues.AsSpan().SequenceEqual(other.Queues);

        /// <summary>Of these queues for two models, those are looked into as well whose models it has both.</summary>
        public void Consider(IReadOnlyCollection<string> pairs)
        {
            if (takesPairs && pairs.Count > 0)
                Queues = [.. named, .. pairs.Where(Has).Order(StringComparer.Ordinal)];
        }

        private bool Has(string pair) =>
            named.Contains(QueueNames.Of(QueueNames.EngineOf(pair), QueueNames.ModelOf(pair)), StringComparer.Ordinal)
            && named.Any(queue => QueueNames.ModelOf(queue) == QueueNames.ThenOf(pair));

        /// <summary>False when the caller has gone.</summary>
        public bool TryDeliver(StartedJob? started) => answer.TrySetResult(started);

        public void Fail(Exception error) => answer.TrySetException(error);

        public void GiveUp() => answer.TrySetCanceled(cancel);
    }
}
