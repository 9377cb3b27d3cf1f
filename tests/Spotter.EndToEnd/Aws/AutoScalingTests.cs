using Spotter.Tests.Http;
using Spotter.Tests.Worker;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service that scales an Auto Scaling group, whose instances are worker processes here.</summary>
public sealed class AutoScalingTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Jobs = 60;

    private FleetOnMoto fleet = null!;
    private MotoGroup group = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        fleet = await FleetOnMoto.StartAsync();
        group = new MotoGroup(fleet.Moto);
        await group.MakeAsync(max: 2);
    }

    public async Task DisposeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        group.Dispose();
        await fleet.DisposeAsync();
    }

    [MotoFact]
    public async Task A_burst_brings_instances_up_from_zero_and_they_go_when_it_is_over_without_cutting_a_job_off()
    {
        await using var service = await fleet.StartAsync("serve", Scaling());
        await using var machines = new MachineProcesses(InstancesAsync, instance => fleet.StartWorker(service.Address, instance));
        try
        {
            using var api = new SpotterApi(service.Address);

            await FleetOnMoto.EndInOneAttemptAsync(api, await FleetOnMoto.SubmitAsync(api, Jobs));

            machines.Most.ShouldBeGreaterThan(0);
            await EndEmptyAsync(machines);
            (await service.TerminateAsync()).ShouldBe(0);
        }
        finally
        {
            output.WriteLine(service.Log);
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task A_spot_instance_that_is_taken_back_gives_its_job_back_at_no_cost()
    {
        // Each takes some seconds, so that one runs when the notice comes.
        fleet.Work(1000);
        await using var metadata = await MetadataService.StartAsync();
        await using var service = await fleet.StartAsync("serve", Scaling(max: 1));
        string? spot = null;
        await using var machines = new MachineProcesses(InstancesAsync, instance => fleet.StartWorker(service.Address, instance, (spot ??= instance) == instance ? metadata.Address : null));
        try
        {
            using var api = new SpotterApi(service.Address);
            var ids = await FleetOnMoto.SubmitAsync(api, 4);
            await Eventually.SeeAsync("its worker runs one", () => api.ListAsync("&state=running"), running => running.Count > 0, FleetOnMoto.Patience);

            // No time is left to finish anything.
            metadata.Interrupt(TimeProvider.System.GetUtcNow().AddSeconds(15));

            (await machines.All[spot!].ExitAsync()).ShouldBe(0);
            var jobs = await FleetOnMoto.EndInOneAttemptAsync(api, ids);
            jobs.Count(j => j.GetProperty("history").GetRawText().Contains("machine was taken away", StringComparison.Ordinal)).ShouldBeInRange(1, 2, "the one that ran, and perhaps the next");
            machines.All.Count.ShouldBeGreaterThan(1, "another took its place");
            await EndEmptyAsync(machines);
        }
        finally
        {
            output.WriteLine(service.Log);
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task When_the_gateway_that_scales_is_killed_its_workers_go_on_with_another()
    {
        fleet.Work(400);
        await using var first = await fleet.StartAsync("serve", Scaling(), "first");
        await using var second = await fleet.StartAsync("serve", Scaling(), "second");
        SpotterProcess[] gateways = [first, second];
        await using var balancer = await StickyBalancer.StartAsync(first.Address, second.Address);
        await using var machines = new MachineProcesses(InstancesAsync, instance => fleet.StartWorker(balancer.Address, instance));
        try
        {
            using var api = new SpotterApi(first.Address);
            using var other = new SpotterApi(second.Address);
            var ids = await FleetOnMoto.SubmitAsync(api, 20);
            string? beat = null;
            await Eventually.BeAsync("a worker has joined", () => (beat = balancer.Seen.FirstOrDefault(s => s.EndsWith("/heartbeat 200", StringComparison.Ordinal))) is not null, FleetOnMoto.Patience);
            var (active, left) = beat![0] == '0' ? (first, other) : (second, api);

            await active.KillAsync();

            foreach (var id in ids)
                SpotterApi.StateOf(await left.EndOfAsync(id, FleetOnMoto.Patience)).ShouldBe("succeeded");
            await EndEmptyAsync(machines);
            machines.All.Count.ShouldBeLessThanOrEqualTo(2, "none was replaced");
        }
        finally
        {
            output.WriteLine(string.Join("\n\n", gateways.Select(g => g.Log)));
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task A_group_that_scales_itself_finds_the_backlog_in_cloudwatch()
    {
        const int Queued = 7;
        await using var service = await fleet.StartAsync("gateway", new(StringComparer.Ordinal)
        {
            ["SPOTTER__PUBLISH__TO"] = "cloudwatch",
            ["SPOTTER__PUBLISH__NAMESPACE"] = "Spotter",
            ["SPOTTER__PUBLISH__DIMENSIONS"] = $"AutoScalingGroupName={MotoGroup.Name}",
            ["SPOTTER__PUBLISH__GROUP"] = MotoGroup.Name,
            ["SPOTTER__PUBLISH__INTERVALSECONDS"] = "1",
        });
        using var api = new SpotterApi(service.Address);
        await FleetOnMoto.SubmitAsync(api, Queued);

        await Eventually.SeeAsync("the backlog is published", () => group.MaximumAsync("BacklogPerInstance"), max => max == Queued, FleetOnMoto.Patience);

        (await group.MaximumAsync("QueuedJobs")).ShouldBe(Queued);
        (await group.MaximumAsync("DesiredInstances")).ShouldBe(0);
        (await group.MetricsAsync()).Distinct(StringComparer.Ordinal).ShouldBe(
            "BacklogPerInstance DesiredInstances OldestJobAge QueuedJobs RunningJobs".Split(' ').Select(m => $"Spotter/{m} AutoScalingGroupName={MotoGroup.Name}"));
    }

    private static Dictionary<string, string> Scaling(int max = 2) => new(StringComparer.Ordinal)
    {
        ["SPOTTER__POOLS__WORKERS__LAUNCHER"] = "autoscaling",
        ["SPOTTER__POOLS__WORKERS__GROUP"] = MotoGroup.Name,
        ["SPOTTER__POOLS__WORKERS__MAX"] = $"{max}",
        ["SPOTTER__POOLS__WORKERS__LANES"] = "1",
        ["SPOTTER__SCALING__LINGERSECONDS"] = "1",
    };

    private async Task<IReadOnlyList<string>> InstancesAsync() => (await group.DescribeAsync()).Instances;

    private async Task EndEmptyAsync(MachineProcesses machines)
    {
        await Eventually.SeeAsync("the group is empty", group.DescribeAsync, g => g.Desired == 0 && g.Instances.Count == 0, FleetOnMoto.Patience);
        machines.CutOff.ShouldBeEmpty("each was drained first");
        foreach (var (instance, worker) in machines.All)
            (await worker.ExitAsync()).ShouldBe(0, instance);
    }
}
