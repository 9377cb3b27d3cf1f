using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

public sealed class GatewaySettingsTests
{
    private static readonly GatewaySettings Good = new() { WorkerToken = GatewayBench.Token };

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("*")]
    [InlineData("localhost")]
    public void Addresses_are_listened_on(string host) => Should.NotThrow((Good with { Host = host }).Validate);

    [Theory]
    [InlineData("locahost")]
    [InlineData("example.com")]
    [InlineData("")]
    public void Names_that_would_open_all_addresses_are_refused(string host) =>
        Refusal(Good with { Host = host }).ShouldContain($"'{host}'");

    [Theory]
    [InlineData(1, 1)]
    [InlineData(256, 8)]
    [InlineData(10_000, 1)]
    public void Every_worker_that_may_be_started_finds_its_connections_and_leaves_the_clients_theirs(int workers, int lanes)
    {
        var settings = Good with { Jobs = new JobSettings { MaxWorkers = workers, LanesPerWorker = lanes } };

        (settings.MaxConnections - (workers * (lanes + 2))).ShouldBeGreaterThanOrEqualTo(1000);
    }

    [Fact]
    public void All_that_may_hold_connections_leaves_some_for_quick_questions() =>
        (Good.MaxUploads + Good.MaxUploads + Good.MaxStreams + Good.MaxWaits + Good.MaxDrawings).ShouldBeLessThan(Good.ClientConnections);

    [Fact]
    public void Each_wrong_setting_is_named_with_its_value()
    {
        Refusal(Good with { Port = 65536 }).ShouldContain("65536");
        Refusal(Good with { Host = "localhost", Port = 0 }).ShouldContain("127.0.0.1");
        Refusal(Good with { Jobs = new JobSettings { MaxInputBytes = 10 } }).ShouldContain("10 bytes");
        Refusal(Good with { Jobs = new JobSettings { Leases = new LeaseSettings { Heartbeat = TimeSpan.FromSeconds(40) } } }).ShouldContain("40 s");
        var secret = Refusal(Good with { WorkerToken = "a-short-secret" });
        secret.ShouldContain("32 characters");
        secret.ShouldNotContain("a-short-secret");
    }

    [Fact]
    public void What_serve_does_unless_told_otherwise_is_valid_and_open_to_this_machine_alone()
    {
        var gateway = ServiceSettings.Read(GivenSettings.Reader(), isGateway: false, RandomSource.Seeded(1)).Gateway;

        gateway.Validate();
        gateway.Host.ShouldBe("127.0.0.1");
        gateway.Port.ShouldBe(8080);
        gateway.WorkerToken.Length.ShouldBe(64);
        Token(2).ShouldNotBe(gateway.WorkerToken, StringComparer.Ordinal);
        Token(2, ("worker.token", GatewayBench.Token)).ShouldBe(GatewayBench.Token);
        ScalingSection.DefaultMaxWorkers.ShouldBeInRange(1, 4);
        (ScalingSection.DefaultLanes(ScalingSection.DefaultMaxWorkers) * ScalingSection.DefaultMaxWorkers).ShouldBeGreaterThanOrEqualTo(Environment.ProcessorCount);
        ScalingSection.DefaultLanes(0).ShouldBe(Environment.ProcessorCount);
    }

    private static string Token(int seed, params (string, string)[] given) =>
        ServiceSettings.Read(GivenSettings.Reader(given), isGateway: false, RandomSource.Seeded(seed)).Gateway.WorkerToken;

    private static string Refusal(GatewaySettings settings)
    {
        var refusal = Should.Throw<SpotterException>(settings.Validate);
        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        return refusal.Message;
    }
}
