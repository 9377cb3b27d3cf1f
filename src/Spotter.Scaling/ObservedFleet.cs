using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// The workers of a pool that somebody else starts and ends, as KEDA does: it is told how many there are to be
/// (<see cref="Desired"/>), and nothing else is done. Those that have joined are counted. What is wanted and has not joined is shown as
/// a worker that boots, and of more than are wanted those that may go as draining, so that a policy decides as it would for workers
/// that Spotter starts. Nobody is told to drain: whoever ends workers chooses which.
/// </summary>
/// <param name="roster">The workers that have joined.</param>
/// <param name="rejoin">
/// How long workers may take to join a gateway that has just begun to scale them. Until then there are no fewer wanted than have
/// joined, and the number is not told: a gateway that was restarted must not seem to want nobody.
/// </param>
/// <param name="time">The clock.</param>
public sealed class ObservedFleet(WorkerRoster roster, TimeSpan rejoin, TimeProvider time) : IFleet
{
    /// <summary>How long a worker usually takes to join, until that has been measured: what asks looks every few seconds, and a pod starts in a few more.</summary>
    public static readonly TimeSpan UsualBoot = TimeSpan.FromSeconds(30);

    /// <summary>No worker is given up for being late: whoever starts it goes on trying, and wanting another one instead would change nothing.</summary>
    public static readonly TimeSpan BootPatience = TimeSpan.FromDays(365);

    private readonly Lock gate = new();

    // What is wanted and has not joined, the longest wanted first.
    private readonly List<Order> orders = [];

    // Those of more than are wanted that may go, and since when.
    private readonly Dictionary<string, long> released = new(StringComparer.Ordinal);

    // Those that have joined, with the time at which they were wanted; null where nobody waited for them, or it has been measured.
    private readonly Dictionary<string, long?> known = new(StringComparer.Ordinal);

    private ControllerRole? role;
    private long activeSince;
    private int wanted;
    private long ordered;

    /// <summary>How many workers there are to be.</summary>
    public DesiredWorkers Desired { get; } = new();

    /// <summary>Told how long workers took from being wanted to being ready; null when nobody wants to know.</summary>
    public ScaleMeter? Meter { get; init; }

    /// <summary>True for the models of workers of this fleet. Default: any.</summary>
    public Func<IReadOnlyList<string>, bool> Takes { get; init; } = static _ => true;

    /// <inheritdoc/>
    public FleetHealth Health => default;

    /// <inheritdoc/>
    public bool IsShared => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> Launched => [];

    /// <inheritdoc/>
    public bool Has(string worker) => false;

    /// <inheritdoc/>
    public bool IsElsewhere(string worker, IReadOnlyList<string>? models = null)
    {
        lock (gate)
        {
            if (role != ControllerRole.Standby)
                return false;
        }
        return models is null ? Joined().Exists(w => w.Id == worker) : Takes(models);
    }

