using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
#if PLANTED_BUGS
using Spotter.Core;
#endif
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The outbox in the same file as the jobs, whose ends write its rows. A receipt is the moment at which a lease ends:
/// every taking sets a later one.
/// </summary>
internal sealed partial class SqliteOutbox : IOutbox
{
    private const string Due = """
        SELECT seq, id, job, target, secret, endpoint, attempts FROM outbox INDEXED BY outbox_due
        WHERE state = 0 AND channel = ?4 AND due <= ?1 AND endpoint NOT IN (SELECT value FROM json_each(?2))
        ORDER BY due, seq LIMIT ?3
        """;

    private readonly SqliteDatabase database;
    private readonly TimeProvider clock;
    private readonly WakeList wakes = new();
    private long newest;

    public SqliteOutbox(SqliteDatabase database, TimeProvider clock)
    {
        this.database = database;
        this.clock = clock;
        database.Writer.LookAfterCommit(WakeIfFilled);
    }

    public async Task<IReadOnlyList<OutboxEntry>> TakeAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel)
    {
        var except = JsonSerializer.SerializeToUtf8Bytes([.. exceptEndpoints], Json.Default.StringArray);
        // Most of the time nothing is due, and the writer need not be asked to find that out.
        if (limit <= 0 || !await database.ReadAsync(connection => Any(connection.Prepare(Due), channel, except), cancel))
            return [];
        // Answered when it is durable: a group of changes may hold both the end of a job and the taking of its entry, and
        // nobody may be told of an end that a power cut can still undo, or that readers don't see yet.
        return await database.CommitAsync(scope => Take(scope, channel, limit, lease, except), cancel);
    }

    public Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel)
    {
        var (state, status, detail, delay) = outcome.Record;
        // A receipt that is no number names no taking, so it has no effect.
        return !long.TryParse(entry.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt) ? Task.CompletedTask : database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                // What signs it has served its time.
                return scope.Prepare("""
                    UPDATE outbox SET state = ?3, attempts = attempts + 1, status = ?4, detail = ?5,
                        due = CASE ?3 WHEN 0 THEN ?6 ELSE due END,
                        ended = CASE ?3 WHEN 0 THEN NULL ELSE ?7 END,
                        secret = CASE ?3 WHEN 0 THEN secret ELSE NULL END
                    WHERE id = ?1 AND due = ?2 AND state = 0
                    """)
                    .Bind(1, entry.Id).Bind(2, receipt).Bind(3, (int)state).Bind(4, (long?)status).Bind(5, detail)
                    .Bind(6, now + Microseconds.From(delay)).Bind(7, now).Run() > 0;
            },
            cancel);
    }

    public Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel) =>
        database.ReadAsync<IReadOnlyList<DeliveryStatus>>(
            connection =>
            {
                var found = new List<DeliveryStatus>();
                using var select = connection.Prepare("""
                    SELECT id, channel, target, state, attempts, status, detail, due, ended FROM outbox INDEXED BY outbox_job
                    WHERE job = ?1 ORDER BY seq
                    """).Bind(1, job);
                while (select.Step())
                {
                    var state = (DeliveryState)select.Int(3);
                    found.Add(new DeliveryStatus(
                        select.Text(0), select.Text(1), select.Text(2), state, select.Int(4), (int?)select.LongOrNull(5), select.TextOrNull(6),
                        state == DeliveryState.Pending ? Microseconds.ToTime(select.Long(7)) : null,
                        select.LongOrNull(8) is { } ended ? Microseconds.ToTime(ended) : null));
                }
                return found;
            },
            cancel);

    public Task<long> PendingAsync(CancellationToken cancel) =>
        database.ReadAsync(
            connection => connection.Scalar($"SELECT COUNT(*) FROM (SELECT 1 FROM outbox INDEXED BY outbox_due WHERE state = 0 LIMIT {IOutbox.MostCounted})"), cancel);

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    /// <summary>
    /// The triggers say nothing, but a row that they added has a higher number than all before it. The first look after a
    /// start may take older rows for new ones.
    /// </summary>
    private void WakeIfFilled(SqliteConnection connection)
    {
        try
        {
            using var select = connection.Prepare("SELECT seq FROM outbox ORDER BY seq DESC LIMIT 1");
            if (!select.Step() || select.Long(0) <= newest)
                return;
            newest = select.Long(0);
        }
        catch (SqliteFault)
        {
            // Those who are woken for nothing only look once.
        }
        wakes.Wake();
    }

    private bool Any(SqliteStatement due, string channel, byte[] except)
    {
        using (due)
            return due.Bind(1, Microseconds.Now(clock)).BindText(2, except.AsSpan()).Bind(3, 1).Bind(4, channel).Step();
    }

    private IReadOnlyList<OutboxEntry> Take(WriteScope scope, string channel, int limit, TimeSpan lease, byte[] except)
    {
        var now = Microseconds.Now(clock);
        var until = now + Microseconds.From(lease);
        var receipt = until.ToString(CultureInfo.InvariantCulture);
        var taken = new List<OutboxEntry>();
        var rows = new List<long>();
        using (var select = scope.Prepare(Due).Bind(1, now).BindText(2, except.AsSpan()).Bind(3, limit).Bind(4, channel))
        {
            while (select.Step())
            {
                rows.Add(select.Long(0));
                taken.Add(new OutboxEntry(
                    select.Text(1), select.Id(2), select.Text(3), select.TextOrNull(4), select.Text(5), select.Int(6) + 1, receipt));
            }
        }
        if (rows.Count > 0)
        {
            scope.Prepare("UPDATE outbox SET due = ?1 WHERE seq IN (SELECT value FROM json_each(?2))")
                .Bind(1, until).BindText(2, JsonSerializer.SerializeToUtf8Bytes([.. rows], Json.Default.Int64Array).AsSpan()).Run();
#if PLANTED_BUGS
            if (PlantedBug.Is("delivery-forgotten"))
                scope.Prepare("UPDATE outbox SET state = 1, ended = due WHERE due = ?1").Bind(1, until).Run();
#endif
        }
        return taken;
    }

    [JsonSerializable(typeof(string[]))]
    [JsonSerializable(typeof(long[]))]
    private sealed partial class Json : JsonSerializerContext;
}
