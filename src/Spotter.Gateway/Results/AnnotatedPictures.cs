using System.Globalization;
using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>
/// Annotated pictures cost more than a small model, so they are drawn when somebody first wants one: by a worker,
/// as a job of Spotter's own, since the gateway decodes no picture.
/// </summary>
internal sealed class AnnotatedPictures(
    IBlobStore blobs, Dispatcher dispatcher, JobWatcher watcher, LongRequests longRequests, RandomSource random)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Opens the annotated picture of a job that has succeeded, a JPEG.</summary>
    /// <param name="job">The job.</param>
    /// <param name="confidence">Draw only what is at least this certain; null for all of the result.</param>
    /// <param name="cancel">Ends the wait; the drawing goes on.</param>
    /// <exception cref="SpotterException">There is none and none can be drawn, or not in time.</exception>
    public async Task<Stream> OpenAsync(Job job, double? confidence, CancellationToken cancel)
    {
        var (drawn, name) = Choose(job, confidence);
        if (drawn == job.Result && job.Output is { } key && await blobs.OpenAsync(key, cancel) is { } content)
            return content;
        if (job.OriginalExpired || job.Engine == Engines.Filter)
            throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");

        // Before the drawing is ordered: otherwise each who is sent away would leave one to be done.
        using var place = longRequests.Drawings.TryEnter()
            ?? throw new SpotterException(ErrorCodes.Busy, "Too many pictures are being drawn already; ask again in a moment.");
        var drawing = await DrawAsync(job, drawn, name, cancel);
        if (!drawing.State.IsTerminal())
            throw new SpotterException(ErrorCodes.Busy, $"The picture of job {job.Id} is still being drawn; ask again in a moment.");
        if (drawing is not { State: JobState.Succeeded, Output: { } output })
        {
            var error = drawing.Error ?? new JobError(ErrorCodes.Internal, $"The picture of job {job.Id} could not be drawn.");
            throw new SpotterException(error.Code, error.Detail);
        }
        return await blobs.OpenAsync(output, cancel)
            ?? throw new SpotterException(ErrorCodes.OriginalExpired, $"The picture of job {job.Id} has been deleted because of its age.");
    }

    /// <summary>What to draw, and a name for the choice: hundredths, so that no slider makes endless variants.</summary>
    private static (VisionResult Drawing, string Name) Choose(Job job, double? confidence)
    {
        var least = Math.Round(confidence ?? 0, 2);
        if (job.Result is not { Detections: { } all } result || all.All(d => d.Confidence >= least))
            return (job.Result!, "all");
        return (result with { Detections = [.. all.Where(d => d.Confidence >= least)] }, least.ToString("0.00", CultureInfo.InvariantCulture));
    }

    private async Task<Job> DrawAsync(Job job, VisionResult drawing, string name, CancellationToken cancel)
    {
        // One key per job and choice, so that however many ask, it is drawn once.
        var added = await dispatcher.AcceptAsync(
            [
                new NewJob
                {
                    Id = JobId.New(random),
                    Engine = Engines.Annotate,
                    Options = new JobOptions { Annotate = true, Drawing = drawing },
                    Image = job.Image,
                    IdempotencyKey = $"annotate:{job.Id}:{name}",
                    Internal = true,
                },
            ],
            CancellationToken.None);
        return await watcher.WaitAsync(added[0].Job.Id, LongestWait, cancel) ?? added[0].Job;
    }
}
