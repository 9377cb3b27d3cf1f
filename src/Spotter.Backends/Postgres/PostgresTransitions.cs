using Npgsql;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Changes of jobs that are out of the ordinary and keep a history: rows are locked and read, it is decided here what
/// becomes of each, and written in the same transaction.
/// </summary>
internal sealed class PostgresTransitions(PostgresDatabase database, PostgresSignals signals, RetrySchedule retries, RandomSource random, TimeProvider clock)
{
    private static readonly JobError TooLate = new(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set.");

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that does not end the job.</summary>
    public sealed record Retrying(Lease Lease, JobOutcome.Retry Outcome);

    public Task<EndedAttempt?[]> RetryAsync(IReadOnlyList<Retrying> calls) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var answers = new EndedAttempt?[calls.Count];
                var moves = new List<PostgresTransition>();
                var held = await PostgresDatabase.RunAsync(
                    connection,
                    $"""
                    SELECT {PostgresLockedRow.Columns}, i.ord FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS i (id, epoch, ord)
                    JOIN jobs j ON j.id = i.id AND j.epoch = i.epoch AND j.state = 1 ORDER BY j.id FOR UPDATE OF j
                    """,
                    p => p.With(calls.Select(c => c.Lease.Job.ToGuid()).ToArray()).With(calls.Select(c => c.Lease.FencingToken).ToArray()),
                    r => r.ListAsync(row => (Row: PostgresLockedRow.Read(row), At: (int)row.GetInt64(10) - 1)));
                // Of those who hand in the same lease one is heard.
                foreach (var (row, at) in held.DistinctBy(h => h.Row.Id))
                {
                    var (move, ended) = EndAttempt(row, now, JobEventKind.Retried, calls[at].Outcome.Error, calls[at].Outcome.SpendAttempt, calls[at].Outcome.TakesWorker);
                    moves.Add(move);
                    answers[at] = ended;
                }
                await WriteAsync(connection, moves, now, written);
                return answers;
            },
            CancellationToken.None);

    /// <summary>Ends the attempts of all running jobs that <paramref name="condition"/> finds.</summary>
    public Task<IReadOnlyList<EndedAttempt>> TakeLeasesAsync(
        string condition, Action<NpgsqlParameterCollection> bind, JobError error, bool spendAttempt, CancellationToken cancel) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var held = await LockAsync(connection, $"j.state = 1 AND {condition}", bind);
                var ended = held.ConvertAll(row => EndAttempt(row, now, JobEventKind.Lost, error, spendAttempt, died: spendAttempt));
                await WriteAsync(connection, ended.ConvertAll(e => e.Move), now, written);
                return (IReadOnlyList<EndedAttempt>)ended.ConvertAll(e => e.Ended);
            },
            cancel);

    /// <summary>True when there was something to cancel.</summary>
    public Task<bool> CancelAsync(JobId id, string? by, CancellationToken cancel) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var live = await LockAsync(connection, "j.id = $1 AND j.state IN (0, 1) FOR UPDATE", p => p.With(id.ToGuid()));
                await WriteAsync(
                    connection,
                    live.ConvertAll(row => PostgresTransition.Of(row, JobState.Cancelled) with
                    {
                        History = row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Cancelled, row.RunningAttempt, row.Worker, by, null)),
                    }),
                    now, written);
                return live.Count > 0;
            },
            cancel);

    public Task<IReadOnlyList<DueJob>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var dead = await LockAsync(
                    connection,
                    """
                    j.state >= 3 AND j.state = 4 AND NOT j.expired AND ($1::uuid[] IS NULL OR j.id = ANY($1))
                        AND ($2::text IS NULL OR j.error::json ->> 'code' = $2) AND ($3::text IS NULL OR j.tenant = $3)
                    ORDER BY j.seq LIMIT $4 FOR UPDATE SKIP LOCKED
                    """,
                    p => p.WithIds(filter.Ids).WithText(filter.Error).WithText(filter.Tenant).With((long)Math.Max(0, filter.Limit)));
                await WriteAsync(
                    connection,
                    dead.ConvertAll(row => new PostgresTransition(
                        row, JobState.Queued, now, Attempts: 0, Isolated: false, row.Error,
                        row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Redriven, 0, null, by, PostgresJobRow.ErrorOf(row.Error))),
                        Redriven: true)),
                    now, written);
                return (IReadOnlyList<DueJob>)dead.ConvertAll(row => new DueJob(PostgresJobRow.IdOf(row.Id), row.Queue, row.Priority));
            },
            cancel);

    /// <summary>Those that nobody had started in time.</summary>
    public Task<List<JobId>> ExpireAsync(int limit, CancellationToken cancel) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var late = await LockAsync(
                    connection, "j.state = 0 AND j.expires IS NOT NULL AND j.expires <= $1 ORDER BY j.expires LIMIT $2 FOR UPDATE SKIP LOCKED",
                    p => p.With(now).With((long)limit));
                await WriteAsync(connection, late.ConvertAll(row => PostgresTransition.Of(row, JobState.Failed) with { Error = PostgresJobRow.ToJson(TooLate) }), now, written);
                return late.ConvertAll(row => PostgresJobRow.IdOf(row.Id));
            },
            cancel);

    private static Task<List<PostgresLockedRow>> LockAsync(NpgsqlConnection connection, string condition, Action<NpgsqlParameterCollection> bind) =>
        PostgresDatabase.RunAsync(
            connection, $"SELECT {PostgresLockedRow.Columns} FROM jobs j WHERE {condition}", bind, r => r.ListAsync(PostgresLockedRow.Read));

    /// <summary>The attempt has failed: to be tried again, or dead when there are no more attempts.</summary>
    private (PostgresTransition Move, EndedAttempt Ended) EndAttempt(
        PostgresLockedRow row, long now, JobEventKind kind, JobError error, bool spendAttempt, bool died)
    {
        var wanted = spendAttempt ? retries.DelayAfter(row.Attempts, random, died) : retries.FreeDelay;
        long? delay = wanted is { } span ? Microseconds.From(span) : null;
        var state = delay is null ? JobState.Dead : JobState.Queued;
        var history = row.HistoryWith(new(Microseconds.ToTime(now), kind, row.Attempts, row.Worker, null, error));
        return (
            new PostgresTransition(
                row, state, now + (delay ?? 0), spendAttempt ? row.Attempts : row.Attempts - 1, died, PostgresJobRow.ToJson(error), history, Redriven: false),
            new EndedAttempt(PostgresJobRow.IdOf(row.Id), row.Queue, row.Priority, state, delay is { } wait ? TimeSpan.FromMicroseconds(wait) : null));
    }

    /// <summary>Runs <paramref name="body"/> in a transaction, and says afterwards when it filled the outbox.</summary>
    private async Task<T> TransactAsync<T>(Func<NpgsqlConnection, List<PostgresTransition>, Task<T>> body, CancellationToken cancel)
    {
        List<PostgresTransition> written = [];
        var answer = await database.TransactAsync(connection => body(connection, written = []), cancel);
        if (written.Exists(move => move.Row.Notifies && move.To.IsTerminal()))
            signals.FilledOutbox();
        return answer;
    }

    private static async Task WriteAsync(NpgsqlConnection connection, List<PostgresTransition> moves, long now, List<PostgresTransition> written)
    {
        if (moves.Count == 0)
            return;
        written.AddRange(moves);
        await PostgresDatabase.RunAsync(
            connection,
            $"""
            WITH moved AS (
                UPDATE jobs j SET state = i.state, due = i.due, attempts = i.attempts, solo = j.solo OR i.solo, error = i.error, history = i.history,
                    finished = CASE WHEN i.state >= 2 THEN $1 END, leased_until = NULL,
                    redrives = j.redrives + i.redriven::integer, expires = CASE WHEN i.redriven THEN NULL ELSE j.expires END
                FROM unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::integer[], $7::boolean[], $8::text[], $9::text[], $10::boolean[])
                    AS i (id, was, state, due, attempts, solo, error, history, redriven)
                WHERE j.id = i.id
                RETURNING j.engine, j.model, j.internal, i.was, j.state),
            {PostgresJobWrites.Tally}
            SELECT 1
            """,
            p => p.With(now).With(moves.Select(m => m.Row.Id).ToArray()).With(moves.Select(m => (short)m.Row.State).ToArray())
                .With(moves.Select(m => (short)m.To).ToArray()).With(moves.Select(m => m.Due).ToArray()).With(moves.Select(m => m.Attempts).ToArray())
                .With(moves.Select(m => m.Isolated).ToArray()).With(moves.Select(m => m.Error).ToArray()).With(moves.Select(m => m.History).ToArray())
                .With(moves.Select(m => m.Redriven).ToArray()),
            _ => Task.FromResult(true));
    }
}
