using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Tests.Fleets;

/// <summary>When a gateway, which starts no processes, scales its workers all the same.</summary>
public sealed class GatewayPoolTests
{
    private static readonly (string, string) Token = ("worker.token", "0123456789abcdef0123456789abcdef");

    [Fact]
    public void Unless_it_is_told_how_it_has_no_pools()
    {
        Read(isGateway: true).ShouldBeEmpty();
        Read(isGateway: true, ("scaling.maxWorkers", "3"), ("pools.fast.max", "2")).ShouldBeEmpty("those are of `spotter serve`");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void With_a_port_for_KEDA_its_workers_are_KEDAs_unless_a_pool_says_otherwise(bool isGateway)
    {
        var only = Read(isGateway, ("keda.port", "9090"), ("scaling.maxWorkers", "10")).ShouldHaveSingleItem();
        (only.Name, only.Launcher.Name, only.IsObserved, only.Scaling.Max).ShouldBe(("default", "keda", true, 10));

        Read(isGateway, ("keda.port", "9090"), ("pools.fast.models", "a"), ("pools.own.launcher", "kubernetes"), ("pools.own.deployment", "worker-own"))
            .Select(p => (p.Name, p.Launcher.Name)).ShouldBe([("fast", "keda"), ("own", "kubernetes")]);
    }

    [Fact]
    public void A_pool_that_names_its_launcher_is_enough() =>
        Read(isGateway: true, ("pools.own.launcher", "kubernetes"), ("pools.own.deployment", "worker"), ("pools.own.namespace", "there")).ShouldHaveSingleItem().Launcher.Name.ShouldBe("kubernetes");

    [Theory]
    [InlineData("A gateway starts no processes, and the pool 'own' has them; use `spotter serve`, or give it another launcher.", "pools.own.launcher", "processes")]
    [InlineData("KEDA starts the workers of the pool 'own', and needs a port to ask how many; give one with --keda-port N.", "pools.own.launcher", "keda")]
    [InlineData("keda.port: no pool has launcher=keda. Give one that launcher, or leave the port out.", "keda.port", "9090", "pools.own.launcher", "kubernetes", "pools.own.deployment", "worker")]
    [InlineData("A pool with the launcher 'kubernetes' needs the Deployment of its workers; name it with deployment=NAME.", "pools.own.launcher", "kubernetes")]
    [InlineData("takes a name of small letters, digits, - and ., not ../nodes", "pools.own.launcher", "kubernetes", "pools.own.deployment", "../nodes")]
    [InlineData("takes a number from 0 to 65535, not x", "keda.port", "x")]
    [InlineData("The port 8080 for KEDA is the gateway's own or that of camera software, and speaks another protocol; choose another.", "keda.port", "8080")]
    public void What_cannot_be_is_refused_in_a_sentence(string said, params string[] given) =>
        Should.Throw<SpotterException>(() => Read(isGateway: true, [.. given.Chunk(2).Select(pair => (pair[0], pair[1]))])).Message.ShouldContain(said);

    private static IReadOnlyList<PoolSettings> Read(bool isGateway, params (string, string)[] given) =>
        ServiceSettings.Read(GivenSettings.Reader([Token, .. given]), isGateway, RandomSource.Seeded(1)).Pools;
}
