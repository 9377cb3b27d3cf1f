using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>A job, and what only its store knows of it. Rows are never changed, but replaced.</summary>
/// <param name="Job">What the application sees.</param>
/// <param name="Number">Rises from job to job in the order of their acceptance.</param>
/// <param name="Due">While it is queued: from when on it may be taken.</param>
/// <param name="LeasedUntil">While it runs: when its lease runs out.</param>
internal sealed record Row(Job Job, long Number, DateTimeOffset Due, DateTimeOffset LeasedUntil)
{
    /// <summary>See <see cref="NewJob.ResultCacheKey"/>.</summary>
    public string? CacheKey { get; init; }

    public bool IsQueued => Job.State == JobState.Queued;

    /// <summary>It waits, and may still be started.</summary>
    public bool MayStart(DateTimeOffset now) => IsQueued && !(Job.Expires <= now);

    /// <summary>True for the lease that may end this attempt.</summary>
    public bool IsHeldBy(Lease lease) => Job.State == JobState.Running && Job.FencingToken == lease.FencingToken && Job.Worker == lease.Worker;
}

/// <summary>What becomes of a row: all changes that there are, without a word about where rows are kept.</summary>
internal sealed class Transitions(RetrySchedule retries, RandomSource random)
{
    public Row Accept(NewJob sent, long number, DateTimeOffset now) => new(
        new Job
        {
            Id = sent.Id,
            Spec = sent.Spec,
            State = sent.Cached is null ? JobState.Queued : JobState.Succeeded,
            Created = now,
            Started = sent.Cached is null ? null : now,
            Finished = sent.Cached is null ? null : now,
            Result = sent.Cached?.Result,
            Timings = sent.Cached is null ? null : new JobTimings(),
            ModelVersion = sent.Cached?.ModelVersion,
            CachedFrom = sent.Cached?.From,
            Outputs = sent.Cached?.Outputs ?? [],
            IdempotencyKey = sent.IdempotencyKey,
            Fingerprint = sent.Fingerprint,
            Internal = sent.Internal,
            Tenant = sent.Tenant,
            By = sent.By,
            Expires = sent.Spec.Expires,
            Notify = sent.Notify,
        },
        number, Due: sent.Spec.NotBefore is { } earliest && earliest > now ? earliest : now, LeasedUntil: default)
    {
        CacheKey = sent.ResultCacheKey,
    };

    public Row Take(Row row, string worker, TimeSpan duration, DateTimeOffset now) => row with
    {
        Job = row.Job with
        {
            State = JobState.Running,
            Attempts = row.Job.Attempts + 1,
            FencingToken = row.Job.FencingToken + 1,
            Started = now,
            Worker = worker,
        },
        LeasedUntil = now + duration,
    };

    public Row Finish(Row row, JobOutcome outcome, DateTimeOffset now) => outcome switch
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
    public Row Lose(Row row, JobError error, bool spendAttempt, DateTimeOffset now) =>
        TryAgain(row, error, spendAttempt, died: spendAttempt, JobEventKind.Lost, now);

    public Row Cancel(Row row, string? by, DateTimeOffset now) => End(row, JobState.Cancelled, now, job => job with
    {
        History = With(job, new JobEvent(now, JobEventKind.Cancelled, 0, job.Worker, by, null)),
    });

    public Row Expire(Row row, DateTimeOffset now) => End(row, JobState.Failed, now, job => job with
    {
        Error = new JobError(ErrorCodes.Expired, "Nobody had started it by the time that was set."),
    });

    public Row Redrive(Row row, string? by, DateTimeOffset now) => row with
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
    };

    private static Row End(Row row, JobState state, DateTimeOffset now, Func<Job, Job> change) =>
        row with { Job = change(row.Job) with { State = state, Finished = now } };

    private Row TryAgain(Row row, JobError error, bool spendAttempt, bool died, JobEventKind kind, DateTimeOffset now)
    {
        var job = row.Job;
        var delay = spendAttempt ? retries.DelayAfter(job.Attempts, random, died) : retries.FreeDelay;
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
            Due = now + (delay ?? TimeSpan.Zero),
        };
    }

    private static List<JobEvent> With(Job job, JobEvent happened) => [.. job.History.TakeLast(JobEvent.Most - 1), happened];
}
