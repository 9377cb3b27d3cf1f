using Xunit.Abstractions;

namespace Spotter.EndToEnd.Upgrade;

/// <summary>A data folder that an earlier program has left, and a database whose tables change so much that it can't go on beside this one.</summary>
public sealed class StoppedTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly Deployment deployment = new(output);
    private PostgresCluster? cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await deployment.DisposeAsync();
        cluster?.Dispose();
    }

    [UpgradeTheory]
    [InlineData(Programs.Rolling)]
    [InlineData(Programs.Stopped)]
    public async Task A_data_folder_is_taken_over_with_its_jobs_results_and_secrets(string program)
    {
        await using var ledger = await Ledger.StartAsync();
        var (oldGateway, old) = await deployment.StartGatewayAsync(program, "data");
        var oldWorker = deployment.StartWorker(program, oldGateway);
        var done = await ledger.SubmitAsync(8, [old]);
        await ledger.ShouldSucceedAsync(done, old);
        var before = (await old.GetAsync($"/v1/jobs/{done[0]}/annotated")).Bytes;
        await Deployment.StopAsync(oldWorker);
        var queued = await ledger.SubmitAsync(12, [old]);
        await Deployment.StopAsync(oldGateway);

        var (newGateway, young) = await deployment.StartGatewayAsync(Programs.New, "data");
        foreach (var id in queued)
            SpotterApi.StateOf(await young.JobAsync(id)).ShouldBe("queued");
        await ledger.ShouldSucceedAsync(done, young);
        (await young.GetAsync($"/v1/jobs/{done[0]}/annotated")).Bytes.ShouldBe(before);
        var newWorker = deployment.StartWorker(Programs.New, newGateway);
        await ledger.ShouldSucceedAsync(queued, young);
        await ledger.SubmitAsync(5, [young]);
        await ledger.ShouldSucceedAsync(ledger.Ids, young);
        await ledger.ShouldBeAllAsync(young);
        var secret = await SpotterProgram.RunAsync("callbacks", "secret", ledger.Url, "--data", deployment.File("data"));
        ledger.Deliveries.ShouldAllBe(d => d.IsSignedBy(secret.Output.Trim()));
        await Deployment.StopAsync(newWorker, newGateway);

        // There is no way back, and trying it harms nothing.
        var refused = await Should.ThrowAsync<InvalidOperationException>(() => deployment.StartGatewayAsync(program, "data"));
        refused.Message.ShouldContain("use a newer program or another data folder");
        var (_, again) = await deployment.StartGatewayAsync(Programs.New, "data");
        await ledger.ShouldBeAllAsync(again);
    }

    [PostgresUpgradeFact]
    public async Task A_gateway_that_can_not_go_on_beside_the_new_tables_loses_and_doubles_nothing()
    {
        cluster = PostgresCluster.Start();
        // What it runs just then can't be handed in any more, and is run again.
        await using var ledger = await Ledger.StartAsync(mostAttempts: 2);
        var (oldGateway, old) = await deployment.StartGatewayAsync(Programs.Stopped, "old", cluster);
        var oldWorker = deployment.StartWorker(Programs.Stopped, oldGateway);
        await ledger.ShouldSucceedAsync(await ledger.SubmitAsync(8, [old]), old);
        await ledger.SubmitAsync(60, [old]);

        var (newGateway, young) = await deployment.StartGatewayAsync(Programs.New, "new", cluster);
        var answer = await old.SubmitAsync(Pictures.Png(100));
        answer.ShouldBeProblem(503, "store_unavailable");
        deployment.StartWorker(Programs.New, newGateway);
        await ledger.SubmitAsync(10, [young]);
        await Deployment.StopAsync(oldWorker, oldGateway);
        await ledger.ShouldSucceedAsync(ledger.Ids, young);
        await ledger.ShouldBeAllAsync(young);
    }
}
