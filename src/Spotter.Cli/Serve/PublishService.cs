using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Backends;
using Spotter.Cli.Settings;
using Spotter.Core.Settings;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Publishing;

namespace Spotter.Cli.Serve;

/// <summary>Publishes the backlog for a scaler outside Spotter, where that is asked for; of several gateways on one store one does.</summary>
internal sealed class PublishService : BackgroundService
{
    private readonly IMetricSink? sink;
    private readonly MetricPublisher? publisher;

    public PublishService(SettingReader settings, Backend backend, GatewayName name, WorkerPools pools, TimeProvider time, ILogger<MetricPublisher> log)
    {
        sink = PublishSection.Open(settings, time);
        if (sink is null)
            return;
        publisher = new MetricPublisher(
            backend.Jobs, () => pools.List().Count(w => w.State != WorkerState.Draining), sink, settings.Get(PublishSection.Interval),
            settings.Get(PublishSection.WhenEmpty), time, log, new ControllerTerm(backend.Controllers, () => "publish", name.Name, time));
    }

    public override void Dispose()
    {
        (sink as IDisposable)?.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => publisher?.RunAsync(stoppingToken) ?? Task.CompletedTask;
}
