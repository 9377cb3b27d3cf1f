using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Models;
using Spotter.Gateway.Results;

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

        operations.MapGet("/v1/caller", (HttpContext http) => TypedResults.Json(Show(Caller.Of(http)), OperationsJson.Default.CallerView))
            .WithName("getCaller").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("Whose the key is that the request shows, and what it may do").Produces<CallerView>();

        operations.MapGet("/v1/models", (ModelsPresenter models) =>
                TypedResults.Json(models.Show(), ModelsJson.Default.ModelsView))
            .WithName("listModels").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("The models that requests may choose from, and what is loaded where").Produces<ModelsView>();

        operations.MapGet("/v1/engines", (EnginesPresenter engines) =>
                TypedResults.Json(engines.Show(), ModelsJson.Default.EnginesView))
            .WithName("listEngines").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("The engines that requests may choose, those of workers included").Produces<EnginesView>();

        operations.MapGet("/v1/samples/{name}", (string name, SamplePictures samples) => new BlobResult(samples.Open(name), "image/jpeg"))
            .WithName("getSample").WithMetadata(CallCost.Other, NeedsKey.OfAnyKind).WithSummary("A picture to try the built-in model on")
            .Produces(200, contentType: "image/jpeg").Produces<Problem>(404, Problems.MediaType);

        operations.MapGet("/healthz", () => TypedResults.Json(new HealthView("healthy"), OperationsJson.Default.HealthView))
            .AllowAnonymous().WithName("isHealthy").WithSummary("Answers while the process works").Produces<HealthView>();

        operations.MapGet("/readyz", ReadyAsync)
            .AllowAnonymous().WithName("isReady").WithSummary("Answers 200 while jobs are accepted").Produces<HealthView>().Produces<Problem>(503, Problems.MediaType);
    }

    private static CallerView Show(Caller caller) => new(caller.By, caller.Tenant.Length == 0 ? null : caller.Tenant, ApiKey.NamesOf(caller.Scopes));

    private static async Task<IResult> ReadyAsync(HealthCheckService health, CancellationToken cancel)
    {
        var report = await health.CheckHealthAsync(cancel);
        if (report.Status == HealthStatus.Healthy)
            return TypedResults.Json(new HealthView("ready"), OperationsJson.Default.HealthView);
        throw report.Entries.Values.Select(e => e.Exception).OfType<SpotterException>().FirstOrDefault()
            ?? new SpotterException(ErrorCodes.Busy, $"Not ready: {string.Join(", ", report.Entries.Where(e => e.Value.Status != HealthStatus.Healthy).Select(e => e.Key))}.");
    }
}
