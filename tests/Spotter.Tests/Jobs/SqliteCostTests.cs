using System.Globalization;
using Spotter.Backends.Local;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>No question costs more because there are more jobs that it is not about: counted in steps of SQLite, not in time.</summary>
public sealed class SqliteCostTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_page_costs_the_same_however_many_jobs_others_have()
    {
        var (few, fewCursor) = Filled(many: 100);
        var (many, manyCursor) = Filled(many: 40_000);
        using var first = few;
        using var second = many;

        foreach (var filter in Filters())
        {
            few.TakeSteps();
            many.TakeSteps();

            Ids(many, manyCursor, filter).Count.ShouldBe(Ids(few, fewCursor, filter).Count, filter.ToString());

            many.TakeSteps().ShouldBeLessThan(few.TakeSteps() * 5 / 4, filter.ToString());
        }
    }

    [Fact]
    public async Task Every_statement_goes_by_an_index_and_sorts_no_more_than_it_was_asked_for()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        await UseAllAsync(new SqliteJobStore(database, new RetrySchedule { MaxAttempts = 1 }, RandomSource.System, TimeProvider.System), new SqliteOutbox(database, TimeProvider.System));
        using var connection = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: true, TimeSpan.Zero);

        var plans = database.Prepared().Distinct(StringComparer.Ordinal).ToDictionary(sql => sql, sql => PlanOf(connection, sql), StringComparer.Ordinal);

        plans.Keys.Count(sql => sql.Contains("jobs_list", StringComparison.Ordinal)).ShouldBe(6, "tenants, engines and jobs in each of the two indexes");
        foreach (var (sql, plan) in plans)
        {
            foreach (var step in plan.Where(step => step.StartsWith("SCAN", StringComparison.Ordinal)))
                IsSmall(step, sql).ShouldBeTrue($"{step}: {sql}");
            // Of ids that were given, of leases that run, which are as many as workers hold, and of what is due at the same moment.
            if (plan.Exists(step => step.Contains("TEMP B-TREE", StringComparison.Ordinal) && !step.Contains("LAST TERM", StringComparison.Ordinal)))
                (sql.Contains("unhex(value)", StringComparison.Ordinal) || sql.Contains("jobs_running", StringComparison.Ordinal) || sql.Contains("outbox_job", StringComparison.Ordinal)).ShouldBeTrue(sql);
        }
    }

    [Fact]
    public async Task No_statement_is_compiled_anew_for_other_values()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        var (store, outbox) = (new SqliteJobStore(database, new RetrySchedule { MaxAttempts = 1 }, RandomSource.System, TimeProvider.System), new SqliteOutbox(database, TimeProvider.System));
        await UseAllAsync(store, outbox);
        var before = database.Recompiled();

        await UseAllAsync(store, outbox);

        // Those that SQLite has compiled anew at the first use, since tables were made after they were.
        database.Recompiled().ShouldBe(before);
    }

    /// <summary>What a request gives, one row per line of work, jobs that run, the end of the outbox, and what was limited before.</summary>
    private static bool IsSmall(string step, string sql) =>
        step is "SCAN CONSTANT ROW" or "SCAN tallies" or "SCAN store" or "SCAN jobs USING INDEX jobs_running"
        || step.Contains("VIRTUAL TABLE", StringComparison.Ordinal)
        || (step is "SCAN outbox" && sql.EndsWith("ORDER BY seq DESC LIMIT 1", StringComparison.Ordinal))
        || step.StartsWith("SCAN (subquery", StringComparison.Ordinal) || step.StartsWith("SCAN SUBQUERY", StringComparison.Ordinal)
        || (step.StartsWith("SCAN outbox USING", StringComparison.Ordinal) && sql.Contains("LIMIT", StringComparison.Ordinal));

    private static List<string> PlanOf(SqliteConnection connection, string sql)
    {
        var steps = new List<string>();
        using var explain = connection.Prepare("EXPLAIN QUERY PLAN " + sql);
        while (explain.Step())
            steps.Add(explain.Text(3));
        return steps;
    }

    private static async Task UseAllAsync(SqliteJobStore store, SqliteOutbox outbox)
    {
        foreach (var filter in Filters())
            await store.ListAsync(filter, default);
        var notified = SampleJobs.New(key: "once") with { Notify = [new JobNotification("chat", "there") { Endpoint = "there" }], ResultCacheKey = "same" };
        await store.AddAsync([notified, SampleJobs.New().Having(s => s with { Expires = TimeProvider.System.GetUtcNow().AddDays(-1) }), SampleJobs.New()], default);
        await store.AddAsync([SampleJobs.New(key: "once")], default);
        var request = new TakeRequest([notified.Spec.Queue], [JobPriority.Normal, JobPriority.Low], ["w", "w", "w"], TimeSpan.FromMinutes(1));
        var taken = (await store.TakeAsync(request, default)).Jobs;
        taken.Count.ShouldBeGreaterThanOrEqualTo(2);
        await store.ExtendAsync([taken[0].Lease], TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), default);
        await store.FinishAsync(taken[0].Lease, SampleJobs.Done("out/aa/drawn-1.jpg"), default);
        await store.FinishAsync(taken[1].Lease, SampleJobs.Retry(), default);
        await store.CancelAsync(taken[1].Lease.Job, null, default);
        foreach (var filter in (RedriveFilter[])[new(), new() { Tenant = "a" }, new() { Error = "x" }, new() { Tenant = "a", Error = "x" }, new() { Ids = [taken[1].Lease.Job] }])
            await store.RedriveAsync(filter, null, default);
        await store.ExpireAsync(10, default);
        await store.ReleaseAsync("w", SampleJobs.Fault, spendAttempt: false, default);
        await store.ReapAsync(10, default);
        await store.FindByKeysAsync(["once"], default);
        await store.FindCachedAsync("", "same", "v1", default);
        await store.CountAsync(default);
        await store.UnknownBlobsAsync(["in/aa/1"], default);
        foreach (var entry in await outbox.TakeAsync("chat", 10, TimeSpan.FromMinutes(1), ["elsewhere"], default))
            await outbox.RecordAsync(entry, new DeliveryOutcome.Delivered(200), default);
        await outbox.OfAsync(notified.Id, default);
        await outbox.PendingAsync(default);
        var later = TimeProvider.System.GetUtcNow().AddDays(1);
        await store.ExpireBlobsAsync(later, 10, default);
        await store.PurgeAsync(later, 10, default);
    }

    /// <summary>Every way to fill in a filter, with jobs there and without.</summary>
    private static IEnumerable<JobFilter> Filters() =>
        from tenant in (string?[])[null, "", "small", "nobody"]
        from engine in (string?[])[null, "filter", "no such"]
        from error in (string?[])[null, "x", "no such"]
        from state in (JobState?[])[null, .. Enum.GetValues<JobState>()]
        select new JobFilter { Tenant = tenant, Engine = engine, Error = error, State = state };

    /// <summary>The jobs that a filter finds, and then those of them before the cursor.</summary>
    private static List<JobId> Ids(SqliteConnection connection, JobId cursor, JobFilter filter) =>
        [.. SqliteJobList.Read(connection, filter).Concat(SqliteJobList.Read(connection, filter with { After = cursor })).Select(row => row.Id)];

    /// <summary>A few jobs of every kind, and after them many of each kind that others have; the last is the cursor.</summary>
    private static (SqliteConnection Connection, JobId Cursor) Filled(int many)
    {
        var connection = new SqliteConnection(":memory:", readOnly: false, TimeSpan.Zero);
        Schema.Update(connection);
        foreach (var tenant in (string[])["", "small"])
        {
            foreach (var state in Enum.GetValues<JobState>())
            {
                foreach (var error in (string?[])[null, "x"])
                    Insert(tenant, "filter", state, error, 3);
            }
        }
        Insert("big", "detect", JobState.Queued, null, many);
        Insert("", "filter", JobState.Succeeded, null, many);
        Insert("small", "detect", JobState.Succeeded, null, many);
        Insert("big", "filter", JobState.Dead, "y", many);
        Insert("", "detect", JobState.Queued, null, many, isInternal: true);
        Insert("small", "filter", JobState.Queued, null, 1);
        using var last = connection.Prepare("SELECT id FROM jobs ORDER BY seq DESC LIMIT 1");
        last.Step();
        return (connection, last.Id(0));

        void Insert(string tenant, string engine, JobState state, string? error, int rows, bool isInternal = false) => connection.ExecuteScript(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            INSERT INTO jobs (id, queue, engine, tenant, priority, state, internal, due, created, spec, error)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            SELECT randomblob(16), '{engine}', '{engine}', '{tenant}', 1, {(int)state}, {(isInternal ? 1 : 0)}, 0, 0, '',
                {(error is null ? "NULL" : $"json_object('code', '{error}')")} FROM n
            """));
    }
}
