using System.Diagnostics;
using System.Globalization;
using Spotter.Core;

namespace Spotter.Jobs.Deliveries;

/// <summary>
/// Sends the entries of one channel, at least once: an entry is leased, sent, and its outcome recorded. If this process
/// ends in between, the entry is taken again and goes out with the same id. Endpoints don't hold each other back: each
/// has a lane with a few deliveries at a time, and entries for one that is busy or whose circuit is open stay in the outbox.
/// </summary>
public sealed class DeliverySender(
    IDeliveryChannel channel, IOutbox outbox, IJobStore jobs, IDeliveryMonitor monitor, TimeProvider time, RandomSource random) : IDisposable
{
    private const int Batch = 16;

    // However fast jobs end, the outbox is not asked more often.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);

    // What is under way when the service ends may still arrive; the rest is sent after the next start.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private readonly DeliverySettings settings = channel.Settings;
    private readonly EndpointCircuits circuits = new(channel.Settings, time);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource cutOff = new();
    private readonly TaskCompletionSource broken = NewSource();
    private TaskCompletionSource woken = NewSource();
    private TaskCompletionSource? drained;
    private int running;

    /// <summary>
    /// Sends until <paramref name="stopping"/>, then waits a little for what is under way. Ends earlier only by an error that
    /// is a mistake of this program.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using (outbox.WhenFilled(Wake))
        {
            try
            {
                while (!stopping.IsCancellationRequested)
                {
                    Task wake;
                    lock (gate)
                        wake = woken.Task;
                    await TakeQuietlyAsync(stopping);
                    await Task.Delay(Pause, time, stopping);
                    await WaitAsync(wake, stopping);
                    if (broken.Task.IsFaulted)
                        await broken.Task;
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The end.
            }
        }
        await DrainAsync();
    }

    /// <summary>Ends what is under way at once; it is sent again after the next start.</summary>
    public void Dispose() => cutOff.Cancel();

    private async Task WaitAsync(Task wake, CancellationToken stopping)
    {
        try
        {
            await Task.WhenAny(broken.Task, wake).WaitAsync(settings.Poll, time, stopping);
        }
        catch (TimeoutException)
        {
            // Something may be due by now.
        }
    }

    private async Task DrainAsync()
    {
        Task empty;
        lock (gate)
        {
            foreach (var lane in lanes.Values)
                lane.Waiting.Clear();
            drained = NewSource();
            if (running == 0)
                drained.SetResult();
            empty = drained.Task;
        }
        await empty.WaitAsync(DrainPatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await cutOff.CancelAsync();
        await empty;
    }

    private async Task TakeQuietlyAsync(CancellationToken stopping)
    {
        try
        {
            await TakeAsync(stopping);
        }
        catch (SpotterException unavailable)
        {
            monitor.OutboxUnavailable(channel.Name, unavailable);
            await Task.Delay(AfterFault, time, stopping);
        }
    }

    /// <summary>Takes what is due until there is no more, or no room for more.</summary>
    private async Task TakeAsync(CancellationToken stopping)
    {
        while (true)
        {
            int room;
            var except = new HashSet<string>(circuits.Open(), StringComparer.Ordinal);
            lock (gate)
            {
                room = Math.Min(Batch, settings.AtOnce - running);
                foreach (var (endpoint, lane) in lanes)
                {
                    if (lane.Running + lane.Waiting.Count >= settings.PerEndpoint)
                        except.Add(endpoint);
                }
            }
            if (room <= 0)
                return;
            var takenAt = time.GetTimestamp();
            var taken = await outbox.TakeAsync(channel.Name, room, settings.Lease, except, stopping);
            lock (gate)
            {
                foreach (var entry in taken)
                {
                    if (!lanes.TryGetValue(entry.Endpoint, out var lane))
                        lanes[entry.Endpoint] = lane = new Lane();
                    lane.Waiting.Enqueue(new Taken(entry, takenAt));
                    Begin(entry.Endpoint, lane);
                }
            }
            if (taken.Count < room)
                return;
        }
    }

    /// <summary>Begins as many deliveries of a lane as may be under way.</summary>
    private void Begin(string endpoint, Lane lane)
    {
        while (lane.Running < settings.PerEndpoint && running < settings.AtOnce && lane.Waiting.TryPeek(out var taken))
        {
            // Too late to end before its lease does; whoever takes it next will send it.
            if (time.GetElapsedTime(taken.At) > (settings.Lease - settings.Timeout) / 2)
            {
                lane.Waiting.Dequeue();
                continue;
            }
            if (!circuits.TryBegin(endpoint))
            {
                // Left to be taken again, unless one is under way that tells whether they can be sent now.
                if (lane.Running == 0)
                    lane.Waiting.Clear();
                break;
            }
            lane.Waiting.Dequeue();
            lane.Running++;
            running++;
            _ = Task.Run(() => DeliverAsync(taken.Entry, lane));
        }
        if (lane.Running == 0 && lane.Waiting.Count == 0)
            lanes.Remove(endpoint);
    }

    private async Task DeliverAsync(OutboxEntry entry, Lane lane)
    {
        var begun = time.GetTimestamp();
        DeliveryOutcome? said = null;
        try
        {
            Failpoint.At("delivery-taken");
            (said, var job) = await SendAsync(entry);
            // What is logged of it belongs to the job's trace.
            using var trace = job is null ? null : JobTracing.Within(job.Spec);
            Failpoint.At("delivery-sent");
            var outcome = settings.Schedule(said, entry.Attempt, random);
            await outbox.RecordAsync(entry, outcome, CancellationToken.None);
            Failpoint.At("delivery-recorded");
            monitor.Ended(channel.Name, entry, outcome, time.GetElapsedTime(begun));
        }
        catch (OperationCanceledException) when (cutOff.IsCancellationRequested)
        {
            // Whether it arrived is unknown, so it is sent again after the next start.
        }
        catch (SpotterException unavailable)
        {
            // Taken again once its lease is over.
            monitor.OutboxUnavailable(channel.Name, unavailable);
        }
        catch (Exception mistake) when (mistake is not OutOfMemoryException)
        {
            // Nobody awaits this task, so the loop ends with its error.
            broken.TrySetException(mistake);
        }
        finally
        {
            End(entry.Endpoint, lane, said);
        }
    }

    private async Task<(DeliveryOutcome Outcome, Job? Job)> SendAsync(OutboxEntry entry)
    {
        using var late = new CancellationTokenSource(settings.Timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cutOff.Token);
        Job? job = null;
        try
        {
            job = await jobs.FindAsync(entry.Job, cutOff.Token);
            if (job is null)
                return (new DeliveryOutcome.GivenUp(null, "The job has been deleted because of its age."), null);
            if (!job.State.IsTerminal() || !entry.TellsOf(job))
                return (new DeliveryOutcome.GivenUp(null, "The job was put into its queue again; another delivery tells how it ended then."), job);
            using var span = JobTracing.Deliver(channel.Name, entry, job);
            // Until there is an answer: what is thrown from here is none.
            span?.SetStatus(ActivityStatusCode.Error);
            var said = await channel.SendAsync(entry, job, ended.Token);
            span?.SetTag("http.response.status_code", said.Record.Status);
            span?.SetStatus(said.Record.Detail is null ? ActivityStatusCode.Unset : ActivityStatusCode.Error, said.Record.Detail);
            return (said, job);
        }
        catch (OperationCanceledException) when (cutOff.IsCancellationRequested)
        {
            throw;
        }
        catch (SpotterException) when (job is null)
        {
            // The store's, not the channel's.
            throw;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return (new DeliveryOutcome.Again(
                TimeSpan.Zero, null, string.Create(CultureInfo.InvariantCulture, $"The endpoint did not answer within {settings.Timeout.TotalSeconds:0.#} s."), EndpointHealth.Fails), job);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            monitor.Faulted(channel.Name, entry, fault);
            return (new DeliveryOutcome.Again(TimeSpan.Zero, null, "The delivery could not be made; the service's log says why."), job);
        }
    }

    private void End(string endpoint, Lane lane, DeliveryOutcome? outcome)
    {
        switch (outcome?.Endpoint)
        {
            case EndpointHealth.Works:
                circuits.Worked(endpoint);
                break;
            case EndpointHealth.Fails:
                if (circuits.Failed(endpoint, outcome is DeliveryOutcome.Again again ? again.Delay : TimeSpan.Zero) is { } openFor)
                    monitor.CircuitOpened(channel.Name, endpoint, openFor);
                break;
            default:
                circuits.Abandoned(endpoint);
                break;
        }

        lock (gate)
        {
            lane.Running--;
            var wasFull = running-- >= settings.AtOnce;
            if (circuits.IsOpen(endpoint))
                lane.Waiting.Clear();
            Begin(endpoint, lane);
            if (wasFull)
            {
                foreach (var (other, its) in lanes.ToList())
                    Begin(other, its);
            }
            if (running == 0)
                drained?.TrySetResult();
        }
        Wake();
    }

    private void Wake()
    {
        lock (gate)
        {
            woken.TrySetResult();
            woken = NewSource();
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The entries that are taken for one endpoint.</summary>
    private sealed class Lane
    {
        public int Running { get; set; }

        public Queue<Taken> Waiting { get; } = new();
    }

    private readonly record struct Taken(OutboxEntry Entry, long At);
}
