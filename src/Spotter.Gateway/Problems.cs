using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>A refusal as RFC 9457 writes it, with the stable code that programs look at.</summary>
/// <param name="Type">A URI for the code.</param>
/// <param name="Title">The kind of problem in a few words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What happened, to what, and what to do.</param>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, string Code);

/// <summary>Turns error codes into problems: the one place that knows which status belongs to which code.</summary>
public static class Problems
{
    /// <summary>The media type of a problem.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>The problem for a code.</summary>
    public static Problem Of(string code, string detail)
    {
        var (status, title) = Kind(code);
        return new Problem($"urn:spotter:error:{code}", title, status, detail, code);
    }

    /// <summary>The problem of a job that did not succeed; null when it has none.</summary>
    public static Problem? Of(JobError? error) => error is null ? null : Of(error.Code, error.Detail);

    /// <summary>The problem as an answer.</summary>
    public static JsonHttpResult<Problem> Result(string code, string detail)
    {
        var problem = Of(code, detail);
        return TypedResults.Json(problem, ProblemJson.Default.Problem, MediaType, problem.Status);
    }

    /// <summary>The refusal as an answer.</summary>
    public static JsonHttpResult<Problem> Result(SpotterException refusal) => Result(refusal.Code, refusal.Message);

    /// <summary>Sees to it that no error leaves without a problem: unknown paths, and what routing itself turns away.</summary>
    public static async Task ForEverythingElseAsync(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint() is null)
            throw new SpotterException(ErrorCodes.NotFound, $"There is nothing at {http.Request.Path}.");
        await next(http);

        var response = http.Response;
        if (response.StatusCode < StatusCodes.Status400BadRequest || response.HasStarted || response.ContentLength is not null || response.ContentType is not null)
            return;
        var detail = response.StatusCode switch
        {
            StatusCodes.Status405MethodNotAllowed => $"{http.Request.Path} does not take {http.Request.Method}; it takes {response.Headers.Allow}.",
            StatusCodes.Status415UnsupportedMediaType => $"{http.Request.Path} does not take this Content-Type.",
            _ => $"The request to {http.Request.Path} can't be read.",
        };
        var problem = Of(ErrorCodes.InvalidRequest, detail) with { Status = response.StatusCode };
        await response.WriteAsJsonAsync(problem, ProblemJson.Default.Problem, MediaType, http.RequestAborted);
    }

    /// <summary>
    /// What a refusal says about when to come back: whole seconds from 1 to <see cref="DrainRate.LongestRetrySeconds"/>; null when
    /// the same request would be refused again.
    /// </summary>
    /// <param name="problem">The refusal.</param>
    /// <param name="measured">What is known of the moment; null for what the kind of refusal suggests.</param>
    public static int? RetryAfterSeconds(Problem problem, TimeSpan? measured)
    {
        if (problem.Status is not (429 or 503 or 507) && problem.Code != ErrorCodes.NotReady)
            return null;
        var seconds = measured?.TotalSeconds ?? problem.Code switch
        {
            ErrorCodes.NotReady => 1,
            ErrorCodes.Busy => 2,
            ErrorCodes.StoreUnavailable => 5,
            ErrorCodes.DiskFull => 30,
            _ => 10,
        };
        return (int)Math.Ceiling(Math.Clamp(seconds, 1, DrainRate.LongestRetrySeconds));
    }

    private static (int Status, string Title) Kind(string code) => code switch
    {
        ErrorCodes.EmptyBody => (422, "Nothing was sent"),
        ErrorCodes.InvalidRequest => (400, "The request can't be read"),
        ErrorCodes.ThresholdOutOfRange => (422, "A threshold is out of range"),
        ErrorCodes.UnknownEngine => (422, "No such engine"),
        ErrorCodes.UnknownModel => (422, "No such model"),
        ErrorCodes.EngineConflict => (409, "The engine is somebody else's"),
        ErrorCodes.UnknownLabel => (422, "No such label"),
        ErrorCodes.NoModel => (503, "No model is loaded"),
        ErrorCodes.BodyTooLarge => (413, "Too many bytes"),
        ErrorCodes.TooManyImages => (400, "Too many pictures"),
        ErrorCodes.UnsupportedImage => (415, "Not a picture that can be read"),
        ErrorCodes.UnsupportedMedia => (415, "Not a file that the engine takes"),
        ErrorCodes.HeicDisabled => (415, "HEIC and AVIF are not read"),
        ErrorCodes.TooManyPixels => (422, "Too many pixels"),
        ErrorCodes.UnsupportedOption => (422, "Not offered here"),
        ErrorCodes.IdempotencyMismatch => (422, "Idempotency key used before"),
        ErrorCodes.CallbackForbidden => (422, "Not an endpoint that webhooks may go to"),
        ErrorCodes.UrlForbidden => (422, "Not a URL that pictures may come from"),
        ErrorCodes.UrlFailed => (422, "Nothing could be fetched from the URL"),
        ErrorCodes.NotFound => (404, "Not found"),
        ErrorCodes.NotReady => (409, "Not ready yet"),
        ErrorCodes.NotCancellable => (409, "Already finished"),
        ErrorCodes.OriginalExpired => (410, "The picture has expired"),
        ErrorCodes.ImageTruncated => (422, "The picture is cut off"),
        ErrorCodes.ImageInvalid => (422, "The picture is damaged"),
        ErrorCodes.ImageTooComplex => (422, "The picture is too complex"),
        ErrorCodes.BlobCorrupt or ErrorCodes.BlobMissing => (500, "The stored picture is lost"),
        ErrorCodes.ModelNotFound or ErrorCodes.ModelInvalid or ErrorCodes.ModelUnsupported => (503, "The model can't be used"),
        ErrorCodes.ModelOutputInvalid => (500, "The model gave an invalid answer"),
        ErrorCodes.DownloadFailed or ErrorCodes.DownloadCorrupt => (502, "The model can't be fetched"),
        ErrorCodes.LicenceNotAccepted => (422, "The licence is not accepted"),
        ErrorCodes.AlreadyThere => (409, "Another has that name"),
        ErrorCodes.Busy => (503, "Too much at once"),
        ErrorCodes.RateLimited => (429, "Too many requests"),
        ErrorCodes.DeadlineUnmeetable => (503, "The deadline can't be met"),
        ErrorCodes.DiskFull => (507, "The disk is full"),
        ErrorCodes.StoreUnavailable => (503, "The store does not answer"),
        ErrorCodes.Unauthorized => (401, "Not allowed"),
        ErrorCodes.Forbidden => (403, "Not with this key"),
        ErrorCodes.ForeignSite => (403, "Not from another site"),
        ErrorCodes.LeaseLost => (409, "The lease is lost"),
        ErrorCodes.DecodeTimeout => (422, "The picture takes too long"),
        ErrorCodes.OutputTooLarge => (422, "The job makes too much"),
        ErrorCodes.DecodeCrashed => (422, "The picture crashes its reader"),
        ErrorCodes.WorkerDied or ErrorCodes.LeaseExpired => (500, "The worker was lost"),
        ErrorCodes.Expired => (504, "Not started in time"),
        ErrorCodes.JobTimeout => (504, "The job took too long"),
        ErrorCodes.InvalidSettings => (500, "A setting can't be used"),
        ErrorCodes.NativeMissing => (500, "The installation is incomplete"),
        ErrorCodes.Internal => (500, "Internal error"),
        // An engine that a worker brings has codes of its own.
        _ => (422, "Refused by the engine"),
    };
}
