using System.Collections.Concurrent;
using Spotter.Core.Jobs;

namespace Spotter.Core.Scaling;

/// <summary>The workers that have joined a gateway, and what each last said of itself. Lives in memory: workers join again.</summary>
public sealed class WorkerRoster(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>A worker has joined, perhaps again.</summary>
    public void Join(string worker, int lanes, IReadOnlyList<WorkerModel> models)
    {
        var joined = new Entry(lanes, models, time.GetTimestamp());
        entries.AddOrUpdate(worker, joined, (_, earlier) =>
        {
            earlier.ModelsChanged.Cancel();
            return joined;
        });
    }

    /// <summary>A worker says which models it has now.</summary>
    public void Tell(string worker, IReadOnlyList<WorkerModel> models)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.SetModels(models);
    }

    /// <summary>Cancelled when the worker has other models than now, or joins again.</summary>
    public CancellationToken ModelsChanged(string worker) =>
        entries.TryGetValue(worker, out var entry) ? entry.ModelsChanged.Token : new CancellationToken(canceled: true);

    /// <summary>A worker has left or is known to be dead; true if it was there.</summary>
    public bool Leave(string worker) => entries.TryRemove(worker, out _);

    /// <summary>True if the worker has joined and not left.</summary>
    public bool Has(string worker) => entries.ContainsKey(worker);

    /// <summary>A worker has taken a job.</summary>
    public void Took(string worker) => Change(worker, +1);

    /// <summary>A worker has ended a job.</summary>
    public void Ended(string worker) => Change(worker, -1);

    /// <summary>A sign of life, with the number of leases that the worker really holds.</summary>
    public void Beat(string worker, int held)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Set(held, time.GetTimestamp());
    }

    /// <summary>From now on the worker is told to drain.</summary>
    public void Drain(string worker, bool drain)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Draining = drain;
    }

    /// <summary>True if the worker is to drain.</summary>
    public bool IsDraining(string worker) => entries.TryGetValue(worker, out var entry) && entry.Draining;

    /// <summary>Forgets workers that gave no sign of life for <paramref name="silence"/>; their names.</summary>
    public IReadOnlyList<string> Forget(TimeSpan silence)
    {
        var gone = new List<string>();
        foreach (var (name, entry) in entries)
        {
            if (time.GetElapsedTime(entry.Seen) > silence && entries.TryRemove(name, out _))
                gone.Add(name);
        }
        return gone;
    }

    /// <summary>The workers as scaling sees them.</summary>
    public IReadOnlyList<WorkerView> List() => [.. entries.Select(e => e.Value.View(e.Key, time)).OrderBy(w => w.Id, StringComparer.Ordinal)];

    /// <summary>Jobs that the workers can run at a time, draining ones left out.</summary>
    public int Lanes => entries.Values.Where(e => !e.Draining).Sum(e => e.Lanes);

    /// <summary>The workers' models, by worker.</summary>
    public IReadOnlyList<(string Worker, WorkerModel Model)> Models =>
        [.. entries.OrderBy(e => e.Key, StringComparer.Ordinal).SelectMany(e => e.Value.Models.Select(m => (e.Key, m)))];

    /// <summary>True if a worker has this model, in whatever version.</summary>
    public bool HasModel(string id) => entries.Values.Any(e => e.Models.Any(m => m.Version is not null && m.Id == id));

    /// <summary>True when no worker has joined.</summary>
    public bool IsEmpty => entries.IsEmpty;

    private void Change(string worker, int by)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Add(by, time.GetTimestamp());
    }

    private sealed class Entry(int lanes, IReadOnlyList<WorkerModel> models, long now)
    {
        private readonly Lock gate = new();
        private int held;
        private long since = now;

        public int Lanes { get; } = lanes;

        public IReadOnlyList<WorkerModel> Models { get; private set; } = models;

        // Without a timer there is nothing in it to dispose of.
        public CancellationTokenSource ModelsChanged { get; private set; } = new();

        public long Joined { get; } = now;

        public long Seen { get; private set; } = now;

        public bool Draining { get; set; }

        public void Add(int by, long at)
        {
            lock (gate)
                Apply(Math.Max(0, held + by), at);
        }

        public void Set(int count, long at)
        {
            lock (gate)
                Apply(count, at);
        }

        public void SetModels(IReadOnlyList<WorkerModel> now)
        {
            CancellationTokenSource changed;
            lock (gate)
            {
                if (now.SequenceEqual(Models))
                    return;
                Models = now;
                changed = ModelsChanged;
                ModelsChanged = new CancellationTokenSource();
            }
            changed.Cancel();
        }

        public WorkerView View(string name, TimeProvider time)
        {
            lock (gate)
            {
                var state = Draining ? WorkerState.Draining : held > 0 ? WorkerState.Busy : WorkerState.Idle;
                return new WorkerView(name, state, time.GetElapsedTime(Joined), time.GetElapsedTime(since));
            }
        }

        private void Apply(int count, long at)
        {
            if ((count == 0) != (held == 0))
                since = at;
            held = count;
            Seen = at;
        }
    }
}
