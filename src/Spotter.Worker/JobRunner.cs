using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Worker;

/// <summary>
/// Runs jobs on their pictures, and turns whatever happens into one of the three outcomes. Synchronous: a lane
/// gives it a core. Safe to call from many lanes.
/// </summary>
/// <param name="models">The loaded models. They belong to the caller.</param>
/// <param name="limits">What pictures are decoded at all.</param>
/// <param name="log">Told of failures that are our fault.</param>
public sealed partial class JobRunner(LoadedModels models, ImageLimits limits, ILogger<JobRunner> log) : IJobRunner
{
    /// <summary>Most jobs that are run at once.</summary>
    public const int MostAtOnce = VisionModel.MostAtOnce;

    /// <inheritdoc/>
    public int AtOnce(Job job, int waiting)
    {
        using var use = models.TryUse(job.Model);
        return use?.Model.AtOnce(waiting) ?? 1;
    }

    /// <inheritdoc/>
    public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs)
    {
        if (jobs is [var only])
            return [Guard(only.Job, () => Run(only))!];
        var runs = new JobRun?[jobs.Count];
        for (var i = 0; i < runs.Length; i++)
        {
            var input = jobs[i];
            runs[i] = Guard(input.Job, () =>
            {
                Verify(input);
                return null;
            });
        }
        // What is not what was sent is answered already; the others go through the model together.
        var sound = Enumerable.Range(0, runs.Length).Where(i => runs[i] is null).ToList();
        if (sound.Count > 0)
        {
            var together = LookTogether(sound.ConvertAll(i => jobs[i]));
            for (var i = 0; i < sound.Count; i++)
                runs[sound[i]] = together[i];
        }
        return runs!;
    }

    private JobRun Run(JobInput input)
    {
        Failpoint.Subject = input.Job.Name;
        Verify(input);
        return input.Job.Engine switch
        {
            Engines.Annotate => Annotate(input.Job, input.Pictures[0]),
            Engines.Filter => Filter(input),
            _ => Look(input.Job, input.Pictures[0]),
        };
    }

    /// <summary>Turns whatever is thrown into an outcome; else what was returned.</summary>
    private JobRun? Guard(Job job, Func<JobRun?> run)
    {
        try
        {
            return run();
        }
        catch (SpotterException refusal)
        {
            return new JobRun(OutcomeOf(refusal));
        }
        catch (OutOfMemoryException)
        {
            return new JobRun(new JobOutcome.Reject(new JobError(ErrorCodes.ImageTooComplex, "Decoding the picture takes more memory than there is.")));
        }
#pragma warning disable CA1031 // Whatever it is, the lane goes on, and the job's attempts are bounded.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogFault(fault, job.Id.Value);
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.Internal, "Something went wrong inside the worker; its log says what."), SpendAttempt: true));
        }
    }

    private JobRun Look(Job job, ReadOnlyMemory<byte> picture)
    {
        using var use = models.TryUse(job.Model);
        return use is null ? Without(job) : DoneBy(use.Model.Run(picture, job.Options), use.Version);
    }

    private List<JobRun> LookTogether(List<JobInput> jobs)
    {
        using var use = models.TryUse(jobs[0].Job.Model);
        if (use is null)
            return jobs.ConvertAll(input => Without(input.Job));
        try
        {
            var answers = use.Model.Run(jobs.ConvertAll(input => new BatchPicture(input.Pictures[0], input.Job.Options)));
            return [.. answers.Select(answer => answer.InferenceResult is { } found ? DoneBy(found, use.Version) : new JobRun(OutcomeOf(answer.Refusal!)))];
        }
#pragma warning disable CA1031 // Each of them may still be run alone, where it is told who is at fault.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogFault(fault, jobs[0].Job.Id.Value);
            return jobs.ConvertAll(input => Guard(input.Job, () => Look(input.Job, input.Pictures[0]))!);
        }
    }

    private static JobRun DoneBy(InferenceResult found, string? version) =>
        new(new JobOutcome.Done(found.Result, found.Timings, Output: null) { ModelVersion = version }, found.Picture);

    private static JobRun Without(Job job) => new(new JobOutcome.Retry(
        new JobError(ErrorCodes.UnknownModel, $"The worker that took the job has no model '{job.Model}' any more."), SpendAttempt: false));

    private JobRun Filter(JobInput input)
    {
        var filter = input.Job.Options.Filter
            ?? throw new SpotterException(ErrorCodes.InvalidRequest, $"Job {input.Job.Id} does not say which filter.");
        return DoneBy(FilterEngine.Run(filter, input.Pictures, limits, RandomSource.System), version: null);
    }

    private JobRun Annotate(Job job, ReadOnlyMemory<byte> picture)
    {
        var drawing = job.Options.Drawing
            ?? throw new SpotterException(ErrorCodes.InvalidRequest, $"Job {job.Id} does not say what to draw.");
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        var drawn = Annotator.Draw(picture, drawing, limits);
        var timings = new JobTimings { EncodeMs = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds };
        return new JobRun(new JobOutcome.Done(drawing, timings, Output: null), drawn);
    }

    private static void Verify(JobInput input)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("hash-unchecked"))
            return;
#endif
        foreach (var (image, picture) in input.Job.Images.Zip(input.Pictures))
        {
            if (Convert.ToHexStringLower(SHA256.HashData(picture.Span)) != image.Sha256)
                throw new SpotterException(ErrorCodes.BlobCorrupt, "The stored picture is not the one that was sent; send it again.");
        }
    }

    private static JobOutcome OutcomeOf(SpotterException refusal)
    {
        var error = new JobError(refusal.Code, refusal.Message);
        return refusal.Code switch
        {
            ErrorCodes.DiskFull or ErrorCodes.StoreUnavailable or ErrorCodes.Busy => new JobOutcome.Retry(error, SpendAttempt: false),
            ErrorCodes.Internal => new JobOutcome.Retry(error, SpendAttempt: true),
            _ => new JobOutcome.Reject(error),
        };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed inside the worker")]
    private partial void LogFault(Exception exception, string job);
}

/// <summary>What came of running a job. Dispose of it when the picture has been handed in.</summary>
/// <param name="Outcome">How the attempt ended.</param>
/// <param name="Picture">The picture that was made; null when none was.</param>
public sealed record JobRun(JobOutcome Outcome, EncodedPicture? Picture = null) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Picture?.Dispose();
}
