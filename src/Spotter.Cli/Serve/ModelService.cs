using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Cli.Models;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>Keeps the catalogue as the model files are.</summary>
internal sealed partial class ModelService(ModelWatch watch, ModelCatalogue catalogue, ServiceSettings settings, StopSignals stop, ILogger<ModelService> log) : BackgroundService
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
            foreach (var refused in models.Where(m => m.Error is { } error && catalogue.ErrorOf(m.Id) != error))
                LogRefused(refused.Id, refused.Error!.Detail);
            Changing?.Invoke(models);
            Publish(models);
        },
        stoppingToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model {Model} can't be used as its file is now. {Reason}")]
    private partial void LogRefused(string model, string reason);

    private void Publish(IReadOnlyList<WatchedModel> models) =>
        catalogue.Set([.. models.Select(m => new CatalogueModel(m.Id, m.Model, m.Error, m.BuiltIn))]);
}
