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
    private volatile IReadOnlyList<string> elsewhere = [];
    private bool startsWorkers = true;
    private bool offersBuiltIn = true;

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
    /// True when workers are started for the files that are here. Otherwise all workers come from elsewhere; what one of them
    /// has now goes first, so the default is a model that somebody has. True until <see cref="StartNobody"/>.
    /// </summary>
    public bool StartsWorkers => startsWorkers;

    /// <summary>No worker is started here: all come from elsewhere.</summary>
    /// <param name="offersBuiltIn">Whether the model that comes with Spotter is there although no worker has brought it, since somebody asked for it.</param>
    public void StartNobody(bool offersBuiltIn)
    {
        lock (gate)
        {
            (startsWorkers, this.offersBuiltIn) = (false, offersBuiltIn);
            lists = Merge();
        }
    }

    /// <summary>Told, with all of them, when a worker has brought a model that was not known, or another version of it.</summary>
    public Action<IReadOnlyList<ModelInfo>> Brought { get; set; } = static _ => { };

    /// <summary>Told of <see cref="Engines"/> at once, and whenever they change.</summary>
    public Action<IReadOnlyList<ModelInfo>> EnginesChanged
    {
        get;
        set
        {
            lock (gate)
            {
                field = value;
                value(lists.Engines);
            }
        }
    } = static _ => { };

    /// <summary>Whether a worker of this gateway has a model now. Default: nobody knows of any.</summary>
    public Func<string, bool> IsHad { get; set; } = static _ => false;

    /// <summary>All of them, refused ones included.</summary>
    public IReadOnlyList<CatalogueModel> All => startsWorkers ? lists.All : [.. lists.All.OrderByDescending(m => IsHad(m.Id) || IsElsewhere(m.Id))];

    /// <summary>Those that requests may choose; the first is the default.</summary>
    public IReadOnlyList<ModelInfo> Models => startsWorkers ? lists.Usable : [.. lists.Usable.OrderByDescending(m => IsHad(m.Id) || IsElsewhere(m.Id))];

    /// <summary>The engines that workers bring, each under its name; the newest that was heard of each.</summary>
    public IReadOnlyList<ModelInfo> Engines => lists.Engines;

    /// <summary>True for an engine that a worker brings, or brought.</summary>
    public bool HasEngine(string name) => lists.Engines.Any(e => e.Id == name);

    /// <summary>Those whose files are here and good, if workers are started for them.</summary>
    public IReadOnlyList<ModelInfo> Started => startsWorkers ? [.. own.Where(m => m.Error is null).Select(m => m.Model).OfType<ModelInfo>()] : [];

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
        lock (gate)
        {
            var changed = models.Where(m => IsUsable(m) && !IsTaken(m) && !brought.Any(b => SaySame(b, m))).DistinctBy(m => m.Id, StringComparer.Ordinal).ToList();
            var added = changed.Where(m => brought.All(b => b.Id != m.Id)).ToList();
            if (changed.Count == 0 || brought.Count + added.Count > MostBrought)
                return;
            // A new version takes the place of the one before.
            brought = [.. brought.Select(b => changed.FirstOrDefault(m => m.Id == b.Id) ?? b), .. added];
            lists = Merge();
            // With the lock held, so that whoever keeps them gets the newest last.
            if (changed.Exists(m => m.Declared is not null))
                EnginesChanged(lists.Engines);
            Brought(brought);
        }
    }

    /// <summary>Other gateways on the same store have these now.</summary>
    public void Hear(IReadOnlyList<ModelInfo> others)
    {
        elsewhere = [.. others.Select(m => m.Id)];
        // An engine that is had here stays what it is, unless a newer one is had elsewhere.
        Bring(others.Where(m => m.Declared is null || !IsHad(m.Id) || Engines.FirstOrDefault(e => e.Id == m.Id) is not { } known || EngineVersion.Compare(m.Version, known.Version) > 0));
    }

    /// <summary>True for a model that another gateway's workers have, or will have once they are started.</summary>
    public bool IsElsewhere(string model) => elsewhere.Contains(model, StringComparer.Ordinal);

    /// <summary>True for queues whose jobs need no model, or only such whose files, as they are now, a worker that is started here can load.</summary>
    public bool Serves(string queue) =>
        QueueNames.ModelsOf(queue).All(model => StartsWorkers && own.Any(m => m.Id == model && m is { Model: not null, Error: null }))
        && (QueueNames.ThenOf(queue) is not { } then || AreTogether(QueueNames.ModelOf(queue)!, then));

    /// <summary>Whether the workers that are started here for one model load another one too. Default: they load all.</summary>
    public Func<string, string, bool> AreTogether { get; set; } = static (_, _) => true;

    /// <summary>Why the file of a model, as it is now, can't be used; null when it can, and when there is none.</summary>
    public JobError? ErrorOf(string model) => own.FirstOrDefault(m => m.Id == model)?.Error;

    /// <summary>True for a model whose file is here, good or not.</summary>
    public bool IsOwn(string model) => own.Any(m => m.Id == model);

    /// <summary>True for a model that is known, whether or not anybody has it now.</summary>
    public bool Knows(string model) => lists.All.Any(m => m.Id == model) || HasEngine(model);

    /// <summary>What a worker says of a model, it says of a file that somebody else named.</summary>
    private static bool IsUsable(ModelInfo model) => ModelInfo.IsId(model.Id) && model.Engine.Length > 0 && model.Labels.All(label => label is not null);

    /// <summary>An engine of a worker takes no model's id, and no model an engine's: their queues would be mixed up.</summary>
    private bool IsTaken(ModelInfo model) =>
        brought.Any(b => b.Id == model.Id && b.Declared is null != model.Declared is null) || (model.Declared is not null && own.Any(o => o.Id == model.Id));

    private static bool SaySame(ModelInfo one, ModelInfo other) =>
        one.Id == other.Id && one.Version == other.Version
        && (one.Declared is null ? other.Declared is null : other.Declared is { } declared && RawJson.Of(one.Declared, SpotterJson.Default.EngineDeclaration) == RawJson.Of(declared, SpotterJson.Default.EngineDeclaration));

    private Lists Merge()
    {
        IReadOnlyList<ModelInfo> engines = [.. brought.Where(b => b.Declared is not null)];
        var here = own.Where(o => offersBuiltIn || !o.BuiltIn || brought.Any(b => b.Id == o.Id)).ToList();
        List<CatalogueModel> all = [.. here, .. brought.Where(b => b.Declared is null && own.All(o => o.Id != b.Id)).Select(b => new CatalogueModel(b.Id, b))];
        if (!startsWorkers)
            all = [.. all.OrderBy(m => m.BuiltIn)];
        return new(all, [.. all.Select(m => m.Model).OfType<ModelInfo>()], engines);
    }

    private sealed record Lists(IReadOnlyList<CatalogueModel> All, IReadOnlyList<ModelInfo> Usable, IReadOnlyList<ModelInfo> Engines);
}