    /// <inheritdoc/>
    public IReadOnlyList<WorkerView> List()
    {
        var joined = Joined();
        lock (gate)
            return View(joined);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<WorkerView>> TendAsync(CancellationToken cancel, ControllerRole now = ControllerRole.Active)
    {
        var joined = Joined();
        lock (gate)
        {
            if (now == ControllerRole.Active && role != ControllerRole.Active)
                activeSince = time.GetTimestamp();
            if (now != ControllerRole.Active)
                Forget();
            role = now;
            if (now == ControllerRole.Active)
                Reconcile(joined);
            Publish();
            return Task.FromResult<IReadOnlyList<WorkerView>>(View(joined));
        }
    }

    /// <inheritdoc/>
    public Task<int> LaunchAsync(int count, CancellationToken cancel)
    {
        lock (gate)
        {
            wanted += count;
            Add(count);
            Publish();
        }
        return Task.FromResult(count);
    }

    /// <inheritdoc/>
    public Task DrainAsync(string worker, CancellationToken cancel)
    {
        lock (gate)
        {
            if (orders.RemoveAll(o => o.Name == worker) > 0 || (known.ContainsKey(worker) && released.TryAdd(worker, time.GetTimestamp())))
                wanted--;
            Publish();
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public bool CancelDrain(string worker)
    {
        lock (gate)
        {
            if (!released.Remove(worker))
                return false;
            wanted++;
            Publish();
            return true;
        }
    }

    /// <inheritdoc/>
    public Task RetireAllAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task DrainAllAsync(TimeSpan patience) => Task.CompletedTask;

    private List<WorkerView> Joined()
    {
        var models = roster.Models.ToLookup(m => m.Worker, m => m.Model.Id, StringComparer.Ordinal);
        return [.. roster.List().Where(w => Takes([.. models[w.Id]]))];
    }

    /// <summary>Brings what is shown into line with who has joined and who is gone.</summary>
    private void Reconcile(List<WorkerView> joined)
    {
        // One that is about to end has been chosen by somebody, and counts no more.
        var staying = joined.Where(w => w.State != WorkerState.Draining).ToDictionary(w => w.Id, StringComparer.Ordinal);
        foreach (var gone in known.Keys.Where(w => !staying.ContainsKey(w)).ToList())
        {
            known.Remove(gone);
            released.Remove(gone);
        }
        foreach (var worker in staying.Keys.Where(w => !known.ContainsKey(w)).ToList())
            known[worker] = TakeOrder();
        Measure();

        if (IsRejoining)
            wanted = Math.Max(wanted, staying.Count);
        var surplus = Math.Max(0, staying.Count - wanted);
        foreach (var kept in released.OrderByDescending(r => r.Value).Select(r => r.Key).Take(released.Count - surplus).ToList())
            released.Remove(kept);
        foreach (var more in staying.Values.Where(w => !released.ContainsKey(w.Id)).OrderBy(w => w.State == WorkerState.Busy).ThenByDescending(w => w.StateAge).Take(surplus - released.Count).ToList())
            released[more.Id] = time.GetTimestamp();

        var missing = Math.Max(0, wanted - staying.Count);
        if (orders.Count > missing)
            orders.RemoveRange(0, orders.Count - missing);
        Add(missing - orders.Count);
    }

    /// <summary>The longest wait ends as one joins.</summary>
    private long? TakeOrder()
    {
        if (orders.Count == 0)
            return null;
        var first = orders[0];
        orders.RemoveAt(0);
        return first.Since;
    }

    private void Add(int count)
    {
        for (var i = 0; i < count; i++)
            orders.Add(new Order(string.Create(CultureInfo.InvariantCulture, $"wanted-{++ordered}"), time.GetTimestamp()));
    }

    private void Measure()
    {
        foreach (var (worker, since) in known.Where(k => k.Value is not null).ToList())
        {
            if (roster.ReadyFor(worker) is not { } ready)
                continue;
            Meter?.Booted(time.GetElapsedTime(since!.Value) - ready);
            known[worker] = null;
        }
    }

    private bool IsRejoining => time.GetElapsedTime(activeSince) < rejoin;

    private void Forget()
    {
        orders.Clear();
        released.Clear();
        known.Clear();
        wanted = 0;
    }

    private void Publish() => Desired.Set(role switch
    {
        ControllerRole.Standby => new DesiredCount(Workers: null, IsActive: null, "Another gateway scales this pool; ask again over a new connection, until that one answers.") { IsElsewhere = true },
        ControllerRole.Active when !IsRejoining => DesiredCount.Of(wanted),
        // Where something waits there is to be a worker, however many there are.
        ControllerRole.Active => new DesiredCount(
            Workers: null, wanted > 0 ? true : null,
            string.Create(CultureInfo.InvariantCulture, $"The gateway scales this pool since a moment ago and waits for its workers to join; ask again in {rejoin.TotalSeconds:0} seconds.")),
        _ => new DesiredCount(Workers: null, IsActive: null, "The store does not say which gateway scales this pool; ask again in some seconds."),
    });

    private List<WorkerView> View(List<WorkerView> joined) =>
    [
        .. joined.Select(w => released.TryGetValue(w.Id, out var since) && w.State != WorkerState.Draining ? w with { State = WorkerState.Draining, StateAge = time.GetElapsedTime(since) } : w),
        .. orders.Select(o => new WorkerView(o.Name, WorkerState.Booting, time.GetElapsedTime(o.Since), time.GetElapsedTime(o.Since))),
    ];

    /// <summary>A worker that is wanted and has not joined.</summary>
    private sealed record Order(string Name, long Since);
}
