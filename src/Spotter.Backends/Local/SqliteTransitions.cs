using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>How jobs move from one state to another, each by its row.</summary>
internal sealed class SqliteTransitions(RetrySchedule retries, RandomSource random, TimeProvider clock)
{
    private static readonly byte[] TooLate = ToJson(new JobError(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set."));

    private static readonly JobError Silent = new(
        ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it.");

    /// <summary>What an end leaves in the row.</summary>
    public sealed record Ending(byte[]? Error, byte[]? Timings, ReadOnlyMemory<byte>? Result, string? Output, string? ModelVersion, ServedJobs Served = default);

    public static byte[] ToJson(JobError error) => JsonSerializer.SerializeToUtf8Bytes(error, SpotterJson.Default.JobError);

    public EndedAttempt? End(WriteScope scope, Lease lease, JobState state, Ending ending)
    {
#if PLANTED_BUGS
        var fence = PlantedBug.Is("fence-dropped") ? "?2 > 0 AND ?3 <> ''" : "fencing_token = ?2 AND worker = ?3 AND state = 1";
#else
        const string fence = "fencing_token = ?2 AND worker = ?3 AND state = 1";
#endif
        long seq;
        // Two statements: one that returns what it changed makes a table for it, which takes longer than to look first.
        using (var held = scope.Prepare($"SELECT seq, queue, priority, internal FROM jobs WHERE id = ?1 AND {fence}")
            .Bind(1, lease.Job).Bind(2, lease.FencingToken).Bind(3, lease.Worker))
        {
            if (!held.Step())
                return null;
            seq = held.Long(0);
            scope.Moved(new Line(held.Text(1), (JobPriority)held.Int(2), held.Bool(3)), JobState.Running, state, ending.Served);
        }
        var update = scope.Prepare("""
            UPDATE OR FAIL jobs SET state = ?2, finished = ?3, leased_until = NULL,
                error = ?4, timings = ?5, result = ?6, output = ?7, model_version = ?8
            WHERE seq = ?1
            """)
            .Bind(1, seq).Bind(2, (int)state).Bind(3, Microseconds.Now(clock))
            .BindText(4, ending.Error).BindText(5, ending.Timings).Bind(7, ending.Output).Bind(8, ending.ModelVersion);
        if (ending.Result is { } result)
            update.BindText(6, result.Span);
        else
            update.BindNull(6);
        update.Run();
        foreach (var key in OutputColumn.KeysOf(ending.Output))
            scope.Prepare("INSERT OR IGNORE INTO blobs (name, job) VALUES (?1, ?2)").Bind(1, BlobName.Of(key)).Bind(2, seq).Run();
        scope.Changed(lease.Job);
        return new EndedAttempt(lease.Job, state, null);
    }

    public EndedAttempt? Retry(WriteScope scope, Lease lease, JobOutcome.Retry retry)
    {
        var held = Find(scope.Prepare($"SELECT {LockedRow.Columns} FROM jobs WHERE id = ?1 AND fencing_token = ?2 AND worker = ?3 AND state = 1")
            .Bind(1, lease.Job).Bind(2, lease.FencingToken).Bind(3, lease.Worker));
        return held is [var row] ? EndAttempt(scope, row, JobEventKind.Retried, retry.Error, retry.SpendAttempt, died: retry.TakesWorker) : null;
    }

    public bool Cancel(WriteScope scope, JobId id, string? by)
    {
        var now = Microseconds.Now(clock);
#if PLANTED_BUGS
        var live = PlantedBug.Is("end-overwritten") ? "0, 1, 2" : "0, 1";
#else
        const string live = "0, 1";
#endif
        if (Find(scope.Prepare($"SELECT {LockedRow.Columns} FROM jobs WHERE id = ?1 AND state IN ({live})").Bind(1, id)) is not [var row])
            return false;
        scope.Prepare("UPDATE jobs SET state = 5, finished = ?2, leased_until = NULL, history = ?3 WHERE seq = ?1")
            .Bind(1, row.Seq).Bind(2, now)
            .BindText(3, row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Cancelled, row.RunningAttempt, row.Worker, by, null)))
            .Run();
        Note(scope, row, JobState.Cancelled);
        return true;
    }

    public int Redrive(WriteScope scope, RedriveFilter filter, byte[]? ids, string? by)
    {
        var now = Microseconds.Now(clock);
        var dead = ids is null
            ? SqliteDeadJobs.Longest(scope, filter).ConvertAll(seq => Find(scope.Prepare($"SELECT {LockedRow.Columns} FROM jobs WHERE seq = ?1").Bind(1, seq))[0])
            : Find(scope.Prepare($"""
                SELECT {LockedRow.Columns} FROM jobs WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND state = 4 AND expired = 0
                    AND (?2 IS NULL OR json_extract(error, '$.code') = ?2) AND (?3 IS NULL OR tenant = ?3)
                ORDER BY finished, seq LIMIT ?4
                """).BindText(1, ids).Bind(2, filter.Error).Bind(3, filter.Tenant).Bind(4, filter.Limit));
        foreach (var row in dead)
        {
            scope.Prepare("""
                UPDATE jobs SET state = 0, attempts = 0, due = ?2, expires = NULL, finished = NULL, redrives = redrives + 1, history = ?3, ticket = ?4
                WHERE seq = ?1
                """)
                .Bind(1, row.Seq).Bind(2, now)
                .BindText(3, row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Redriven, 0, null, by, row.Error)))
                .Bind(4, scope.NextTicket(row.Line))
                .Run();
            Note(scope, row, JobState.Queued);
        }
        return dead.Count;
    }

    public int Expire(WriteScope scope, int limit)
    {
        var now = Microseconds.Now(clock);
        var late = Find(scope.Prepare($"""
            SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_expires
            WHERE state = 0 AND expires IS NOT NULL AND expires <= ?1 LIMIT ?2
            """).Bind(1, now).Bind(2, limit));
        foreach (var row in late)
        {
            scope.Prepare("UPDATE jobs SET state = 3, finished = ?2, error = ?3 WHERE seq = ?1")
                .Bind(1, row.Seq).Bind(2, now).BindText(3, TooLate).Run();
            Note(scope, row, JobState.Failed);
        }
        return late.Count;
    }

    public LostLeases Release(WriteScope scope, string? worker, JobError error, bool spendAttempt) => TakeLeases(
        scope,
        Find(scope.Prepare($"""
            SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_running
            WHERE state = 1 AND (?1 IS NULL OR worker = ?1) ORDER BY seq
            """).Bind(1, worker)),
        error, spendAttempt);

    public int Reap(WriteScope scope, int limit) => TakeLeases(
        scope,
        Find(scope.Prepare($"""
            SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_running
            WHERE state = 1 AND leased_until <= ?1 ORDER BY leased_until LIMIT ?2
            """).Bind(1, Microseconds.Now(clock)).Bind(2, limit)),
        Silent, spendAttempt: true).All;

    private static List<LockedRow> Find(SqliteStatement select)
    {
        using (select)
        {
            var rows = new List<LockedRow>();
            while (select.Step())
                rows.Add(LockedRow.Read(select));
            return rows;
        }
    }

    private static void Note(WriteScope scope, LockedRow row, JobState to)
    {
        scope.Moved(row.Line, row.State, to);
        scope.Changed(row.Id, to == JobState.Queued ? row.Line.Queue : null);
    }

    private LostLeases TakeLeases(WriteScope scope, List<LockedRow> held, JobError error, bool spendAttempt)
    {
        var dead = held.Count(row => EndAttempt(scope, row, JobEventKind.Lost, error, spendAttempt, died: spendAttempt).State == JobState.Dead);
        return new(held.Count - dead, dead);
    }

    /// <summary>The attempt has failed: to be tried again, or dead when there are no more attempts.</summary>
    private EndedAttempt EndAttempt(WriteScope scope, LockedRow held, JobEventKind kind, JobError error, bool spendAttempt, bool died)
    {
        var now = Microseconds.Now(clock);
#if PLANTED_BUGS
        spendAttempt &= !PlantedBug.Is("death-is-free");
#endif
        var wanted = spendAttempt ? retries.DelayAfter(held.Attempts, random, died) : retries.FreeDelay;
        long? delay = wanted is { } span ? Microseconds.From(span) : null;
        var state = delay is null ? JobState.Dead : JobState.Queued;
        scope.Prepare("""
            UPDATE jobs SET state = ?2, finished = ?3, due = ?4, attempts = ?5, isolated = isolated OR ?6, error = ?7,
                leased_until = NULL, history = ?8, ticket = ?9
            WHERE seq = ?1
            """)
            .Bind(1, held.Seq).Bind(2, (int)state).Bind(3, delay is null ? now : null)
            .Bind(4, now + (delay ?? 0)).Bind(5, spendAttempt ? held.Attempts : held.Attempts - 1)
            .Bind(6, died ? 1 : 0).BindText(7, ToJson(error))
            .BindText(8, held.HistoryWith(new(Microseconds.ToTime(now), kind, held.Attempts, held.Worker, null, error)))
            .Bind(9, delay is null ? 0 : scope.NextTicket(held.Line))
            .Run();
        Note(scope, held, state);
        return new EndedAttempt(held.Id, state, delay is { } wait ? TimeSpan.FromMicroseconds(wait) : null);
    }
}
