using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What docs/storage.md says of backups of PostgreSQL.</summary>
[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresBackupTests(PostgresServer server) : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await fixture.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_dump_that_is_made_while_jobs_come_in_is_restored_with_all_that_were_accepted_before()
    {
        var backend = fixture.Open(TimeProvider.System);
        var before = await backend.Jobs.AddAsync([.. Enumerable.Range(0, 20).Select(_ => SampleJobs.New())], default);
        var taken = await backend.Jobs.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w1", "w2"], TimeSpan.FromMinutes(1)), default);
        await backend.Jobs.FinishAsync(taken.Jobs[0].Lease, SampleJobs.Done(), default);
        using var enough = new CancellationTokenSource();
        var more = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await backend.Jobs.AddAsync([SampleJobs.New()], default);
        });
        var dump = folder.File("jobs.dump");

        server.Cluster.RunClient("pg_dump", "--format=custom", $"--file={dump}", $"--schema={fixture.Schema}");

        await enough.CancelAsync();
        await more;
        await fixture.CloseAsync();
        server.Cluster.RunClient("pg_restore", "--clean", "--if-exists", dump);
        var restored = fixture.Open(TimeProvider.System);
        foreach (var job in before)
            (await restored.Jobs.FindAsync(job.Job.Id, default)).ShouldNotBeNull();
        var counts = (await restored.Jobs.CountAsync(default)).Jobs;
        counts.Succeeded.ShouldBe(1);
        counts.Running.ShouldBe(1);
        counts.Queued.ShouldBeGreaterThanOrEqualTo(18);
        (await restored.Jobs.ListAsync(new JobFilter { Limit = 100_000 }, default)).Count.ShouldBe((int)(counts.Queued + counts.Running + counts.Succeeded));
        // It works on: the lease of before still holds, and what waits is taken.
        (await restored.Jobs.FinishAsync(taken.Jobs[1].Lease, SampleJobs.Done(), default)).ShouldNotBeNull();
        (await restored.Jobs.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w3"], TimeSpan.FromMinutes(1)), default)).Jobs.Count.ShouldBe(1);
        var added = await restored.Jobs.AddAsync([SampleJobs.New()], default);
        added[0].IsNew.ShouldBeTrue();
    }
}
