using Xunit.Abstractions;

namespace Spotter.EndToEnd.Upgrade;

/// <summary>Gateways and workers of an earlier program and of this one, on one PostgreSQL server at the same time.</summary>
public sealed class RollingTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly Deployment deployment = new(output);
    private PostgresCluster? cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await deployment.DisposeAsync();
        cluster?.Dispose();
    }

    [PostgresUpgradeFact]
    public async Task Gateways_and_workers_are_replaced_one_after_the_other_and_every_job_is_done_and_told_once()
    {
        cluster = PostgresCluster.Start();
        await using var ledger = await Ledger.StartAsync();
        var (oldGateway, old) = await deployment.StartGatewayAsync(Programs.Rolling, "old", cluster);
        var oldWorker = deployment.StartWorker(Programs.Rolling, oldGateway);
        await ledger.ShouldSucceedAsync(await ledger.SubmitAsync(8, [old]), old);

        // The schema changes under a backlog.
        await ledger.SubmitAsync(60, [old]);
        var (newGateway, young) = await deployment.StartGatewayAsync(Programs.New, "new", cluster);
        (await young.StatsAsync()).GetProperty("queued").GetInt64().ShouldBeGreaterThan(0, "the backlog had gone before");
        var newWorker = deployment.StartWorker(Programs.New, newGateway);
        await ledger.SubmitAsync(40, [old, young]);
        await ledger.ShouldSucceedAsync(ledger.Ids, old, young);

        // Nobody else does it now, whichever door it came by.
        await Deployment.StopAsync(oldWorker, newWorker);
        var oldAtNew = deployment.StartWorker(Programs.Rolling, newGateway);
        await ledger.ShouldSucceedAsync(await ledger.SubmitAsync(10, [old, young]), old, young);
        await Deployment.StopAsync(oldAtNew);
        var newAtOld = deployment.StartWorker(Programs.New, oldGateway);
        await ledger.ShouldSucceedAsync(await ledger.SubmitAsync(10, [old, young]), old, young);

        // The old ones go while there is work for them.
        deployment.StartWorker(Programs.New, newGateway);
        await ledger.SubmitAsync(30, [old, young]);
        await Deployment.StopAsync(newAtOld, oldGateway);
        await ledger.SubmitAsync(10, [young]);
        await ledger.ShouldSucceedAsync(ledger.Ids, young);
        await ledger.ShouldBeAllAsync(young);

        var refused = await Should.ThrowAsync<InvalidOperationException>(() => deployment.StartGatewayAsync(Programs.Rolling, "old", cluster));
        refused.Message.ShouldContain("use a newer program or another schema");
    }
}
