using Microsoft.Extensions.Hosting;
using Spotter.Cli.Models;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>Keeps the catalogue as the model files are.</summary>
internal sealed class ModelService(ModelWatch watch, ModelCatalogue catalogue, ServiceSettings settings, StopSignals stop) : BackgroundService
{
    /// <summary>Told of a change before any request may choose by it: no job may ask for what no worker was told to have.</summary>
    public Action<IReadOnlyList<WatchedModel>>? Changing { get; set; }

    /// <summary>The models as last seen, the default first.</summary>
    public IReadOnlyList<WatchedModel> Models => watch.Models;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await watch.StartAsync(stop.Token);
        Publish(watch.Models);
        if (settings.Pools.Count == 0)
            catalogue.StartNobody(offersBuiltIn: settings.Models.Count > 0);
        new BroughtModels(settings.DataFolder).Follow(catalogue);
        if (catalogue.Models.Count == 0 && catalogue.StartsWorkers)
            StandardError.Complain($"no model is loaded, so no picture can be worked on; put .onnx files into {Path.Combine(settings.DataFolder, "models")}, or name one with --model FILE.");
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => watch.RunAsync(
        models =>
        {
            Changing?.Invoke(models);
            Publish(models);
        },
        stoppingToken);

    private void Publish(IReadOnlyList<WatchedModel> models) =>
        catalogue.Set([.. models.Select(m => new CatalogueModel(m.Id, m.Model, m.Error, m.BuiltIn))]);
}
