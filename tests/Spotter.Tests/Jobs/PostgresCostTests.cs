using System.Text.Json;
using Npgsql;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>No question costs more because there are more jobs that it is not about: counted in rows that the server looks at.</summary>
[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresCostTests(PostgresServer server) : IAsyncLifetime
{
    private const int Many = 5_000;
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_page_costs_the_same_however_many_jobs_others_have(bool isAnalyzed)
    {
        await using var connection = await FilledAsync(isAnalyzed);
        var cursor = (Guid)(await ScalarAsync(connection, "SELECT id FROM jobs ORDER BY seq DESC LIMIT 1"))!;

        foreach (var tenant in (string?[])[null, "", "small", "nobody"])
        {
            foreach (var engine in (string?[])[null, "filter", "no such"])
            {
                foreach (var error in (string?[])[null, "x", "no such"])
                {
                    foreach (var state in (JobState?[])[null, .. Enum.GetValues<JobState>()])
                    {
                        var filter = new JobFilter { Tenant = tenant, Engine = engine, Error = error, State = state, After = JobId.Parse(cursor.ToString("N")) };
                        var states = string.Join(',', (state is { } only ? [only] : Enum.GetValues<JobState>()).Select(s => (int)s));

                        var visited = await RowsOfAsync(
                            connection, "smallint[], bigint, uuid, text, text, text", PostgresJobList.Sql(filter),
                            $"'{{{states}}}', {filter.Limit}, '{cursor}', {Literal(engine)}, {Literal(error)}, {Literal(tenant)}");

                        // The page by its ids, and of each state and engine at most a page; two engines of two kinds of owners.
                        visited.ShouldBeLessThan(filter.Limit * 10, filter.ToString());
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Putting_back_looks_at_no_more_dead_jobs_than_it_puts_back(bool isAnalyzed)
    {
        await using var connection = await FilledAsync(isAnalyzed);

        foreach (var tenant in (string?[])[null, "small", "nobody"])
        {
            foreach (var error in (string?[])[null, "x", "no such"])
            {
                var filter = new RedriveFilter { Tenant = tenant, Error = error, Limit = 50 };

                var visited = await RowsOfAsync(
                    connection, "uuid[], text, text, bigint, smallint", $"SELECT j.id FROM jobs j WHERE {PostgresDeadJobs.Condition(filter)}",
                    $"NULL, {Literal(error)}, {Literal(tenant)}, {filter.Limit}, 4");

                // Twice of each tenant and error, and then by their ids.
                visited.ShouldBeLessThan(filter.Limit * 10, filter.ToString());
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Jobs_that_something_else_delivers_are_found_by_their_ids_and_compared_by_pages(bool isAnalyzed)
    {
        const int Few = 20;
        await using var connection = await FilledAsync(isAnalyzed);
        var ids = (string)(await ScalarAsync(connection, $"SELECT string_agg(id::text, ',') FROM (SELECT id FROM jobs WHERE state = 0 ORDER BY id LIMIT {Few}) AS j"))!;

        (await RowsOfAsync(connection, "uuid[]", PostgresJobRows.Find, $"'{{{ids}}}'")).ShouldBeLessThanOrEqualTo(Few);
        (await RowsOfAsync(connection, "bigint, uuid[], bigint, text[], smallint", PostgresGrants.Held, $"1, '{{{ids}}}', NULL, NULL, 0")).ShouldBeLessThanOrEqualTo(Few);
        foreach (var after in (string[])["'', 0, 0, 0", $"'detect', 1, 0, {Many}", "'filter', 1, 0, 1"])
            (await RowsOfAsync(connection, "text, smallint, bigint, bigint, bigint", PostgresJobRows.Page, $"{after}, {Few}")).ShouldBeLessThan(2 * Few);
    }

    /// <summary>How many rows of tables and entries of indexes the server looked at.</summary>
    private static async Task<double> RowsOfAsync(NpgsqlConnection connection, string types, string sql, string values)
    {
        // Prepared, as the program's statements are: planned for any values.
        await ScalarAsync(connection, $"PREPARE asked ({types}) AS {sql}");
        using var plan = JsonDocument.Parse((string)(await ScalarAsync(connection, $"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE asked ({values})"))!);
        await ScalarAsync(connection, "DEALLOCATE asked");
        return Visited(plan.RootElement[0].GetProperty("Plan"));
    }

    private static string Literal(string? text) => text is null ? "NULL" : $"'{text}'";

    private static double Visited(JsonElement node)
    {
        var rows = 0.0;
        if (node.TryGetProperty("Relation Name", out _))
        {
            node.GetProperty("Node Type").GetString().ShouldBeOneOf("Index Scan", "Index Only Scan");
            double Of(string name) => node.TryGetProperty(name, out var value) ? value.GetDouble() : 0;
            rows = (Of("Actual Rows") + Of("Rows Removed by Filter") + Of("Rows Removed by Index Recheck")) * Of("Actual Loops");
        }
        if (node.TryGetProperty("Plans", out var inner))
            rows += inner.EnumerateArray().Sum(Visited);
        return rows;
    }

    /// <summary>A few jobs of every kind, and after them many of each kind that others have, planned for as the program does.</summary>
    private async Task<NpgsqlConnection> FilledAsync(bool isAnalyzed)
    {
        await fixture.Open(TimeProvider.System, random: RandomSource.System).DisposeAsync();
        var connection = await fixture.ConnectAsync();
        await ScalarAsync(connection, PostgresPools.Session);
        foreach (var tenant in (string[])["", "small"])
        {
            foreach (var error in (string[])["NULL", "'x'"])
                await InsertAsync($"'filter', '{tenant}', s, false, {error} FROM generate_series(0, 5) AS s, generate_series(1, 3)");
        }
        await InsertAsync($"'detect', 'big', 0, false, NULL FROM generate_series(1, {Many})");
        await InsertAsync($"'filter', '', 2, false, NULL FROM generate_series(1, {Many})");
        await InsertAsync($"'detect', 'small', 2, false, NULL FROM generate_series(1, {Many})");
        await InsertAsync($"'filter', 'big', 4, false, 'y' FROM generate_series(1, {Many})");
        await InsertAsync($"'detect', '', 0, true, NULL FROM generate_series(1, {Many})");
        await InsertAsync("'filter', 'small', 0, false, NULL");
        if (isAnalyzed)
            await ScalarAsync(connection, "ANALYZE jobs");
        return connection;

        Task InsertAsync(string what) => ScalarAsync(
            connection,
            $"""
            INSERT INTO jobs (engine, tenant, state, internal, error_code, id, queue, priority, due, created, spec, input_keys, finished)
            SELECT r.*, gen_random_uuid(), r.engine, 1, 0, 0, '', ARRAY[]::text[], CASE WHEN r.state > 1 THEN 1 END
            FROM (SELECT {what}) AS r (engine, tenant, state, internal, error_code)
            """);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
