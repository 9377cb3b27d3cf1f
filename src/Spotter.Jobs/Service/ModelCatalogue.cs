using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>One model as the gateway knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">What it is; null when no version of it can be used.</param>
/// <param name="Error">Why its file, as it is now, can't be used; a version from before may still serve.</param>
/// <param name="BuiltIn">True for the model that comes with Spotter.</param>
public sealed record CatalogueModel(string Id, ModelInfo? Model, JobError? Error = null, bool BuiltIn = false);

/// <summary>
/// The models that requests may choose from at this moment: those whose files are here, and those that workers from elsewhere
/// have brought. Safe to use from many threads.
/// </summary>
public sealed class ModelCatalogue
{
    /// <summary>More models of workers than this are not remembered.</summary>
    private const int MostBrought = 1000;

    private readonly Lock gate = new();

    // All lists in one, so that a reader never sees one of before and one of now.
    private volatile Lists lists;
    private IReadOnlyList<CatalogueModel> own;
    private IReadOnlyList<ModelInfo> brought = [];
    private bool startsWorkers = true;

    /// <summary>Creates a catalogue.</summary>
    /// <param name="models">The models; the first usable one is the default.</param>
    public ModelCatalogue(IReadOnlyList<CatalogueModel> models)
    {
        own = models;
        lists = Merge();
    }

    /// <summary>Creates a catalogue of models that can all be used.</summary>
    public ModelCatalogue(IEnumerable<ModelInfo> models)
        : this([.. models.Select(m => new CatalogueModel(m.Id, m))])
    {
    }

    /// <summary>
    /// True when workers are started for the files that are here. Otherwise all workers come from elsewhere, and what they
    /// bring goes first: the default is a model that somebody has. Default: true.
    /// </summary>
    public bool StartsWorkers
    {
        get => startsWorkers;
        set
        {
            lock (gate)
            {
                startsWorkers = value;
                lists = Merge();
            }
        }
    }

    /// <summary>Told, with all of them, when a worker has brought a model that was not known, or another version of it.</summary>
    public Action<IReadOnlyList<ModelInfo>> Brought { get; set; } = static _ => { };

    /// <summary>All of them, refused ones included.</summary>
    public IReadOnlyList<CatalogueModel> All => lists.All;

    /// <summary>Those that requests may choose; the first is the default.</summary>
    public IReadOnlyList<ModelInfo> Models => lists.Usable;

    /// <summary>From now on these are the models whose files are here.</summary>
    public void Set(IReadOnlyList<CatalogueModel> models)
    {
        lock (gate)
        {
            own = models;
            lists = Merge();
        }
    }

    /// <summary>
    /// A worker from elsewhere has these. They stay known when it leaves, as it may come back: their jobs wait until then.
    /// </summary>
    public void Bring(IEnumerable<ModelInfo> models)
    {
        IReadOnlyList<ModelInfo> now;
        lock (gate)
        {
            var added = models.Where(m => IsUsable(m) && !brought.Any(b => b.Id == m.Id && b.Version == m.Version)).ToList();
            if (added.Count == 0 || brought.Count + added.Count > MostBrought)
                return;
            brought = now = [.. brought.Where(b => added.All(a => a.Id != b.Id)), .. added];
            lists = Merge();
        }
        Brought(now);
    }

    /// <summary>True for queues whose jobs need no model, or one whose file, as it is now, a worker that is started here can load.</summary>
    public bool Serves(string queue) =>
        QueueNames.ModelOf(queue) is not { } model || (StartsWorkers && own.Any(m => m.Id == model && m is { Model: not null, Error: null }));

    /// <summary>Why the file of a model, as it is now, can't be used; null when it can, and when there is none.</summary>
    public JobError? ErrorOf(string model) => own.FirstOrDefault(m => m.Id == model)?.Error;

    /// <summary>True for a model that is known, whether or not anybody has it now.</summary>
    public bool Knows(string model) => lists.All.Any(m => m.Id == model);

    /// <summary>What a worker says of a model, it says of a file that somebody else named.</summary>
    private static bool IsUsable(ModelInfo model) =>
        model.Id.Length is > 0 and <= 128 && model.Id.All(c => !char.IsControl(c) && c is not ('/' or '\\')) && model.Engine.Length > 0;

    private Lists Merge()
    {
        var served = brought.Select(b => own.FirstOrDefault(o => o.Id == b.Id) ?? new CatalogueModel(b.Id, b)).ToList();
        List<CatalogueModel> all = startsWorkers ? [.. own, .. served.Except(own)] : [.. served, .. own.Except(served)];
        return new(all, [.. all.Select(m => m.Model).OfType<ModelInfo>()]);
    }

    private sealed record Lists(IReadOnlyList<CatalogueModel> All, IReadOnlyList<ModelInfo> Usable);
}
