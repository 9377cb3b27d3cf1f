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
    /// <summary>The part of a statement that says how many have entered each line so far, for the tickets of those that enter now.</summary>
    public const string Lines = "line AS MATERIALIZED (SELECT queue, priority, sum(entered)::bigint AS entered FROM tallies GROUP BY queue, priority)";

    private static readonly JobError TooLate = new(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set.");

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that does not end the job.</summary>
    public sealed record Retrying(Lease Lease, JobOutcome.Retry Outcome);

    public Task<(EndedAttempt? Ended, JobChange Change)[]> RetryAsync(IReadOnlyList<Retrying> calls) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var answers = new (EndedAttempt? Ended, JobChange Change)[calls.Count];
                var transitions = new List<PostgresTransition>();
                var held = await PostgresDatabase.RunAsync(
                    connection,
                    $"""
                    SELECT {PostgresLockedRow.Columns}, i.ord FROM unnest($1::uuid[], $2::integer[], $4::text[]) WITH ORDINALITY AS i (id, token, worker, ord)
                    JOIN jobs j ON j.id = i.id AND j.fencing_token = i.token AND j.worker = i.worker AND j.state = $3 ORDER BY j.id FOR UPDATE OF j
                    """,
                    p => p.With(calls.Select(c => c.Lease.Job.ToGuid()).ToArray()).With(calls.Select(c => c.Lease.FencingToken).ToArray())
                        .With(PostgresJobWrites.RunningState).With(calls.Select(c => c.Lease.Worker).ToArray()),
                    r => r.ListAsync(row => (Row: PostgresLockedRow.Read(row), At: (int)row.GetInt64(PostgresLockedRow.Count) - 1)));
                // Of those who hand in the same lease one is heard.
                foreach (var (row, at) in held.DistinctBy(h => h.Row.Id))
                {
                    var outcome = calls[at].Outcome;
                    var transition = EndAttempt(row, now, JobEventKind.Retried, outcome.Error, outcome.SpendAttempt, outcome.TakesWorker);
                    transitions.Add(transition);
                    TimeSpan? wait = transition.To == JobState.Queued ? TimeSpan.FromMicroseconds(transition.Due - now) : null;
                    answers[at] = (new EndedAttempt(PostgresJobRow.IdOf(row.Id), transition.To, wait), transition.Change);
                }
                await WriteAsync(connection, transitions, now, written);
                return answers;
            },
            CancellationToken.None);

    /// <summary>Ends the attempts of all running jobs that <paramref name="condition"/> finds.</summary>
    public Task<List<JobChange>> TakeLeasesAsync(
        string condition, Action<NpgsqlParameterCollection> bind, JobError error, bool spendAttempt, CancellationToken cancel) =>
        ChangeAsync(
            $"j.state = 1 AND {condition}", bind, (row, now) => EndAttempt(row, now, JobEventKind.Lost, error, spendAttempt, died: spendAttempt), cancel);

    public Task<List<JobChange>> CancelAsync(JobId id, string? by, CancellationToken cancel) =>
        ChangeAsync(
            "j.id = $1 AND j.state IN (0, 1) FOR UPDATE", p => p.With(id.ToGuid()),
            (row, now) => PostgresTransition.Of(row, JobState.Cancelled) with
            {
                History = row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Cancelled, row.RunningAttempt, row.Worker, by, null)),
            },
            cancel);

    public Task<List<JobChange>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) =>
        ChangeAsync(
            PostgresDeadJobs.Condition(filter),
            p => p.WithIds(filter.Ids).WithText(filter.Error).WithText(filter.Tenant).With((long)Math.Max(0, filter.Limit))
                .With((short)JobState.Dead),
            (row, now) => new PostgresTransition(
                row, JobState.Queued, now, Attempts: 0, Isolated: false, row.Error,
                row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Redriven, 0, null, by, PostgresJobRow.ErrorOf(row.Error))),
                Redriven: true),
            cancel);

    /// <summary>Those that nobody had started in time.</summary>
    public Task<List<JobChange>> ExpireAsync(int limit, CancellationToken cancel) =>
        ChangeAsync(
            "j.state = 0 AND j.expires IS NOT NULL AND j.expires <= $2 ORDER BY j.expires LIMIT $1 FOR UPDATE SKIP LOCKED",
            p => p.With((long)limit).With(Microseconds.Now(clock)),
            (row, _) => PostgresTransition.Of(row, JobState.Failed) with { Error = PostgresJobRow.ToJson(TooLate) },
            cancel);

    /// <summary>Locks the rows that a condition finds, and writes what becomes of each.</summary>
    private Task<List<JobChange>> ChangeAsync(
        string condition, Action<NpgsqlParameterCollection> bind, Func<PostgresLockedRow, long, PostgresTransition> change, CancellationToken cancel) =>
        TransactAsync(
            async (connection, written) =>
            {
                var now = Microseconds.Now(clock);
                var locked = await PostgresDatabase.RunAsync(
                    connection, $"SELECT {PostgresLockedRow.Columns} FROM jobs j WHERE {condition}", bind, r => r.ListAsync(PostgresLockedRow.Read));
                var transitions = locked.ConvertAll(row => change(row, now));
                await WriteAsync(connection, transitions, now, written);
                return transitions.ConvertAll(t => t.Change);
            },
            cancel);

    /// <summary>The attempt has failed: to be tried again, or dead when there are no more attempts.</summary>
    private PostgresTransition EndAttempt(PostgresLockedRow row, long now, JobEventKind kind, JobError error, bool spendAttempt, bool died)
    {
        var delay = spendAttempt ? retries.DelayAfter(row.Attempts, random, died) : retries.FreeDelay;
        return new PostgresTransition(
            row, delay is null ? JobState.Dead : JobState.Queued, now + (delay is { } wait ? Microseconds.From(wait) : 0),
            spendAttempt ? row.Attempts : row.Attempts - 1, died, PostgresJobRow.ToJson(error),
            row.HistoryWith(new(Microseconds.ToTime(now), kind, row.Attempts, row.Worker, null, error)), Redriven: false);
    }

    /// <summary>Runs <paramref name="body"/> in a transaction, and says afterwards when it filled the outbox.</summary>
    private async Task<T> TransactAsync<T>(Func<NpgsqlConnection, List<PostgresTransition>, Task<T>> body, CancellationToken cancel)
    {
        List<PostgresTransition> written = [];
        var answer = await database.TransactAsync(connection => body(connection, written = []), cancel);
        if (written.Exists(transition => transition.Row.Notifies && transition.To.IsTerminal()))
            signals.FilledOutbox();
        return answer;
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection, List<PostgresTransition> transitions, long now, List<PostgresTransition> written)
    {
        if (transitions.Count == 0)
            return;
        written.AddRange(transitions);
        await PostgresDatabase.RunAsync(
            connection,
            $"""
            WITH {Lines},
            changed AS (
                SELECT i.*, coalesce(l.entered, 0) + row_number() OVER (PARTITION BY i.queue, i.priority, i.state ORDER BY i.due) AS ticket
                FROM unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::integer[], $7::boolean[], $8::text[], $9::text[], $10::boolean[],
                    $11::text[], $12::smallint[], $13::text[])
                    AS i (id, was, state, due, attempts, isolated, error, history, redriven, queue, priority, error_code)
                LEFT JOIN line l ON l.queue = i.queue AND l.priority = i.priority),
            moved AS (
                UPDATE jobs j SET state = i.state, due = i.due, attempts = i.attempts, isolated = j.isolated OR i.isolated, error = i.error, error_code = i.error_code, history = i.history,
                    finished = CASE WHEN i.state >= 2 THEN $1 END, leased_until = NULL,
                    ticket = CASE i.state WHEN 0 THEN i.ticket ELSE j.ticket END,
                    redrives = j.redrives + i.redriven::integer, expires = CASE WHEN i.redriven THEN NULL ELSE j.expires END
                FROM changed i WHERE j.id = i.id
                RETURNING j.queue, j.priority, j.internal, i.was, j.state),
            {PostgresTallies.Sql}
            SELECT 1
            """,
            p => p.With(now).With(Column(t => t.Row.Id)).With(Column(t => (short)t.Row.State)).With(Column(t => (short)t.To)).With(Column(t => t.Due))
                .With(Column(t => t.Attempts)).With(Column(t => t.Isolated)).With(Column(t => t.Error)).With(Column(t => t.History))
                .With(Column(t => t.Redriven)).With(Column(t => t.Row.Queue)).With(Column(t => (short)t.Row.Priority))
                .With(Column(t => PostgresJobRow.ErrorOf(t.Error)?.Code)),
            _ => Task.FromResult(true));

        T[] Column<T>(Func<PostgresTransition, T> value) => [.. transitions.Select(value)];
    }
}
