using Spotter.Tests.Cli;

namespace Spotter.Tests.Kubernetes;

/// <summary><c>doctor</c> for pools whose workers are pods.</summary>
public sealed class DoctorTests
{
    [Fact]
    public async Task It_says_how_many_workers_a_pool_has_and_changes_nothing()
    {
        await using var cluster = await FakeCluster.StartAsync(new ManualClock());
        using var folder = new TemporaryFolder();

        var found = await FindAsync(folder, cluster.Address, FakeCluster.Token, "deployment=worker");

        found.ShouldBe(("ok", "kubernetes answers; 0 there now"));
        cluster.Requests.ShouldAllBe(r => r.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(200, "deployment=others", "Deployment 'others'")]
    [InlineData(401, "deployment=worker", "does not know the token")]
    [InlineData(403, "deployment=worker", "give its service account a Role")]
    public async Task What_is_missing_is_named(int status, string pool, string says)
    {
        await using var cluster = await FakeCluster.StartAsync(new ManualClock());
        if (status != 200)
            cluster.Refuses = _ => (status, "{}");
        using var folder = new TemporaryFolder();

        var (health, detail) = await FindAsync(folder, cluster.Address, FakeCluster.Token, pool);

        (health, detail.Contains(says, StringComparison.Ordinal)).ShouldBe(("wrong", true), detail);
        detail.ShouldNotContain(FakeCluster.Token);
    }

    private static async Task<(string Health, string Detail)> FindAsync(TemporaryFolder folder, Uri server, string token, string pool)
    {
        var config = folder.File("config");
        await File.WriteAllTextAsync(config, $$"""
            {"apiVersion": "v1", "kind": "Config", "current-context": "c",
             "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "spotter"} }],
             "clusters": [{"name": "k", "cluster": {"server": "{{server}}"} }],
             "users": [{"name": "u", "user": {"token": "{{token}}"} }]}
            """);
        var ran = await SpotterProgram.RunAsync("doctor", "--json", "--data", folder.File("data"), "--port", "0", "--pool", $"pods:launcher=kubernetes;kubeconfig={config};{pool}");
        var found = ran.Json().Single(f => f.GetProperty("name").GetString() == "workers of pool pods");
        return (found.GetProperty("health").GetString()!, found.GetProperty("detail").GetString()!);
    }
}
