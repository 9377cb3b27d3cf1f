using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>What a delivery asks about the rows.</summary>
internal sealed class PostgresJobRows(PostgresDatabase database) : IJobRows
{
    private const string Columns = "j.id, j.queue, j.priority, j.state, j.due, j.ticket, j.expires, j.leased_until, j.seq";

    /// <summary>Rows by their ids.</summary>
    internal const string Find = $"SELECT {Columns} FROM unnest($1::uuid[]) AS i (id) JOIN jobs j ON j.id = i.id";

    /// <summary>A page, in the order of the index by which jobs are taken.</summary>
    internal const string Page = $"""
        SELECT {Columns} FROM jobs j WHERE j.state = 0 AND (j.queue, j.priority, j.due, j.seq) > ($1, $2, $3, $4)
        ORDER BY j.queue, j.priority, j.due, j.seq LIMIT $5
        """;

    public async Task<IReadOnlyList<JobPlace>> FindAsync(IReadOnlyCollection<JobId> ids, CancellationToken cancel) =>
        ids.Count == 0 ? [] : await database.ReadAsync(
            Find, p => p.With(ids.Distinct().Select(id => id.ToGuid()).ToArray()), r => r.ListAsync(Read), cancel);

    public async Task<IReadOnlyList<JobPlace>> ListQueuedAsync(JobPlace? after, int limit, CancellationToken cancel) =>
        await database.ReadAsync(
            Page,
            p => p.With(after?.Queue ?? "").With((short)(after?.Priority ?? JobPriority.High)).With(after?.Due ?? 0).With(after?.Row ?? 0).With((long)limit),
            r => r.ListAsync(Read), cancel);

    public async Task<IReadOnlyDictionary<string, long>> CountQueuedAsync(CancellationToken cancel) =>
        (await database.ReadAsync(
            "SELECT queue, sum(entered - departed)::bigint FROM tallies GROUP BY queue", _ => { },
            r => r.ListAsync(row => (Queue: row.GetString(0), Queued: row.GetInt64(1))), cancel))
        .ToDictionary(c => c.Queue, c => c.Queued, StringComparer.Ordinal);

    private static JobPlace Read(NpgsqlDataReader row) => new(
        PostgresJobRow.IdOf(row.GetGuid(0)), row.GetString(1), (JobPriority)row.GetInt16(2), (JobState)row.GetInt16(3), row.GetInt64(4), row.GetInt64(5),
        row.LongOrNull(6), row.LongOrNull(7), row.GetInt64(8));
}
