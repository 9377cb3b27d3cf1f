using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2 (https://github.com/kserve/open-inference-protocol), with the binary tensors and the
/// schedule of Triton. Pictures and tensors go through the queue like all else. See docs/open-inference.md.
/// </summary>
internal sealed class OpenInferenceDoor : IDoor
{
    private static readonly string Version = typeof(OpenInferenceDoor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public void Add(IServiceCollection services) => services.AddSingleton<InferEndpoint>().AddSingleton<IErrorFormat, InferErrors>();

    public void Map(IEndpointRouteBuilder routes)
    {
        var v2 = routes.MapGroup(InferErrors.Path).ExcludeFromDescription();
        v2.MapGet("", () => Json(new ServerMetadata("spotter", Version, ["binary_tensor_data", "schedule_policy"])))
            .WithMetadata(CallCost.Other, NeedsKey.OfAnyKind);
        v2.MapGet("/health/live", () => Json(new ServerHealth(Live: true, Ready: null))).AllowAnonymous();
        v2.MapGet("/health/ready", ReadyAsync).AllowAnonymous();
        foreach (var version in (string[])["", "/versions/{version}"])
        {
            var model = v2.MapGroup("/models/{model}" + version);
            model.MapGet("", (string model, ModelCatalogue models, string? version = null) => Json(ModelDescription.Of(Find(models, model, version))))
                .WithMetadata(CallCost.Other, NeedsKey.OfAnyKind);
            model.MapGet("/ready", IsReady).WithMetadata(CallCost.Other, NeedsKey.OfAnyKind);
            model.MapPost("/infer", (HttpContext http, string model, ModelCatalogue models, InferEndpoint endpoint, string? version = null) => endpoint.InferAsync(http, Find(models, model, version)))
                .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit);
        }
    }

    private static async Task<IResult> ReadyAsync(HealthCheckService health, CancellationToken cancel)
    {
        var report = await health.CheckHealthAsync(cancel);
        var isReady = report.Status == HealthStatus.Healthy;
        return Json(new ServerHealth(Live: true, isReady), isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static IResult IsReady(string model, ModelCatalogue models, ModelsPresenter presenter, string? version = null)
    {
        var found = Find(models, model, version);
        var isReady = presenter.Show().Models.Any(m => m.Id == found.Id && m.State == ModelState.Ready);
        return Json(new ModelReadiness(found.Id, isReady), isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static ModelInfo Find(ModelCatalogue models, string id, string? version)
    {
        // What was asked for is not repeated: it may be anything.
        var model = models.Models.FirstOrDefault(m => m.Id == id) ?? throw new SpotterException(ErrorCodes.UnknownModel, "There is no such model; GET /v1/models lists those that there are.");
        return version is null || version == model.Version
            ? model
            : throw new SpotterException(ErrorCodes.UnknownModel, $"The model '{model.Id}' has no such version; it has {model.Version}.");
    }

    private static IResult Json<T>(T value, int status = StatusCodes.Status200OK) => TypedResults.Json(value, OpenInferenceJson.Default, statusCode: status);
}
