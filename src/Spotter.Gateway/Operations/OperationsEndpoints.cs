using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Models;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Gateway.Operations;

/// <summary>What those who run the service look at.</summary>
internal sealed class OperationsEndpoints : IDoor
{
    public void Add(IServiceCollection services) => services.AddHealthChecks().AddCheck<AcceptanceCheck>("accepts jobs");

    public void Map(IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("").WithTags("operations");

        operations.MapGet("/v1/stats", async (ServiceState state, CancellationToken cancel) =>
                TypedResults.Json(await state.ReadAsync(cancel), OperationsJson.Default.StatsView))
            .WithName("getStats").WithMetadata(CallCost.Other, NeedsKey.ToRead).WithSummary("Backlog and workers at this moment").Produces<StatsView>();

        operations.MapGet("/v1/models", (ModelsPresenter models) =>
                TypedResults.Json(models.Show(), ModelsJson.Default.ModelsView))
            .WithName("listModels").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("The models that requests may choose from, and what is loaded where").Produces<ModelsView>();

        operations.MapGet("/v1/samples/{name}", (string name, SamplePictures samples) => new BlobResult(samples.Open(name), "image/jpeg"))
            .WithName("getSample").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("A picture to try the built-in model on")
            .Produces(200, contentType: "image/jpeg").Produces<Problem>(404, Problems.MediaType);

        operations.MapGet("/healthz", () => TypedResults.Json(new HealthView("healthy"), OperationsJson.Default.HealthView))
            .AllowAnonymous().WithName("isHealthy").WithSummary("Answers while the process works").Produces<HealthView>();

        operations.MapGet("/readyz", ReadyAsync)
            .AllowAnonymous().WithName("isReady").WithSummary("Answers 200 while jobs are accepted").Produces<HealthView>().Produces<Problem>(503, Problems.MediaType);

        operations.MapGet("/metrics", async (ServiceState state, IOutbox outbox, PrometheusText metrics, CancellationToken cancel) =>
                TypedResults.Text(metrics.Write(Gauges(await state.ReadAsync(cancel), await outbox.PendingAsync(cancel))), "text/plain; version=0.0.4; charset=utf-8"))
            .WithName("getMetrics").WithMetadata(CallCost.Other, NeedsKey.ToOperate).WithSummary("Metrics as Prometheus text").Produces<string>(200, "text/plain");
    }

    private static async Task<IResult> ReadyAsync(HealthCheckService health, CancellationToken cancel)
    {
        var report = await health.CheckHealthAsync(cancel);
        if (report.Status == HealthStatus.Healthy)
            return TypedResults.Json(new HealthView("ready"), OperationsJson.Default.HealthView);
        throw report.Entries.Values.Select(e => e.Exception).OfType<SpotterException>().FirstOrDefault()
            ?? new SpotterException(ErrorCodes.Busy, $"Not ready: {string.Join(", ", report.Entries.Where(e => e.Value.Status != HealthStatus.Healthy).Select(e => e.Key))}.");
    }

    private static IEnumerable<PrometheusText.Gauge> Gauges(StatsView stats, long pendingDeliveries)
    {
        const string Jobs = "spotter_jobs";
        const string JobsHelp = "Jobs by state.";
        yield return new(Jobs, JobsHelp, "state=\"queued\"", stats.Queued);
        yield return new(Jobs, JobsHelp, "state=\"running\"", stats.Running);
        yield return new(Jobs, JobsHelp, "state=\"succeeded\"", stats.Succeeded);
        yield return new(Jobs, JobsHelp, "state=\"failed\"", stats.Failed);
        yield return new(Jobs, JobsHelp, "state=\"dead\"", stats.Dead);
        yield return new(Jobs, JobsHelp, "state=\"cancelled\"", stats.Cancelled);
        const string Workers = "spotter_workers";
        const string WorkersHelp = "Workers by state.";
        yield return new(Workers, WorkersHelp, "state=\"booting\"", stats.Booting);
        yield return new(Workers, WorkersHelp, "state=\"loading\"", stats.Loading);
        yield return new(Workers, WorkersHelp, "state=\"idle\"", stats.Idle);
        yield return new(Workers, WorkersHelp, "state=\"busy\"", stats.Busy);
        yield return new(Workers, WorkersHelp, "state=\"draining\"", stats.Draining);
        yield return new("spotter_workers_desired", "Workers wanted.", "", stats.DesiredWorkers);
        yield return new("spotter_queue_oldest_seconds", "Age of the oldest waiting job.", "", stats.OldestSeconds);
        yield return new("spotter_deliveries_pending", $"Deliveries that are to be made, or tried again; {IOutbox.MostCounted} when there are more.", "", pendingDeliveries);
        using var process = Process.GetCurrentProcess();
        yield return new("process_resident_memory_bytes", "Resident memory of the gateway.", "", process.WorkingSet64);
        yield return new("process_cpu_seconds", "Processor time of the gateway.", "",
            Math.Round(process.TotalProcessorTime.TotalSeconds, 3));
    }
}
