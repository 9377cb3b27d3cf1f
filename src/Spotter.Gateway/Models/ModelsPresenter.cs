using Spotter.Jobs;

namespace Spotter.Gateway.Models;

/// <summary>Shows the models together with what is loaded where.</summary>
internal sealed class ModelsPresenter(ModelCatalogue catalogue, WorkerRoster roster, SamplePictures samples)
{
    public ModelsView Show()
    {
        var byDefault = catalogue.Models is [var first, ..] ? first.Id : null;
        var loaded = roster.Models.ToLookup(m => m.Model.Id, StringComparer.Ordinal);
        return new ModelsView([.. catalogue.All.Select(m => Show(m, [.. loaded[m.Id].Select(Show)], m.Id == byDefault))], byDefault);
    }

    private ModelView Show(CatalogueModel model, IReadOnlyList<ModelPlace> places, bool isDefault) => new()
    {
        Id = model.Id,
        Engine = model.Model?.Engine,
        Family = model.Model?.Family,
        InputWidth = model.Model?.InputWidth ?? 0,
        InputHeight = model.Model?.InputHeight ?? 0,
        Labels = model.Model?.Labels ?? [],
        Version = model.Model?.Version,
        State = StateOf(model, places),
        Error = Problems.Of(model.Error),
        Unsure = model.Model?.Unsure,
        BuiltIn = model.BuiltIn,
        Default = isDefault,
        Samples = model is { BuiltIn: true, Model: not null } ? samples.Urls : [],
        LoadedBy = places,
    };

    private static ModelPlace Show((string Worker, Spotter.Jobs.WorkerModel Model) place) =>
        new(place.Worker, place.Model.Version, Problems.Of(place.Model.Error)) { Device = place.Model.Device };

    /// <summary>Without workers nothing is loaded, nor has it to be: the first that comes loads what there is.</summary>
    private ModelState StateOf(CatalogueModel model, IReadOnlyList<ModelPlace> places) =>
        model.Model is null ? ModelState.Refused
        : !IsStarted(model) && places.All(p => p.Version is null) && roster.LoadingOf(model.Id).Workers == 0
            ? catalogue.IsElsewhere(model.Id) ? ModelState.Ready : ModelState.Absent
        : roster.IsEmpty || places.Any(p => p.Version == model.Model.Version) ? ModelState.Ready
        : ModelState.Loading;

    private bool IsStarted(CatalogueModel model) => catalogue.StartsWorkers && catalogue.IsOwn(model.Id);
}
