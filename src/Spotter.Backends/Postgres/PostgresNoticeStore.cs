using System.Globalization;
using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The outbox in the database. Its rows are made by triggers, in whatever transaction ends a job. A receipt is the moment
/// until which a notice is hidden: every taking sets a later one.
/// </summary>
internal sealed class PostgresNoticeStore(PostgresDatabase database, TimeProvider clock) : INoticeStore
{
    public async Task<IReadOnlyList<Notice>> TakeAsync(
        int limit, TimeSpan hold, IReadOnlyCollection<string> exceptReceivers, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var until = now + Math.Max(1, Microseconds.From(hold));
        var taken = await database.WriteAsync(
            """
            WITH due AS MATERIALIZED (
                SELECT id, due FROM notices WHERE state = 0 AND due <= $1 AND receiver <> ALL ($2) ORDER BY due, seq LIMIT $3 FOR UPDATE SKIP LOCKED)
            UPDATE notices n SET due = $4 FROM due WHERE n.id = due.id
            RETURNING n.id, n.job, n.url, n.secret, n.receiver, n.attempts, due.due, n.seq
            """,
            p => p.With(now).With(exceptReceivers.ToArray()).With((long)Math.Max(0, limit)).With(until),
            r => r.ListAsync(row => (Due: row.GetInt64(6), Seq: row.GetInt64(7), Notice: new Notice(
                row.GetString(0), PostgresJobRow.IdOf(row.GetGuid(1)), row.GetString(2), row.TextOrNull(3), row.GetString(4), row.GetInt32(5) + 1,
                until.ToString(CultureInfo.InvariantCulture)))),
            cancel);
        return [.. taken.OrderBy(t => t.Due).ThenBy(t => t.Seq).Select(t => t.Notice)];
    }

    public Task RecordAsync(Notice notice, NoticeOutcome outcome, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var (state, due, status, detail) = outcome switch
        {
            NoticeOutcome.Delivered delivered => (NoticeState.Delivered, now, delivered.Status, null),
            NoticeOutcome.Again again => (NoticeState.Pending, now + Microseconds.From(again.Delay), again.Status, again.Detail),
            NoticeOutcome.GivenUp given => (NoticeState.GivenUp, now, given.Status, given.Detail),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
        };
        // A receipt that is no number names no taking, so it has no effect.
        return !long.TryParse(notice.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt)
            ? Task.CompletedTask
            : database.WriteAsync(
                """
                UPDATE notices SET state = $3, due = $4, attempts = attempts + 1, status = $5, detail = $6,
                    ended = CASE WHEN $3 = 0 THEN NULL ELSE $7 END, secret = CASE WHEN $3 = 0 THEN secret END
                WHERE id = $1 AND due = $2 AND state = 0
                """,
                p => p.With(notice.Id).With(receipt).With((short)state).With(due).WithInteger(status).WithText(detail).With(now),
                _ => Task.FromResult(true),
                cancel);
    }

    public async Task<IReadOnlyList<NoticeStatus>> OfAsync(JobId job, CancellationToken cancel) =>
        await database.ReadAsync(
            "SELECT id, url, state, attempts, status, detail, due, ended FROM notices WHERE job = $1 ORDER BY seq",
            p => p.With(job.ToGuid()), r => r.ListAsync(Read), cancel);

    public Task<long> PendingAsync(CancellationToken cancel) =>
        database.ReadAsync(
            "SELECT count(*) FROM notices WHERE state = 0", _ => { }, async r => await r.ReadAsync() ? r.GetInt64(0) : 0, cancel);

    private static NoticeStatus Read(NpgsqlDataReader row)
    {
        var state = (NoticeState)row.GetInt16(2);
        return new NoticeStatus(
            row.GetString(0), row.GetString(1), state, row.GetInt32(3), row.IsDBNull(4) ? null : row.GetInt32(4), row.TextOrNull(5),
            state == NoticeState.Pending ? Microseconds.ToTime(row.GetInt64(6)) : null,
            row.LongOrNull(7) is { } ended ? Microseconds.ToTime(ended) : null);
    }
}
