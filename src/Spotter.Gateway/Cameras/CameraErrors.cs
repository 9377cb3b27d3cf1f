using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Cameras;

/// <summary>Failures in the words of DeepStack or CodeProject.AI.</summary>
internal sealed class CameraErrors(GatewaySettings settings, CameraPort port) : IErrorFormat
{
    private static readonly PathString[] Paths = ["/v1/vision", "/v1/status", "/v1/server/status"];

    public bool IsFor(HttpContext http) => port.Is(http) || Paths.Any(path => http.Request.Path.StartsWithSegments(path, StringComparison.Ordinal));

    public Task WriteAsync(HttpContext http, Problem problem, CancellationToken cancel)
    {
        if (settings.Cameras.Errors == CameraErrorStyle.CodeProject)
        {
            http.Response.StatusCode = StatusCodes.Status200OK;
            return WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(new CodeProjectError(problem.Detail, http.Request.Host.Host), CameraJson.Default.CodeProjectError), cancel);
        }
        http.Response.StatusCode = StatusOf(problem);
        return WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(new DeepStackError(problem.Detail), CameraJson.Default.DeepStackError), cancel);
    }

    /// <summary>DeepStack knows one status for all that is wrong with a picture or a field, and 404 for a model that it has not.</summary>
    internal static int StatusOf(Problem problem) => problem switch
    {
        { Code: Core.ErrorCodes.UnknownModel or Core.ErrorCodes.UnknownEngine } => StatusCodes.Status404NotFound,
        { Status: StatusCodes.Status415UnsupportedMediaType or StatusCodes.Status422UnprocessableEntity } => StatusCodes.Status400BadRequest,
        _ => problem.Status,
    };

    private static Task WriteAsync(HttpContext http, byte[] json, CancellationToken cancel)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.Length;
        return http.Response.Body.WriteAsync(json, cancel).AsTask();
    }
}
