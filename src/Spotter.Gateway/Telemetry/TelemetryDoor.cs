using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Telemetry;

/// <summary>Metrics for Prometheus at <c>/metrics</c>; and traces and metrics to a collector, where one is given.</summary>
internal sealed class TelemetryDoor : IDoor
{
    public void Add(IServiceCollection services) => services
        .AddSingleton(s => s.GetRequiredService<GatewaySettings>().Telemetry)
        .AddSingleton(s => new GatewayMeters(s.GetRequiredService<TelemetrySettings>().Meter))
        .AddSingleton<TelemetryProviders>().AddSingleton<ServiceGauges>().AddHostedService<GaugeReader>();

    public void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        // The instruments first, so that they are there until what sends them has ended. From here on everything is measured.
        var meters = services.GetRequiredService<GatewayMeters>();
        var providers = services.GetRequiredService<TelemetryProviders>();
        // What never happened is 0, and not unknown.
        meters.LeasesExpired(0);
        services.GetRequiredService<DecisionLog>().Noted = noted => meters.Decided(noted.Decision);
        var (jobs, engines, time) = (services.GetRequiredService<JobService>(), services.GetRequiredService<EngineCatalogue>(), services.GetRequiredService<TimeProvider>());
        jobs.Maintenance.Reaped = meters.LeasesExpired;
        jobs.Finished = (lease, outcome, ended) =>
        {
            // The worker repeats its lease, and may make up names.
            if (engines.Find(QueueNames.EngineOf(lease.Queue)) is { } engine)
                meters.Ended(engine.Name, outcome, ended.State, time.GetUtcNow() - lease.Job.Time);
        };

        var branch = routes.CreateApplicationBuilder();
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(providers.Metrics, static _ => true, path: null, configureBranchedPipeline: null, optionsName: null);
        var write = branch.Build();
        routes.MapGet("/metrics", async (HttpContext http, ServiceGauges gauges) =>
            {
                await gauges.ReadAsync(http.RequestAborted);
                await write(http);
            })
            .WithTags("operations").WithName("getMetrics").WithMetadata(CallCost.Other, NeedsKey.ToOperate).WithSummary("Metrics as Prometheus text").Produces<string>(200, "text/plain");
    }

    /// <summary>Reads what is sent to a collector, which asks for nothing.</summary>
    private sealed class GaugeReader(ServiceGauges gauges, TelemetrySettings settings, TimeProvider time) : BackgroundService
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            if (settings.Endpoint is null)
                return;
            using var timer = new PeriodicTimer(Every, time);
            do
                await gauges.ReadAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
    }
}
