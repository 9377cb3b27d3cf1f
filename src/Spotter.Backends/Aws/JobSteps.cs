using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>What becomes of a row: all changes that there are, decided without a word about where rows are kept.</summary>
internal sealed class JobSteps(RetrySchedule retries, RandomSource random)
{
    private static readonly JobError TooLate = new(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set.");

    /// <summary>A new row.</summary>
    public static JobRow Accept(NewJob job, DateTimeOffset now)
    {
        var due = job.Spec.NotBefore is { } earliest && earliest > now ? earliest : now;
        return new JobRow(AcceptedJob.Of(job, Microseconds.From(now), ticket: 0), due, default) { CacheKey = job.ResultCacheKey, Sent = due };
    }

    /// <summary>A worker begins an attempt.</summary>
    public static JobRow Take(JobRow row, string worker, TimeSpan duration, DateTimeOffset now) => row with
    {
        Job = row.Job with
        {
            State = JobState.Running, Attempts = row.Job.Attempts + 1, FencingToken = row.Job.FencingToken + 1, Started = now, Worker = worker,
        },
        LeasedUntil = now + duration,
    };

    /// <summary>An attempt ends.</summary>
    public JobRow Finish(JobRow row, JobOutcome outcome, DateTimeOffset now) => outcome switch
    {
        JobOutcome.Done done => End(row, JobState.Succeeded, now, job => job with
        {
            Result = done.Result,
            Timings = done.Timings with { QueuedMs = (job.Started!.Value - job.Created).TotalMilliseconds },
            Output = done.Output,
            Outputs = done.Outputs,
            ModelVersion = done.ModelVersion,
            Error = null,
        }),
        JobOutcome.Reject reject => End(row, JobState.Failed, now, job => job with { Error = reject.Error }),
        JobOutcome.Retry retry => TryAgain(row, retry.Error, retry.SpendAttempt, retry.TakesWorker, JobEventKind.Retried, now),
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    /// <summary>The lease is taken from a worker that is gone or silent.</summary>
    public JobRow Lose(JobRow row, JobError error, bool spendAttempt, DateTimeOffset now) =>
        TryAgain(row, error, spendAttempt, died: spendAttempt, JobEventKind.Lost, now);

    /// <summary>It is withdrawn.</summary>
    public static JobRow Cancel(JobRow row, string? by, DateTimeOffset now) => End(row, JobState.Cancelled, now, job => job with
    {
        History = With(job, new JobEvent(now, JobEventKind.Cancelled, row.IsRunning ? job.Attempts : 0, job.Worker, by, null)),
    });

    /// <summary>Nobody has started it in time.</summary>
    public static JobRow Expire(JobRow row, DateTimeOffset now) => End(row, JobState.Failed, now, job => job with { Error = TooLate });

    /// <summary>A dead job gets all its attempts again.</summary>
    public static JobRow Redrive(JobRow row, string? by, DateTimeOffset now) => row with
    {
        Job = row.Job with
        {
            State = JobState.Queued,
            Attempts = 0,
            Finished = null,
            Expires = null,
            Redrives = row.Job.Redrives + 1,
            History = With(row.Job, new JobEvent(now, JobEventKind.Redriven, 0, null, by, row.Job.Error)),
        },
        Due = now,
        Sent = now,
    };

    private static JobRow End(JobRow row, JobState state, DateTimeOffset now, Func<Job, Job> change) =>
        row with { Job = change(row.Job) with { State = state, Finished = now } };

    private JobRow TryAgain(JobRow row, JobError error, bool spendAttempt, bool died, JobEventKind kind, DateTimeOffset now)
    {
        var job = row.Job;
        var delay = spendAttempt ? retries.DelayAfter(job.Attempts, random, died) : retries.FreeDelay;
        // As exact as times are stored.
        var due = Microseconds.ToTime(Microseconds.From(now) + Microseconds.From(delay ?? TimeSpan.Zero));
        return row with
        {
            Job = job with
            {
                State = delay is null ? JobState.Dead : JobState.Queued,
                Finished = delay is null ? now : null,
                Attempts = spendAttempt ? job.Attempts : job.Attempts - 1,
                Isolated = job.Isolated || died,
                Error = error,
                History = With(job, new JobEvent(now, kind, job.Attempts, job.Worker, null, error)),
            },
            Due = due,
            Sent = due,
        };
    }

    private static List<JobEvent> With(Job job, JobEvent happened) => [.. job.History.TakeLast(JobEvent.Most - 1), happened];
}
