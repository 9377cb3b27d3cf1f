using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Jobs;
using Spotter.Vision;

namespace Spotter.Worker;

/// <summary>
/// Runs one job on its picture, and turns whatever happens into one of the three outcomes. Synchronous: a lane
/// gives it a core. Safe to call from many lanes.
/// </summary>
/// <param name="models">The loaded models. They belong to the caller.</param>
/// <param name="limits">What pictures are decoded at all.</param>
/// <param name="log">Told of failures that are our fault.</param>
public sealed partial class JobRunner(LoadedModels models, ImageLimits limits, ILogger<JobRunner> log)
{
    /// <summary>Runs a job; never throws.</summary>
    public JobRun Run(Job job, ReadOnlyMemory<byte> picture)
    {
        try
        {
            Verify(job, picture.Span);
            return job.Engine == Core.Vision.Engines.Annotate ? Annotate(job, picture) : Look(job, picture);
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
        if (use is null)
        {
            return new JobRun(new JobOutcome.Retry(
                new JobError(ErrorCodes.UnknownModel, $"The worker that took the job has no model '{job.Model}' any more."), SpendAttempt: false));
        }
        var found = use.Vision.Run(picture, job.Options);
        return new JobRun(new JobOutcome.Done(found.Result, found.Timings, Output: null), found.Picture);
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

    private static void Verify(Job job, ReadOnlySpan<byte> picture)
    {
        if (Convert.ToHexStringLower(SHA256.HashData(picture)) != job.Image.Sha256)
            throw new SpotterException(ErrorCodes.BlobCorrupt, "The stored picture is not the one that was sent; send it again.");
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
