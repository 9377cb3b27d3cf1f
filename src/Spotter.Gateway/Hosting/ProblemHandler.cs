using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Hosting;

/// <summary>Answers every exception with a problem, or in the form of its protocol, and only ours with its own words.</summary>
internal sealed partial class ProblemHandler(GatewayMeters meters, StoreMonitor stores, IEnumerable<IErrorFormat> formats, ILogger<ProblemHandler> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        // The client went away, so nobody is there to tell; which of the two is seen first is chance.
        if (exception is ConnectionResetException || (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested))
        {
            CutRequests.End(httpContext);
            httpContext.Abort();
            return true;
        }
        if (CutRequests.IsCut(exception))
            CutRequests.End(httpContext);

        var problem = exception switch
        {
            SpotterException refusal => Problems.Of(refusal.Code, refusal.Message),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
                Problems.Of(ErrorCodes.BodyTooLarge, InputTerms.Default.TooLarge(BoundOf(httpContext)).Message),
            BadHttpRequestException bad => Problems.Of(ErrorCodes.InvalidRequest, Words(bad)) with { Status = bad.StatusCode },
            _ => Problems.Of(ErrorCodes.Internal, "Something went wrong inside Spotter; its log says what."),
        };
        // Turning someone away is no failure, and a thousand lines a second help nobody: the metrics count it.
        var turnedAway = exception is SpotterException { InnerException: null, Code: ErrorCodes.Busy or ErrorCodes.DeadlineUnmeetable or ErrorCodes.NoModel };
        if (problem.Status >= StatusCodes.Status500InternalServerError && !turnedAway && !stores.Note(exception))
            LogFailure(exception, httpContext.Request.Method, httpContext.Request.Path.Value ?? "");
        meters.Refused(problem.Code);
        AuditEntry.Refused(httpContext, problem);

        var response = httpContext.Response;
        if (Problems.RetryAfterSeconds(problem, (exception as SpotterException)?.RetryAfter) is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (problem.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
        response.StatusCode = problem.Status;
        if (formats.FirstOrDefault(f => f.IsFor(httpContext)) is { } format)
            await format.WriteAsync(httpContext, problem, cancellationToken);
        else
            await response.WriteAsJsonAsync(problem, ProblemJson.Default.Problem, Problems.MediaType, cancellationToken);
        return true;
    }

    /// <summary>What is wrong with a request that never got to us, in words that help its sender.</summary>
    private static string Words(BadHttpRequestException bad) => bad.StatusCode switch
    {
        StatusCodes.Status408RequestTimeout => "The request came too slowly: less than 10 KiB a second, or not whole after minutes; send it again over a better connection.",
        StatusCodes.Status414UriTooLong => "The address is too long; send what is in it as fields of a form.",
        StatusCodes.Status431RequestHeaderFieldsTooLarge => "The headers are too many or too long; send fewer.",
        _ when bad.InnerException is JsonException => "The body is not the JSON that this call takes; GET /openapi/v1.json says what it is.",
        StatusCodes.Status415UnsupportedMediaType => "The body has to be application/json.",
        _ => "The request is malformed, or ends before its end; send it again, whole.",
    };

    /// <summary>How many bytes of inputs the request could bring.</summary>
    private static long BoundOf(HttpContext http) => Math.Max(0, (http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? 0) - UploadIntake.FramingBytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, string path);
}
