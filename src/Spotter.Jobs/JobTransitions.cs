using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// What becomes of a row: all changes that there are, decided without a word about where rows are kept. Each gives the row that takes the
/// place of the one before, of the same kind. Whether a change is allowed, as by the right lease, is the store's to see. Times are exact to
/// the microsecond, as stores keep them.
/// </summary>
/// <param name="retries">When a job is tried again.</param>
/// <param name="random">Spreads retries.</param>
public sealed class JobTransitions(RetrySchedule retries, RandomSource random)
{
    private static readonly JobError TooLate = new(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set.");

    /// <summary>The row of a new job, which has ended already where there is a cached result.</summary>
    /// <param name="job">What was accepted.</param>
    /// <param name="now">When.</param>
    /// <param name="ticket">Its place in its line; 0 where there are none.</param>
    public static StoredJob Accept(NewJob job, DateTimeOffset now, long ticket = 0)
    {
        var created = Exact(now);
        return new StoredJob(Accepted(job, created, ticket), job.Spec.NotBefore is { } earliest && earliest > created ? earliest : created, default) { CacheKey = job.ResultCacheKey };
    }

    /// <summary>A worker begins an attempt.</summary>
    public static TRow Take<TRow>(TRow row, string worker, TimeSpan duration, DateTimeOffset now)
        where TRow : StoredJob => Of(row, r => r with
    {
        Job = r.Job with
        {
            State = JobState.Running, Attempts = r.Job.Attempts + 1, FencingToken = r.Job.FencingToken + 1, Started = now, Worker = worker,
        },
        LeasedUntil = now + duration,
    });

    /// <summary>An attempt ends.</summary>
    public TRow Finish<TRow>(TRow row, JobOutcome outcome, DateTimeOffset now)
        where TRow : StoredJob => outcome switch
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
    public TRow Lose<TRow>(TRow row, JobError error, bool spendAttempt, DateTimeOffset now)
        where TRow : StoredJob => TryAgain(row, error, spendAttempt, died: spendAttempt, JobEventKind.Lost, now);

    /// <summary>It is withdrawn.</summary>
    public static TRow Cancel<TRow>(TRow row, string? by, DateTimeOffset now)
        where TRow : StoredJob => End(row, JobState.Cancelled, now, job => job with
    {
        History = With(job, new JobEvent(now, JobEventKind.Cancelled, row.IsRunning ? job.Attempts : 0, job.Worker, by, null)),
    });

    /// <summary>Nobody has started it in time.</summary>
    public static TRow Expire<TRow>(TRow row, DateTimeOffset now)
        where TRow : StoredJob => End(row, JobState.Failed, now, job => job with { Error = TooLate });

    /// <summary>A dead job gets all its attempts again.</summary>
    public static TRow Redrive<TRow>(TRow row, string? by, DateTimeOffset now)
        where TRow : StoredJob => Of(row, r => r with
    {
        Job = r.Job with
        {
            State = JobState.Queued,
            Attempts = 0,
            Finished = null,
            Expires = null,
            Redrives = r.Job.Redrives + 1,
            History = With(r.Job, new JobEvent(now, JobEventKind.Redriven, 0, null, by, r.Job.Error)),
        },
        Due = now,
    });

    /// <summary>The record that the row of a new job stands for, known without reading the row back.</summary>
    /// <param name="job">What was accepted.</param>
    /// <param name="created">When.</param>
    /// <param name="ticket">Its place in its line; 0 when it does not wait.</param>
    public static Job Accepted(NewJob job, DateTimeOffset created, long ticket)
    {
        var accepted = new Job
        {
            Id = job.Id,
            Spec = job.Spec,
            State = JobState.Queued,
            Created = created,
            Ticket = ticket,
            IdempotencyKey = job.IdempotencyKey,
            Fingerprint = job.Fingerprint,
            Internal = job.Internal,
            Tenant = job.Tenant,
            By = job.By,
            Expires = job.Spec.Expires is { } expires ? Exact(expires) : null,
            Notify = job.Notify,
        };
        return job.Cached is not { } cached ? accepted : accepted with
        {
            State = JobState.Succeeded,
            Started = created,
            Finished = created,
            Result = cached.Result,
            Outputs = cached.Outputs,
            Timings = new JobTimings(),
            CachedFrom = cached.From,
            ModelVersion = cached.ModelVersion,
        };
    }

    private static TRow End<TRow>(TRow row, JobState state, DateTimeOffset now, Func<Job, Job> change)
        where TRow : StoredJob => Of(row, r => r with { Job = change(r.Job) with { State = state, Finished = now } });

    private TRow TryAgain<TRow>(TRow row, JobError error, bool spendAttempt, bool died, JobEventKind kind, DateTimeOffset now)
        where TRow : StoredJob
    {
        var job = row.Job;
        var delay = spendAttempt ? retries.DelayAfter(job.Attempts, random, died) : retries.FreeDelay;
        return Of(row, r => r with
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
            // Rounded up, so that nothing is due before its time.
            Due = Exact(now) + TimeSpan.FromMicroseconds(Math.Ceiling((delay ?? TimeSpan.Zero).TotalMicroseconds)),
        });
    }

    /// <summary>A copy of a record is of the kind of the record, whatever it is called here.</summary>
    private static TRow Of<TRow>(TRow row, Func<StoredJob, StoredJob> change)
        where TRow : StoredJob => (TRow)change(row);

    private static DateTimeOffset Exact(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));

    private static List<JobEvent> With(Job job, JobEvent happened) => [.. job.History.TakeLast(JobEvent.Most - 1), happened];
}
