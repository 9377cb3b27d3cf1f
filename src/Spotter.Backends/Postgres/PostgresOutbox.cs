using System.Globalization;
using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The outbox in the database. Its rows are made by triggers, in whatever transaction ends a job. A receipt is the moment
/// at which a lease ends: every taking sets a later one.
/// </summary>
internal sealed class PostgresOutbox : IOutbox
{
    private readonly PostgresDatabase database;
    private readonly TimeProvider clock;
    private readonly WakeList wakes = new();

    public PostgresOutbox(PostgresDatabase database, PostgresSignals signals, TimeProvider clock)
    {
        this.database = database;
        this.clock = clock;
        signals.OutboxFilled = wakes.Wake;
    }

    public async Task<IReadOnlyList<OutboxEntry>> TakeAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var until = now + Math.Max(1, Microseconds.From(lease));
        var taken = await database.WriteAsync(
            """
            WITH due AS MATERIALIZED (
                SELECT id, due FROM outbox WHERE state = 0 AND channel = $5 AND due <= $1 AND endpoint <> ALL ($2)
                ORDER BY due, seq LIMIT $3 FOR UPDATE SKIP LOCKED)
            UPDATE outbox o SET due = $4 FROM due WHERE o.id = due.id
            RETURNING o.id, o.job, o.target, o.secret, o.endpoint, o.attempts, due.due, o.seq
            """,
            p => p.With(now).With(exceptEndpoints.ToArray()).With((long)Math.Max(0, limit)).With(until).With(channel),
            r => r.ListAsync(row => (Due: row.GetInt64(6), Seq: row.GetInt64(7), Entry: new OutboxEntry(
                row.GetString(0), PostgresJobRow.IdOf(row.GetGuid(1)), row.GetString(2), row.TextOrNull(3), row.GetString(4), row.GetInt32(5) + 1,
                until.ToString(CultureInfo.InvariantCulture)))),
            cancel);
        return [.. taken.OrderBy(t => t.Due).ThenBy(t => t.Seq).Select(t => t.Entry)];
    }

    public Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var (state, status, detail, delay) = outcome.Record;
        // A receipt that is no number names no taking, so it has no effect.
        return !long.TryParse(entry.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt)
            ? Task.CompletedTask
            : database.WriteAsync(
                """
                UPDATE outbox SET state = $3, due = $4, attempts = attempts + 1, status = $5, detail = $6,
                    ended = CASE WHEN $3 = 0 THEN NULL ELSE $7 END, secret = CASE WHEN $3 = 0 THEN secret END
                WHERE id = $1 AND due = $2 AND state = 0
                """,
                p => p.With(entry.Id).With(receipt).With((short)state).With(now + Microseconds.From(delay)).WithInteger(status).WithText(detail).With(now),
                _ => Task.FromResult(true),
                cancel);
    }

    public async Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel) =>
        await database.ReadAsync(
            "SELECT id, channel, target, state, attempts, status, detail, due, ended FROM outbox WHERE job = $1 ORDER BY seq",
            p => p.With(job.ToGuid()), r => r.ListAsync(Read), cancel);

    public Task<long> PendingAsync(CancellationToken cancel) =>
        database.ReadAsync(
            $"SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 0 LIMIT {IOutbox.MostCounted}) AS pending", _ => { }, async r => await r.ReadAsync() ? r.GetInt64(0) : 0, cancel);

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    private static DeliveryStatus Read(NpgsqlDataReader row)
    {
        var state = (DeliveryState)row.GetInt16(3);
        return new DeliveryStatus(
            row.GetString(0), row.GetString(1), row.GetString(2), state, row.GetInt32(4), row.IsDBNull(5) ? null : row.GetInt32(5), row.TextOrNull(6),
            state == DeliveryState.Pending ? Microseconds.ToTime(row.GetInt64(7)) : null,
            row.LongOrNull(8) is { } ended ? Microseconds.ToTime(ended) : null);
    }
}
