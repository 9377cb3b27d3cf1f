using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Overload;

/// <summary>Annotated pictures for requests, each of which takes one of the places for drawings while its picture is drawn.</summary>
internal sealed class AnnotatedPictures(JobDrawings drawings, LongRequests longRequests)
{
    /// <summary>Opens the annotated picture of a job that has succeeded, a JPEG.</summary>
    /// <param name="http">The request.</param>
    /// <param name="job">The job.</param>
    /// <param name="confidence">Draw only what is at least this certain; null for all of the result.</param>
    /// <param name="cancel">Ends the wait; the drawing goes on.</param>
    /// <exception cref="SpotterException">There is none and none can be drawn, or not in time.</exception>
    public Task<Stream> OpenAsync(HttpContext http, Job job, double? confidence, CancellationToken cancel) =>
        drawings.OpenAsync(
            job, confidence ?? 0,
            // Before the drawing is ordered: otherwise each who is sent away would leave one to be done.
            () => longRequests.Drawings.TryEnter(http)
                ?? throw new SpotterException(ErrorCodes.Busy, "Too many pictures are being drawn already; ask again in a moment."),
            cancel);
}
