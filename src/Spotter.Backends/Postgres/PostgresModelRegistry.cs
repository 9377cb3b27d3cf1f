using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>One row for each gateway, which it writes anew again and again; rows that nobody writes any more are deleted.</summary>
/// <param name="database">The way to the server.</param>
/// <param name="clock">The time; null for the server's own.</param>
internal sealed class PostgresModelRegistry(PostgresDatabase database, TimeProvider? clock) : IModelRegistry
{
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    private const string Clock = "WITH clock AS MATERIALIZED (SELECT coalesce($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now)";

    public async Task<IReadOnlyList<ModelInfo>> ShareAsync(string gateway, IReadOnlyList<ModelInfo> models, TimeSpan duration, CancellationToken cancel)
    {
        // What a crash of the server loses is said again.
        var others = await database.ApplyAsync(
            [
                new(
                    $"""
                    {Clock} INSERT INTO gateways (name, models, said, until) SELECT $2, $3, now, now + $4 FROM clock
                    ON CONFLICT (name) DO UPDATE SET models = EXCLUDED.models, said = EXCLUDED.said, until = EXCLUDED.until
                    """,
                    p => p.WithLong(Time()).With(gateway).With(JsonSerializer.Serialize(models, SpotterJson.Default.IReadOnlyListModelInfo)).With(Microseconds.From(duration))),
                new($"{Clock} DELETE FROM gateways USING clock WHERE until < now - $2", p => p.WithLong(Time()).With(Microseconds.From(Forgotten))),
                new($"{Clock} SELECT models FROM gateways, clock WHERE name <> $2 AND until > now ORDER BY said DESC", p => p.WithLong(Time()).With(gateway)),
            ],
            r => r.ListAsync(row => row.GetString(0)),
            cancel);
        return [.. others.SelectMany(Read).DistinctBy(m => m.Id, StringComparer.Ordinal)];
    }

    public Task WithdrawAsync(string gateway, CancellationToken cancel) =>
        database.WriteAsync("DELETE FROM gateways WHERE name = $1", p => p.With(gateway), _ => Task.FromResult(true), cancel);

    private long? Time() => clock is null ? null : Microseconds.Now(clock);

    private static IEnumerable<ModelInfo> Read(string models) => JsonSerializer.Deserialize(models, SpotterJson.Default.IReadOnlyListModelInfo) ?? [];
}
