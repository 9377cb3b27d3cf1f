using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway.OpenInference;

/// <summary>Failures as the protocol tells them.</summary>
internal sealed class InferErrors : IErrorFormat
{
    /// <summary>What the addresses of all its calls begin with.</summary>
    public const string Path = "/v2";

    public bool IsFor(HttpContext http) => http.Request.Path.StartsWithSegments(Path, StringComparison.Ordinal);

    public Task WriteAsync(HttpContext http, Problem problem, CancellationToken cancel) => ResultOf(problem).ExecuteAsync(http);

    /// <summary>A failure as an answer.</summary>
    public static IResult ResultOf(Problem problem) => TypedResults.Json(new InferError(problem.Detail), OpenInferenceJson.Default.InferError, statusCode: problem switch
    {
        { Code: ErrorCodes.UnknownModel or ErrorCodes.UnknownEngine } => StatusCodes.Status404NotFound,
        // What is wrong with the request has one status here.
        { Status: StatusCodes.Status415UnsupportedMediaType or StatusCodes.Status422UnprocessableEntity or StatusCodes.Status409Conflict } => StatusCodes.Status400BadRequest,
        var other => other.Status,
    });
}
