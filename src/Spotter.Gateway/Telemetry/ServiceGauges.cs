using System.Diagnostics.Metrics;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Telemetry;

/// <summary>
/// What is only true at one moment, as instruments. Reading it takes a moment, and instruments are observed at once, so it is read
/// before. What can't be read is left out: unknown is never zero.
/// </summary>
internal sealed class ServiceGauges
{
    // Prometheus waits for ten seconds, and a store that takes so long is as good as away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // A reading that is older tells of another time.
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private readonly JobService jobs;
    private readonly IOutbox outbox;
    private readonly WorkerRoster roster;
    private readonly DecisionLog decisions;
    private readonly WorkerPools? pools;
    private readonly GatewaySettings settings;
    private readonly TimeProvider time;
    private Reading? latest;
    private int isAway;

    public ServiceGauges(
        GatewayMeters meters, JobService jobs, IOutbox outbox, WorkerRoster roster, DecisionLog decisions, GatewaySettings settings, TimeProvider time, WorkerPools? pools = null)
    {
        (this.jobs, this.outbox, this.roster, this.decisions, this.settings, this.time, this.pools) = (jobs, outbox, roster, decisions, settings, time, pools);
        var meter = meters.Meter;
        meter.CreateObservableGauge("spotter.store.up", () => Volatile.Read(ref isAway) == 0 ? 1 : 0, "{store}", "1 while the job store answers; while it does not, what it alone knows is left out.");
        meter.CreateObservableGauge("spotter.jobs", Jobs, "{job}", "Jobs in the store by state; those that have ended until they are deleted because of their age.");
        meter.CreateObservableCounter("spotter.jobs.ended", Ended, "{job}", "Jobs that have ended since the store was made, however.");
        meter.CreateObservableGauge("spotter.queue.jobs", Queues, "{job}", "Jobs of a queue and priority: waiting (due), delayed, running.");
        meter.CreateObservableGauge("spotter.queue.oldest", Oldest, "s", "Age of the job that has waited longest in a queue and priority; 0 when none waits.");
        meter.CreateObservableGauge("spotter.workers", Workers, "{worker}", "Workers by state.");
        meter.CreateObservableGauge("spotter.workers.desired", () => this.decisions.Target, "{worker}", "Workers wanted, of all pools of this gateway together.");
        meter.CreateObservableGauge("spotter.workers.max", () => this.settings.Jobs.MaxWorkers, "{worker}", "Most workers that there may be.");
        meter.CreateObservableGauge("spotter.lanes", () => this.roster.Lanes, "{lane}", "Jobs that the workers can run at a time.");
        meter.CreateObservableGauge("spotter.deliveries.pending", Pending, "{delivery}", $"Deliveries that are to be made, or tried again; {IOutbox.MostCounted} when there are more.");
    }

    /// <summary>Reads what the instruments tell next.</summary>
    public async Task ReadAsync(CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            var counts = jobs.CountAsync(over.Token);
            var pending = outbox.PendingAsync(over.Token);
            // Not every store can be hurried.
            await Task.WhenAll(counts, pending).WaitAsync(over.Token);
            latest = new Reading(time.GetTimestamp(), await counts, await pending);
            Volatile.Write(ref isAway, 0);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            latest = null;
            Volatile.Write(ref isAway, 1);
        }
    }

    private Reading? Now => latest is { } reading && time.GetElapsedTime(reading.At) < Fresh ? reading : null;

    private IEnumerable<Measurement<long>> Jobs() => Now is not { Counts.Jobs: var counts } ? [] :
    [
        Of(counts.Queued, JobState.Queued), Of(counts.Running, JobState.Running), Of(counts.Succeeded, JobState.Succeeded),
        Of(counts.Failed, JobState.Failed), Of(counts.Dead, JobState.Dead), Of(counts.Cancelled, JobState.Cancelled),
    ];

    private static Measurement<long> Of(long count, JobState state) => new(count, new KeyValuePair<string, object?>("state", EnumNames.Of(state)));

    private IEnumerable<Measurement<long>> Queues() => Now is not { } reading ? [] : reading.Counts.Backlogs.SelectMany(b => (Measurement<long>[])
    [
        new(Math.Max(0, b.All - b.Delayed), Line(b, "waiting")), new(b.Delayed, Line(b, "delayed")), new(b.Running, Line(b, "running")),
    ]);

    private IEnumerable<Measurement<double>> Oldest() => Now is not { } reading ? [] : reading.Counts.Backlogs.Select(b =>
        new Measurement<double>(b.Oldest is { } since ? Math.Max(0, (time.GetUtcNow() - since).TotalSeconds) : 0, Line(b)));

    private IEnumerable<Measurement<int>> Workers()
    {
        var workers = pools?.List() ?? roster.List();
        return Enum.GetValues<WorkerState>().Select(state => new Measurement<int>(workers.Count(w => w.State == state), new KeyValuePair<string, object?>("state", EnumNames.Of(state))));
    }

    private IEnumerable<Measurement<long>> Ended() => Now is { } reading ? [new(reading.Counts.Jobs.Ended)] : [];

    private IEnumerable<Measurement<long>> Pending() => Now is { } reading ? [new(reading.Deliveries)] : [];

    private static KeyValuePair<string, object?>[] Line(Backlog backlog, string? state = null)
    {
        KeyValuePair<string, object?>[] line = [new("queue", backlog.Queue), new("priority", EnumNames.Of(backlog.Priority))];
        return state is null ? line : [.. line, new("state", state)];
    }

    private sealed record Reading(long At, StoreCounts Counts, long Deliveries);
}
