using System.Globalization;
using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>
/// Annotated pictures cost more than a small model, so they are drawn when somebody first wants one: by a worker,
/// as a job of Spotter's own, since the gateway decodes no picture.
/// </summary>
/// <param name="jobs">Runs the drawings.</param>
/// <param name="engines">Which results can be drawn.</param>
public sealed class JobDrawings(JobService jobs, EngineCatalogue engines)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Opens the annotated picture of a job that has succeeded: the one that was made with it, or one that is drawn now.</summary>
    /// <param name="job">The job.</param>
    /// <param name="confidence">Draw only what is at least this certain; 0 for all of the result.</param>
    /// <param name="enter">Called before a drawing is ordered; what it returns is disposed of when that is done. Null for nothing.</param>
    /// <param name="cancel">Ends the wait; the drawing goes on.</param>
    /// <exception cref="SpotterException">There is none and none can be drawn, or not in time.</exception>
    public async Task<Stream> OpenAsync(Job job, double confidence, Func<IDisposable>? enter, CancellationToken cancel)
    {
        // Hundredths, so that no slider makes endless variants.
        var least = Math.Round(confidence, 2);
        var canBeDrawn = engines.FindOffered(job.Engine)?.CanBeDrawn == true;
        if (!canBeDrawn || AnnotateEngine.DrawsAll(job.Result!.Value, least))
        {
            least = 0;
            if (await jobs.OpenOutputAsync(job, cancel) is { } content)
                return content;
        }
        if (!canBeDrawn && job.Output is null)
            throw new SpotterException(ErrorCodes.NotFound, $"Job {job.Id} makes no picture; GET /v1/jobs/{job.Id} has its result, and lists its files under 'outputs'.");
        if (job.InputsExpired || !canBeDrawn)
            throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");

        using var place = enter?.Invoke();
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
                Parameters = AnnotateEngine.Parameters(job.Result!.Value, confidence, job.Spec.Parameters),
            },
            string.Create(CultureInfo.InvariantCulture, $"annotate:{job.Id}:{confidence:0.00}"), CancellationToken.None);
        return await jobs.Watcher.WaitAsync(ordered.Id, LongestWait, cancel) ?? ordered;
    }
}
