using System.Collections.Concurrent;

namespace Spotter.Jobs;

/// <summary>The workers that have joined a gateway, and what each last said of itself. Lives in memory: workers join again.</summary>
public sealed class WorkerRoster(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>How long models take to be loaded.</summary>
    public LoadTimes Loads { get; } = new();

    /// <summary>A worker has joined, perhaps again; <paramref name="order"/> is the newest that it knows.</summary>
    public void Join(string worker, int lanes, IReadOnlyList<WorkerModel> models, int order = 0)
    {
        var joined = new Entry(lanes, time.GetTimestamp(), order);
        joined.SetModels(models, time, Loads);
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
            entry.SetModels(models, time, Loads);
    }

    /// <summary>Cancelled when the worker has other models than now, or joins again.</summary>
    public CancellationToken ModelsChanged(string worker) =>
        entries.TryGetValue(worker, out var entry) ? entry.ModelsChanged.Token : new CancellationToken(canceled: true);

    /// <summary>A worker has left or is known to be dead; true if it was there.</summary>
    public bool Leave(string worker)
    {
        if (!entries.TryRemove(worker, out var entry))
            return false;
        entry.TryLeave(onlyDraining: false);
        return true;
    }

    /// <summary>A worker that was told to drain has nothing left. True if it may go, and is known no more; false if it is to stay after all.</summary>
    public bool LeaveIfDraining(string worker)
    {
        if (!entries.TryGetValue(worker, out var entry))
            return true;
        if (!entry.TryLeave(onlyDraining: true))
            return false;
        entries.TryRemove(new(worker, entry));
        return true;
    }

    /// <summary>True if the worker has joined and not left.</summary>
    public bool Has(string worker) => entries.ContainsKey(worker);

    /// <summary>A worker has taken a job; <paramref name="alone"/> if that runs with no neighbours, so that it is to blame if the worker dies.</summary>
    public void Took(string worker, bool alone = false, bool withModel = true)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Took(alone, withModel, time.GetTimestamp());
        Change(worker, +1);
    }

    /// <summary>A worker has ended a job.</summary>
    public void Ended(string worker) => Change(worker, -1);

    /// <summary>A sign of life, with the number of leases that the worker really holds and the processor time that it has used since its start.</summary>
    public void Heartbeat(string worker, int held, TimeSpan? cpu = null)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Set(held, cpu, time);
    }

    /// <summary>A worker says how far its jobs are.</summary>
    public void Progressed(string worker, IReadOnlyList<Lease> leases)
    {
        if (!entries.TryGetValue(worker, out var entry))
            return;
        // A sign of life, whatever the store says of the leases.
        entry.Touch(time.GetTimestamp());
        entry.Progress = leases.Any(l => l.Progress is not null) ? leases.DistinctBy(l => l.Job).ToDictionary(l => l.Job, l => l.Progress) : null;
    }

    /// <summary>How far a worker's job was at its last sign of life, 0 to 1; null when it does not say.</summary>
    public double? ProgressOf(string? worker, JobId job) =>
        worker is not null && entries.TryGetValue(worker, out var entry) ? entry.Progress?.GetValueOrDefault(job) : null;

    /// <summary>
    /// From now on the worker is told to drain, or to stay after all. The number of the order, which rises with each;
    /// null if the worker is not there, or has been told that it may go, or is to stay and goes whatever it is told.
    /// </summary>
    public int? Drain(string worker, bool drain) => entries.TryGetValue(worker, out var entry) ? entry.Order(drain, time.GetTimestamp()) : null;

    /// <summary>A worker says that it takes no more jobs and ends, whatever is ordered now.</summary>
    public void Leaving(string worker)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.DrainForGood(time.GetTimestamp());
    }

    /// <summary>Whether the worker is to drain, and the number of that order; 0 when none was ever given.</summary>
    public (bool Drain, int Number) OrderOf(string worker) => entries.TryGetValue(worker, out var entry) ? entry.LatestOrder : (false, 0);

    /// <summary>
    /// Who is to be given the next job, the highest first: workers with a free lane before those that would only take ahead;
    /// of the former those that work already, then whoever worked last, so that the others stay idle and can go; of the latter
    /// whoever has least; those that drain last of all.
    /// </summary>
    public long RankOf(string worker) => entries.TryGetValue(worker, out var entry) ? entry.Rank : long.MinValue;

    /// <summary>True if all that the worker has is a job that runs with no neighbours.</summary>
    public bool RunsAlone(string worker) => entries.TryGetValue(worker, out var entry) && entry.RunsAlone;

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

    /// <summary>Jobs that the workers can run at a time; those that drain or load their first model are left out.</summary>
    public int Lanes => entries.Values.Where(e => !e.Draining && e.ReadySince is not null).Sum(e => e.Lanes);

    /// <summary>The mean share of its processors (one for each lane) that a worker uses, 0 to 1; null while none has told twice.</summary>
    public double? CpuLoad => CpuLoadOf(_ => true);

    /// <summary><see cref="CpuLoad"/> of some of the workers.</summary>
    public double? CpuLoadOf(Func<string, bool> isOne)
    {
        var known = entries.Where(e => isOne(e.Key) && !e.Value.Draining).Select(e => e.Value.CpuLoad).OfType<double>().ToList();
        return known.Count == 0 ? null : known.Average();
    }

    /// <summary>The workers' models, by worker.</summary>
    public IReadOnlyList<(string Worker, WorkerModel Model)> Models =>
        [.. entries.OrderBy(e => e.Key, StringComparer.Ordinal).SelectMany(e => e.Value.Models.Select(m => (e.Key, m)))];

    /// <summary>The version of a model that a worker has; null when it has none.</summary>
    public string? VersionOf(string worker, string model) =>
        entries.TryGetValue(worker, out var entry) ? entry.Models.FirstOrDefault(m => m.Id == model)?.Version : null;

    /// <summary>True if a worker has this model, in whatever version.</summary>
    public bool HasModel(string id) => entries.Values.Any(e => e.Models.Any(m => m.Version is not null && m.Id == id));

    /// <summary>Time since a worker could first take jobs; null while it can't.</summary>
    public TimeSpan? ReadyFor(string worker) =>
        entries.TryGetValue(worker, out var entry) && entry.ReadySince is { } ready ? time.GetElapsedTime(ready) : null;

    /// <summary>How many workers load a model, and for how long the first of them has done so.</summary>
    public (int Workers, TimeSpan Longest) LoadingOf(string model)
    {
        // One that waits for its turn has not begun; it is waited for as well.
        var now = time.GetTimestamp();
        var since = entries.Values.Where(e => !e.Draining && e.Models.Any(m => m.IsLoading && m.Id == model)).Select(e => e.LoadingSince(model) ?? now).ToList();
        return since.Count == 0 ? default : (since.Count, time.GetElapsedTime(since.Min()));
    }

    /// <summary>The models that a worker loads, and for how long each has been; none for one that is not there.</summary>
    public IReadOnlyList<(string Model, TimeSpan For)> LoadingBy(string worker) =>
        entries.TryGetValue(worker, out var entry) ? [.. entry.Loading.Select(l => (l.Key, time.GetElapsedTime(l.Value)))] : [];

    /// <summary>True if one worker has all of these models, in whatever version.</summary>
    public bool HasModels(IReadOnlyList<string> ids) => entries.Values.Any(e => Has(e, ids));

    /// <summary>True when a worker besides this one has a lane free and these models.</summary>
    public bool HasFreeLane(string besides, IReadOnlyList<string> models) =>
        entries.Any(e => e.Key != besides && e.Value.HasFreeLane && Has(e.Value, models));

    private static bool Has(Entry worker, IReadOnlyList<string> ids) => ids.All(id => worker.Models.Any(m => m.Version is not null && m.Id == id));

    /// <summary>True when no worker has joined.</summary>
    public bool IsEmpty => entries.IsEmpty;

    private void Change(string worker, int by)
    {
        if (entries.TryGetValue(worker, out var entry))
            entry.Add(by, time.GetTimestamp());
    }

    private sealed class Entry(int lanes, long now, int order)
    {
        private readonly Lock gate = new();
        private int held;
        private long since = now;
        private bool draining;
        private bool gone;
        private bool isLeaving;
        private int order = order;
        private long drainingSince;
        private (TimeSpan Used, long At)? cpu;

        public int Lanes { get; } = lanes;

        public IReadOnlyList<WorkerModel> Models { get; private set; } = [];

        /// <summary>Since when each model that it loads has been loading.</summary>
        public IReadOnlyDictionary<string, long> Loading { get; private set; } = new Dictionary<string, long>(StringComparer.Ordinal);

        /// <summary>Since when it has had nothing more to load before its first job; null until then.</summary>
        public long? ReadySince { get; private set; }

        // Without a timer there is nothing in it to dispose of.
        public CancellationTokenSource ModelsChanged { get; private set; } = new();

        public IReadOnlyDictionary<JobId, double?>? Progress { get; set; }

        public long Joined { get; } = now;

        public long Seen { get; private set; } = now;

        public bool Draining => LatestOrder.Drain;

        public bool RunsAlone { get; set; }

        public double? CpuLoad { get; private set; }

        public (bool Drain, int Number) LatestOrder
        {
            get
            {
                lock (gate)
                    return (draining, order);
            }
        }

        public long Rank
        {
            get
            {
                lock (gate)
                    return draining ? long.MinValue : held >= Lanes ? -held : held > 0 ? long.MaxValue : since;
            }
        }

        public bool HasFreeLane
        {
            get
            {
                lock (gate)
                    return !draining && ReadySince is not null && held < Lanes;
            }
        }

        public int? Order(bool drain, long at)
        {
            lock (gate)
            {
                if (gone || (isLeaving && !drain))
                    return null;
                if (drain && !draining)
                    drainingSince = at;
                draining = drain;
                return ++order;
            }
        }

        /// <summary>As if that had been ordered, and nothing takes it back.</summary>
        public void DrainForGood(long at)
        {
            lock (gate)
            {
                if (!draining)
                    drainingSince = at;
                (draining, isLeaving) = (true, true);
            }
        }

        /// <summary>From now on no order reaches it.</summary>
        public bool TryLeave(bool onlyDraining)
        {
            lock (gate)
            {
                if (onlyDraining && !draining)
                    return false;
                gone = true;
                return true;
            }
        }

        public void Took(bool alone, bool withModel, long at)
        {
            lock (gate)
            {
                RunsAlone = alone;
                // Whoever takes jobs of a model has it, whatever was last heard.
                if (withModel)
                    ReadySince ??= at;
            }
        }

        public void Add(int by, long at)
        {
            lock (gate)
                Apply(Math.Max(0, held + by), at);
        }

        public void Set(int count, TimeSpan? used, TimeProvider time)
        {
            lock (gate)
            {
                var at = time.GetTimestamp();
                Apply(count, at);
                if (used is not { } now)
                    return;
                if (cpu is { } before && time.GetElapsedTime(before.At, at) is var passed && passed > TimeSpan.Zero)
                    CpuLoad = Math.Clamp((now - before.Used) / passed / Lanes, 0, 1);
                cpu = (now, at);
            }
        }

        public long? LoadingSince(string model) => Loading.TryGetValue(model, out var at) ? at : null;

        public void SetModels(IReadOnlyList<WorkerModel> now, TimeProvider time, LoadTimes loads)
        {
            CancellationTokenSource changed;
            lock (gate)
            {
                var at = time.GetTimestamp();
                if (ReadySince is null && !now.Any(m => m.IsLoading && now.All(n => n.Version is null)))
                    (ReadySince, since) = (at, held > 0 ? since : at);
                if (WorkerModel.SaySame(now, Models))
                    return;
                foreach (var model in now.Where(m => !m.IsLoading && m.Version is not null && Loading.ContainsKey(m.Id)))
                    loads.Note(model.Id, time.GetElapsedTime(Loading[model.Id], at));
                Loading = now.Where(m => m is { IsLoading: true, IsNext: false }).DistinctBy(m => m.Id, StringComparer.Ordinal).ToDictionary(m => m.Id, m => LoadingSince(m.Id) ?? at, StringComparer.Ordinal);
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
                var state = draining ? WorkerState.Draining : held > 0 ? WorkerState.Busy : ReadySince is null ? WorkerState.Loading : WorkerState.Idle;
                return new WorkerView(name, state, time.GetElapsedTime(Joined), time.GetElapsedTime(draining ? drainingSince : since));
            }
        }

        public void Touch(long at)
        {
            lock (gate)
                Seen = at;
        }

        private void Apply(int count, long at)
        {
            if ((count == 0) != (held == 0))
                since = at;
            RunsAlone &= count > 0;
            held = count;
            Seen = at;
        }
    }
}
