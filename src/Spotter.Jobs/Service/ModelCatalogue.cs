using Spotter.Core;


namespace Spotter.Jobs;

/// <summary>One model as the gateway knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">What it is; null when no version of it can be used.</param>
/// <param name="Error">Why its file, as it is now, can't be used; a version from before may still serve.</param>
/// <param name="BuiltIn">True for the model that comes with Spotter.</param>
public sealed record CatalogueModel(string Id, ModelInfo? Model, JobError? Error = null, bool BuiltIn = false);

/// <summary>The models that requests may choose from at this moment. Safe to use from many threads.</summary>
public sealed class ModelCatalogue
{
    // Both lists in one, so that a reader never sees one of before and one of now.
    private volatile Lists lists;

    /// <summary>Creates a catalogue.</summary>
    /// <param name="models">The models; the first usable one is the default.</param>
    public ModelCatalogue(IReadOnlyList<CatalogueModel> models) => lists = new(models, Usable(models));

    /// <summary>Creates a catalogue of models that can all be used.</summary>
    public ModelCatalogue(IEnumerable<ModelInfo> models)
        : this([.. models.Select(m => new CatalogueModel(m.Id, m))])
    {
    }

    /// <summary>All of them, refused ones included.</summary>
    public IReadOnlyList<CatalogueModel> All => lists.All;

    /// <summary>Those that requests may choose; the first is the default.</summary>
    public IReadOnlyList<ModelInfo> Models => lists.Usable;

    /// <summary>From now on these are the models.</summary>
    public void Set(IReadOnlyList<CatalogueModel> models) => lists = new(models, Usable(models));

    /// <summary>True for queues whose jobs need no model, or one whose file, as it is now, a worker that starts can load.</summary>
    public bool Serves(string queue) =>
        QueueNames.ModelOf(queue) is not { } model || lists.All.Any(m => m.Id == model && m is { Model: not null, Error: null });

    /// <summary>Why the file of a model, as it is now, can't be used; null when it can, and when there is none.</summary>
    public JobError? ErrorOf(string model) => lists.All.FirstOrDefault(m => m.Id == model)?.Error;

    private static List<ModelInfo> Usable(IReadOnlyList<CatalogueModel> models) => [.. models.Select(m => m.Model).OfType<ModelInfo>()];

    private sealed record Lists(IReadOnlyList<CatalogueModel> All, IReadOnlyList<ModelInfo> Usable);
}
