using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Fleets;
using Spotter.Tests.Gateway;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Http;

/// <summary>A worker that several gateways share, as an instance of a group is: it has to join the one that scales it.</summary>
public sealed class SharedWorkerTests : IAsyncLifetime
{
    // The name that the launcher gives it.
    private const string Worker = "w1";

    private readonly List<Side> sides = [];
    // It decides no test, it only ends a broken one: a worker asks for as long as it takes.
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
    private HttpJobSource? source;
    private StickyBalancer? balancer;

    private Side First => sides[0];

    private Side Second => sides[1];

    public async Task InitializeAsync()
    {
        for (var i = 0; i < 2; i++)
            sides.Add(await Side.StartAsync());
    }

    public async Task DisposeAsync()
    {
        source?.Dispose();
        if (balancer is not null)
            await balancer.DisposeAsync();
        foreach (var side in sides)
            await side.Bench.DisposeAsync();
        patience.Dispose();
    }

    [Fact]
    public async Task Behind_a_load_balancer_it_finds_the_gateway_that_scales_it_and_stays_there()
    {
        await ScalesAsync(Second);
        balancer = await StickyBalancer.StartAsync(First.Bench.Address, Second.Bench.Address);
        source = Source(balancer.Address);

        await source.JoinAsync(patience.Token);
        for (var i = 0; i < 4; i++)
            await source.HeartbeatAsync(Worker, [], patience.Token);

        (First.Bench.Roster.Has(Worker), Second.Bench.Roster.Has(Worker)).ShouldBe((false, true));
        balancer.Seen.ShouldBe([
            $"0 PUT /v1/workers/{Worker} 503", $"1 PUT /v1/workers/{Worker} 200", .. Enumerable.Repeat($"1 POST /v1/workers/{Worker}/heartbeat 200", 4),
        ]);
    }

    [Fact]
    public async Task When_another_gateway_begins_to_scale_it_it_goes_there()
    {
        await ScalesAsync(First);
        balancer = await StickyBalancer.StartAsync(First.Bench.Address, Second.Bench.Address);
        source = Source(balancer.Address);
        await source.JoinAsync(patience.Token);
        First.Bench.Roster.Has(Worker).ShouldBeTrue();

        await ScalesAsync(Second);
        await source.HeartbeatAsync(Worker, [], patience.Token);

        (First.Bench.Roster.Has(Worker), Second.Bench.Roster.Has(Worker)).ShouldBe((false, true));
    }

    [Fact]
    public async Task When_the_gateway_that_scales_it_is_gone_it_goes_to_whoever_takes_over()
    {
        await ScalesAsync(First);
        balancer = await StickyBalancer.StartAsync(First.Bench.Address, Second.Bench.Address);
        source = Source(balancer.Address);
        await source.JoinAsync(patience.Token);

        await First.Bench.StopHostAsync();
        await Second.Fleet.TendAsync(default, ControllerRole.Standby);
        var beat = source.HeartbeatAsync(Worker, [], patience.Token);
        // While nobody has taken over it asks again and again.
        while (!balancer.Seen.Contains($"1 POST /v1/workers/{Worker}/heartbeat 503", StringComparer.Ordinal))
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, patience.Token);
        await Second.Fleet.TendAsync(default, ControllerRole.Active);
        await beat;

        Second.Bench.Roster.Has(Worker).ShouldBeTrue();
        balancer.Seen.Count(s => s == $"0 POST /v1/workers/{Worker}/heartbeat 502").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task One_that_is_sent_away_keeps_its_leases_meanwhile()
    {
        await ScalesAsync(Second);
        await First.Bench.SubmitAsync();
        var queue = QueueNames.Of(VisionTasks.Detect, GatewayBench.Model.Id);
        var taken = await First.Bench.Jobs.TakeAsync(new TakeRequest([queue], [JobPriority.Normal], [Worker], TimeSpan.FromMilliseconds(1)), default);
        balancer = await StickyBalancer.StartAsync(First.Bench.Address);
        source = Source(balancer.Address);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        var beat = source.HeartbeatAsync(Worker, [taken.Jobs[0].Lease], over.Token);
        while (balancer.Seen.IsEmpty)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, patience.Token);
        await over.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(beat);
        balancer.Seen.First().ShouldBe($"0 POST /v1/workers/{Worker}/heartbeat 503");
        (await First.Bench.Jobs.ReapAsync(10, default)).ShouldBe(0, "the lease was extended");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_whose_machine_is_taken_away_tells_its_gateway(bool joinsAnew)
    {
        var isLeaving = false;
        source = new HttpJobSource(
            First.Bench.Address, GatewayBench.Token, Worker, () => new WorkerJoin(1, [new(GatewayBench.Model.Id, "1")]) { IsLeaving = isLeaving },
            TimeProvider.System, NullLogger<HttpJobSource>.Instance);
        await source.JoinAsync(patience.Token);
        First.Bench.Roster.IsDraining(Worker).ShouldBeFalse();

        isLeaving = true;
        if (joinsAnew)
            await source.JoinAsync(patience.Token);
        else
            await source.HeartbeatAsync(Worker, [], patience.Token);

        First.Bench.Roster.IsDraining(Worker).ShouldBeTrue();
    }

    [Fact]
    public async Task While_nobody_knows_who_scales_it_may_stay_where_it_is()
    {
        foreach (var side in sides)
            await side.Fleet.TendAsync(default, ControllerRole.Unknown);
        source = Source(First.Bench.Address);

        await source.JoinAsync(patience.Token);

        First.Bench.Roster.Has(Worker).ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_no_launcher_knows_may_join_any_gateway()
    {
        await ScalesAsync(Second);
        using var stranger = Source(First.Bench.Address, "stranger");

        await stranger.JoinAsync(patience.Token);

        First.Bench.Roster.Has("stranger").ShouldBeTrue();
    }

    private async Task ScalesAsync(Side active)
    {
        foreach (var side in sides)
            await side.Fleet.TendAsync(default, side == active ? ControllerRole.Active : ControllerRole.Standby);
    }

    private static HttpJobSource Source(Uri server, string name = Worker) =>
        new(server, GatewayBench.Token, name, () => new WorkerJoin(1, [new(GatewayBench.Model.Id, "1")]), TimeProvider.System, NullLogger<HttpJobSource>.Instance);

    /// <summary>A gateway that sees the worker in the list of a launcher.</summary>
    private sealed class Side
    {
        public GatewayBench Bench { get; private set; } = null!;

        public FleetController Fleet { get; private set; } = null!;

        public static async Task<Side> StartAsync()
        {
            var side = new Side();
            var launcher = new MemoryLauncher(TimeProvider.System) { IsShared = true };
            await launcher.StartAsync(1, default);
            side.Bench = await GatewayBench.StartAsync(s => s with { Jobs = s.Jobs with { Leases = s.Jobs.Leases with { Sweep = TimeSpan.FromHours(1) } } }, pools: roster =>
            {
                side.Fleet = new FleetController(launcher, roster, _ => Task.FromResult(default(LostLeases)), TimeProvider.System, NullLogger<FleetController>.Instance);
                return new WorkerPools([new WorkerPool("shared", 1, side.Fleet)], roster);
            });
            return side;
        }
    }
}
