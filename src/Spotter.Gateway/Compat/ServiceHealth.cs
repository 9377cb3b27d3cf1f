using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary><c>GET /health</c>: whether the service can do its work, not only whether it answers.</summary>
/// <param name="Status"><c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="Message">Why.</param>
internal sealed record ServiceHealth(string Status, string Message)
{
    public static async Task<IResult> AnswerAsync(HealthCheckService checks, JobService jobs, ModelCatalogue models, CancellationToken cancel)
    {
        var report = await checks.CheckHealthAsync(cancel);
        var trouble = report.Status != HealthStatus.Healthy ? report.Entries.Values.Select(e => e.Exception?.Message ?? e.Description).FirstOrDefault(m => m is not null) ?? "The service takes no jobs at this moment."
            : models.Models.Count == 0 ? "There is no model that can be used."
            : jobs.Backlog.Latest is { } known && jobs.Unserved.In(known.Counts) is [var queue, ..] ? queue.Reason
            : null;
        return trouble is null
            ? TypedResults.Json(new ServiceHealth("healthy", "Service is up and running!"), ServiceHealthJson.Default.ServiceHealth)
            : TypedResults.Json(new ServiceHealth("unhealthy", trouble), ServiceHealthJson.Default.ServiceHealth, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ServiceHealth))]
internal sealed partial class ServiceHealthJson : JsonSerializerContext;
