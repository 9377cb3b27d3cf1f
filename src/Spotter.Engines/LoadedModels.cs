using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Inference;

namespace Spotter.Engines;

/// <summary>
/// The models of a worker, which come, go and are replaced while jobs run: a job that began on a version ends on it,
/// and a version is disposed of when the last of its jobs has ended. Safe to use from many threads.
/// </summary>
public sealed class LoadedModels : IDisposable
{
    private readonly Lock gate = new();
    private readonly OrderedDictionary<string, Place> places = new(StringComparer.Ordinal);

    // Without a timer there is nothing in it to dispose of.
    private CancellationTokenSource changed = new();
    private bool disposed;

    /// <summary>The queues whose jobs can be run now.</summary>
    /// <param name="queuesOf">The queues of the jobs that can be run with these models.</param>
    public ServedQueues Served(Func<IEnumerable<ModelInfo>, IEnumerable<string>> queuesOf)
    {
        lock (gate)
            return new([.. queuesOf(places.Values.Select(p => p.Loaded?.Model.Model).OfType<ModelInfo>())], changed.Token);
    }

    /// <summary>What there is to say of the models, those that could not be loaded included.</summary>
    public IReadOnlyList<WorkerModel> List()
    {
        lock (gate)
            return [.. places.Select(p => new WorkerModel(p.Key, p.Value.Loaded?.Version) { Error = p.Value.Error, IsLoading = p.Value.IsLoading, IsNext = p.Value.IsNext, Info = InfoOf(p.Value), Device = p.Value.Loaded?.Model.DeviceName })];
    }

    /// <summary>The version of a model that is there; null when there is none.</summary>
    public string? VersionOf(string id)
    {
        lock (gate)
            return places.TryGetValue(id, out var place) ? place.Loaded?.Version : null;
    }

    /// <summary>A model for one job; dispose of the use when the job has ended. Null when there is no such model.</summary>
    public Use? TryUse(string? id)
    {
        lock (gate)
            return id is not null && places.TryGetValue(id, out var place) && place.Loaded is { } loaded ? new Use(loaded) : null;
    }

    /// <summary>Notes that a model is to be loaded, unless something is known of it already.</summary>
    public void Expect(string id) => Change(places =>
    {
        places.TryAdd(id, new Place(null, null, IsLoading: true, IsNext: true));
        return null;
    });

    /// <summary>Notes that a model, or a new version of it, is being loaded.</summary>
    public void Begin(string id) => Change(places =>
    {
        places[id] = new Place(places.TryGetValue(id, out var place) ? place.Loaded : null, place?.Error, IsLoading: true);
        return null;
    });

    /// <summary>Puts a model, which belongs to these from now on, in the place of the one with its id.</summary>
    /// <param name="model">The model, warm.</param>
    /// <param name="version">Which version it is.</param>
    public void Set(VisionModel model, string version)
    {
        Change(places =>
        {
            var id = model.Model.Id;
            var earlier = places.TryGetValue(id, out var place) ? place.Loaded : null;
            places[id] = new Place(new Held(model, version), Error: null);
            return earlier;
        });
    }

    /// <summary>Notes that a model, or its newest version, can't be loaded. The version that is there stays.</summary>
    public void Fail(string id, JobError error) => Change(places =>
    {
        places[id] = new Place(places.TryGetValue(id, out var place) ? place.Loaded : null, error);
        return null;
    });

    /// <summary>Notes that the version that is there is the newest again.</summary>
    public void Confirm(string id) => Change(places =>
    {
        if (places.TryGetValue(id, out var place))
            places[id] = place with { Error = null, IsLoading = false };
        return null;
    });

    /// <summary>Takes a model away.</summary>
    public void Remove(string id) => Change(places => places.Remove(id, out var place) ? place.Loaded : null);

    /// <inheritdoc/>
    public void Dispose() => Change(places =>
    {
        disposed = true;
        foreach (var place in places.Values)
            place.Loaded?.Release();
        places.Clear();
        return null;
    });

    private static ModelInfo? InfoOf(Place place) => place.Loaded is { } loaded ? loaded.Model.Model with { Version = loaded.Version } : null;

    private void Change(Func<OrderedDictionary<string, Place>, Held?> change)
    {
        Held? gone;
        CancellationTokenSource before;
        lock (gate)
        {
            gone = change(places);
            if (disposed)
            {
                // A model that was still being loaded has come too late.
                foreach (var place in places.Values)
                    place.Loaded?.Release();
                places.Clear();
            }
            before = changed;
            changed = new CancellationTokenSource();
        }
        gone?.Release();
        before.Cancel();
    }

    /// <summary>The right to run a model, for as long as this is not disposed of.</summary>
    public sealed class Use : IDisposable
    {
        private readonly Held held;

        internal Use(Held held)
        {
            this.held = held;
            held.Retain();
        }

        /// <summary>The model.</summary>
        public VisionModel Model => held.Model;

        /// <summary>Which version of it.</summary>
        public string Version => held.Version;

        /// <inheritdoc/>
        public void Dispose() => held.Release();
    }

    /// <summary>One version of a model, and how many need it: the table above and each job that runs.</summary>
    internal sealed class Held(VisionModel model, string version)
    {
        private int needed = 1;

        public VisionModel Model { get; } = model;

        public string Version { get; } = version;

        public void Retain() => Interlocked.Increment(ref needed);

        public void Release()
        {
            if (Interlocked.Decrement(ref needed) == 0)
                Model.Dispose();
        }
    }

    private sealed record Place(Held? Loaded, JobError? Error, bool IsLoading = false, bool IsNext = false);
}
