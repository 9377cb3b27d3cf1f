using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>
/// Annotated pictures cost more than a small model, so they are drawn when somebody first wants one: by a worker,
/// as a job of Spotter's own, since the gateway decodes no picture.
/// </summary>
internal sealed class AnnotatedPictures(JobService jobs, EngineCatalogue engines, LongRequests longRequests)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Opens the annotated picture of a job that has succeeded, a JPEG.</summary>
    /// <param name="http">The request, which takes one of the places for drawings.</param>
    /// <param name="job">The job.</param>
    /// <param name="confidence">Draw only what is at least this certain; null for all of the result.</param>
    /// <param name="cancel">Ends the wait; the drawing goes on.</param>
    /// <exception cref="SpotterException">There is none and none can be drawn, or not in time.</exception>
    public async Task<Stream> OpenAsync(HttpContext http, Job job, double? confidence, CancellationToken cancel)
    {
        // Hundredths, so that no slider makes endless variants.
        var least = Math.Round(confidence ?? 0, 2);
        var canBeDrawn = engines.FindOffered(job.Engine)?.CanBeDrawn == true;
        if (!canBeDrawn || AnnotateEngine.DrawsAll(job.Result!.Value, least))
        {
            least = 0;
            if (await jobs.OpenOutputAsync(job, cancel) is { } content)
                return content;
        }
        if (job.InputsExpired || !canBeDrawn)
            throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");

        // Before the drawing is ordered: otherwise each who is sent away would leave one to be done.
        using var place = longRequests.Drawings.TryEnter(http)
            ?? throw new SpotterException(ErrorCodes.Busy, "Too many pictures are being drawn already; ask again in a moment.");
        var drawing = await DrawAsync(job, least, cancel);
        if (!drawing.State.IsTerminal())
            throw new SpotterException(ErrorCodes.Busy, $"The picture of job {job.Id} is still being drawn; ask again in a moment.");
        if (drawing is not { State: JobState.Succeeded, Output: not null })
        {
            var error = drawing.Error ?? new JobError(ErrorCodes.Internal, $"The picture of job {job.Id} could not be drawn.");
            throw new SpotterException(error.Code, error.Detail);
        }
        return await jobs.OpenOutputAsync(drawing, cancel)
            ?? throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");
    }

    private async Task<Job> DrawAsync(Job job, double confidence, CancellationToken cancel)
    {
        // One key per job and choice, so that however many ask, it is drawn once.
        var ordered = await jobs.SubmitInternalAsync(
            new JobSpec
            {
                Engine = AnnotateEngine.EngineName,
                Inputs = [job.Spec.Inputs[0]],
                Parameters = AnnotateEngine.Parameters(job.Result!.Value, confidence),
            },
            string.Create(CultureInfo.InvariantCulture, $"annotate:{job.Id}:{confidence:0.00}"), CancellationToken.None);
        return await jobs.Watcher.WaitAsync(ordered.Id, LongestWait, cancel) ?? ordered;
    }
}
