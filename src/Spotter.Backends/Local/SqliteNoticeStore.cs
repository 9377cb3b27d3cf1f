using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
#if PLANTED_BUGS
using Spotter.Core;
#endif
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The outbox in the same file as the jobs, whose ends write its rows. A receipt is the moment until which a notice is
/// hidden: every taking sets a later one.
/// </summary>
internal sealed partial class SqliteNoticeStore(SqliteDatabase database, TimeProvider clock) : INoticeStore
{
    private const string Due = """
        SELECT seq, id, job, url, secret, receiver, attempts FROM notices INDEXED BY notices_due
        WHERE state = 0 AND due <= ?1 AND receiver NOT IN (SELECT value FROM json_each(?2))
        ORDER BY due, seq LIMIT ?3
        """;

    public async Task<IReadOnlyList<Notice>> TakeAsync(
        int limit, TimeSpan hold, IReadOnlyCollection<string> exceptReceivers, CancellationToken cancel)
    {
        var except = JsonSerializer.SerializeToUtf8Bytes([.. exceptReceivers], Json.Default.StringArray);
        // Most of the time nothing is due, and the writer need not be asked to find that out.
        if (limit <= 0 || !await database.ReadAsync(connection => Any(connection.Prepare(Due), except), cancel))
            return [];
        // Answered when it is durable: a group of changes may hold both the end of a job and the taking of its notice, and
        // nobody may be told of an end that a power cut can still undo, or that readers don't see yet.
        return await database.CommitAsync(scope => Take(scope, limit, hold, except), cancel);
    }

    public Task RecordAsync(Notice notice, NoticeOutcome outcome, CancellationToken cancel)
    {
        var (state, status, detail, delay) = outcome switch
        {
            NoticeOutcome.Delivered delivered => (NoticeState.Delivered, delivered.Status, null, TimeSpan.Zero),
            NoticeOutcome.Again again => (NoticeState.Pending, again.Status, again.Detail, again.Delay),
            NoticeOutcome.GivenUp given => (NoticeState.GivenUp, given.Status, (string?)given.Detail, TimeSpan.Zero),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
        };
        var receipt = long.Parse(notice.Receipt, CultureInfo.InvariantCulture);
        return database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                // What signs it has served its time.
                return scope.Prepare("""
                    UPDATE notices SET state = ?3, attempts = attempts + 1, status = ?4, detail = ?5,
                        due = CASE ?3 WHEN 0 THEN ?6 ELSE due END,
                        ended = CASE ?3 WHEN 0 THEN NULL ELSE ?7 END,
                        secret = CASE ?3 WHEN 0 THEN secret ELSE NULL END
                    WHERE id = ?1 AND due = ?2 AND state = 0
                    """)
                    .Bind(1, notice.Id).Bind(2, receipt).Bind(3, (int)state).Bind(4, (long?)status).Bind(5, detail)
                    .Bind(6, now + Microseconds.From(delay)).Bind(7, now).Run() > 0;
            },
            cancel);
    }

    public Task<IReadOnlyList<NoticeStatus>> OfAsync(JobId job, CancellationToken cancel) =>
        database.ReadAsync<IReadOnlyList<NoticeStatus>>(
            connection =>
            {
                var found = new List<NoticeStatus>();
                using var select = connection.Prepare("""
                    SELECT id, url, state, attempts, status, detail, due, ended FROM notices INDEXED BY notices_job
                    WHERE job = ?1 ORDER BY seq
                    """).Bind(1, job);
                while (select.Step())
                {
                    var state = (NoticeState)select.Int(2);
                    found.Add(new NoticeStatus(
                        select.Text(0), select.Text(1), state, select.Int(3), (int?)select.LongOrNull(4), select.TextOrNull(5),
                        state == NoticeState.Pending ? Microseconds.ToTime(select.Long(6)) : null,
                        select.LongOrNull(7) is { } ended ? Microseconds.ToTime(ended) : null));
                }
                return found;
            },
            cancel);

    public Task<long> PendingAsync(CancellationToken cancel) =>
        database.ReadAsync(connection => connection.Scalar("SELECT COUNT(*) FROM notices INDEXED BY notices_due WHERE state = 0"), cancel);

    private bool Any(SqliteStatement due, byte[] except)
    {
        using (due)
            return due.Bind(1, Microseconds.Now(clock)).BindText(2, except.AsSpan()).Bind(3, 1).Step();
    }

    private IReadOnlyList<Notice> Take(WriteScope scope, int limit, TimeSpan hold, byte[] except)
    {
        var now = Microseconds.Now(clock);
        var until = now + Microseconds.From(hold);
        var receipt = until.ToString(CultureInfo.InvariantCulture);
        var taken = new List<Notice>();
        var rows = new List<long>();
        using (var select = scope.Prepare(Due).Bind(1, now).BindText(2, except.AsSpan()).Bind(3, limit))
        {
            while (select.Step())
            {
                rows.Add(select.Long(0));
                taken.Add(new Notice(
                    select.Text(1), select.Id(2), select.Text(3), select.TextOrNull(4), select.Text(5), select.Int(6) + 1, receipt));
            }
        }
        if (rows.Count > 0)
        {
            scope.Prepare("UPDATE notices SET due = ?1 WHERE seq IN (SELECT value FROM json_each(?2))")
                .Bind(1, until).BindText(2, JsonSerializer.SerializeToUtf8Bytes([.. rows], Json.Default.Int64Array).AsSpan()).Run();
#if PLANTED_BUGS
            if (PlantedBug.Is("notice-forgotten"))
                scope.Prepare("UPDATE notices SET state = 1, ended = due WHERE due = ?1").Bind(1, until).Run();
#endif
        }
        return taken;
    }

    [JsonSerializable(typeof(string[]))]
    [JsonSerializable(typeof(long[]))]
    private sealed partial class Json : JsonSerializerContext;
}
