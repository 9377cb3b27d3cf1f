using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service that launches EC2 machines one by one, which are worker processes here; by the rule of an earlier service, a machine for each job.</summary>
public sealed class Ec2PoolTests(ITestOutputHelper output) : IAsyncLifetime
{
    private FleetOnMoto fleet = null!;
    private MotoPool pool = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        fleet = await FleetOnMoto.StartAsync();
        pool = new MotoPool(fleet.Moto);
        await pool.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        pool.Dispose();
        await fleet.DisposeAsync();
    }

    [MotoFact]
    public async Task A_burst_of_110_jobs_has_exactly_20_machines_from_zero_and_none_is_cut_off()
    {
        fleet.Work(20);
        await using var service = await fleet.StartAsync("serve", Scaling(max: 20));
        await using var machines = new MachineProcesses(pool.UpAsync, instance => fleet.StartWorker(service.Address, instance));
        try
        {
            using var api = new SpotterApi(service.Address);

            await FleetOnMoto.EndInOneAttemptAsync(api, await FleetOnMoto.SubmitAsync(api, 110));

            await EndEmptyAsync(machines);
            var first = await pool.MachinesAsync();
            first.Select(m => m.Name).ShouldBe(Names(20), ignoreOrder: true);
            first.Select(m => m.Type).Distinct(StringComparer.Ordinal).ShouldBe(["c7i.large"], "there was capacity");
            machines.Most.ShouldBe(20);

            await FleetOnMoto.EndInOneAttemptAsync(api, await FleetOnMoto.SubmitAsync(api, 3, firstLevel: 200));

            await EndEmptyAsync(machines);
            var second = (await pool.MachinesAsync()).Skip(20).Select(m => m.Name).ToList();
            second.ShouldNotBeEmpty();
            // All numbers were free again.
            second.Except(Names(3), StringComparer.Ordinal).ShouldBeEmpty();
            (await service.TerminateAsync()).ShouldBe(0);
        }
        finally
        {
            output.WriteLine(service.Log);
            output.WriteLine(machines.Log);
        }
    }

    [MotoFact]
    public async Task A_controller_that_is_killed_and_starts_again_has_no_orphan_and_launches_none_besides()
    {
        // Each takes a second or more, so that some run when it is killed.
        fleet.Work(200);
        await using var first = await fleet.StartAsync("serve", Scaling(max: 4));
        SpotterProcess? second = null;
        await using var machines = new MachineProcesses(pool.UpAsync, instance => fleet.StartWorker(first.Address, instance));
        try
        {
            using var api = new SpotterApi(first.Address);
            var ids = await FleetOnMoto.SubmitAsync(api, 12);
            await Eventually.SeeAsync("there are four machines", pool.UpAsync, up => up.Count == 4, FleetOnMoto.Patience);
            await Eventually.SeeAsync("a worker runs a job", () => api.ListAsync("&state=running"), running => running.Count > 0, FleetOnMoto.Patience);

            await first.KillAsync();
            second = await fleet.StartAsync("serve", Scaling(max: 4), port: first.Address.Port);

            await FleetOnMoto.EndInOneAttemptAsync(api, ids);
            await EndEmptyAsync(machines);
            (await pool.MachinesAsync()).Select(m => m.Name).ShouldBe(Names(4), ignoreOrder: true);
        }
        finally
        {
            output.WriteLine(first.Log);
            output.WriteLine(second?.Log ?? "");
            output.WriteLine(machines.Log);
            if (second is not null)
                await second.DisposeAsync();
        }
    }

    private static IEnumerable<string> Names(int count) => Enumerable.Range(1, count).Select(i => $"{MotoPool.Name}-{i}");

    /// <summary>As the stack of deploy/aws tells its gateways with scaling=pool (StackTests), and the rule.</summary>
    private Dictionary<string, string> Scaling(int max) => new(StringComparer.Ordinal)
    {
        ["SPOTTER__POOLS__WORKERS__LAUNCHER"] = "ec2",
        ["SPOTTER__POOLS__WORKERS__TEMPLATE"] = pool.Template,
        ["SPOTTER__POOLS__WORKERS__POOL"] = MotoPool.Name,
        ["SPOTTER__POOLS__WORKERS__TYPES"] = "c7i.large,c7a.large",
        ["SPOTTER__POOLS__WORKERS__SUBNETS"] = string.Join(',', pool.Subnets),
        ["SPOTTER__POOLS__WORKERS__MAX"] = $"{max}",
        ["SPOTTER__POOLS__WORKERS__LANES"] = "1",
        ["SPOTTER__POOLS__WORKERS__POLICY"] = "controller",
    };

    private async Task EndEmptyAsync(MachineProcesses machines)
    {
        await Eventually.SeeAsync("all machines have been ended", pool.UpAsync, up => up.Count == 0, FleetOnMoto.Patience);
        // One that has not joined yet has no job, and is ended at once when it is too many.
        machines.CutOff.Where(instance => machines.All[instance].Log.Contains(" is loaded ", StringComparison.Ordinal)).ShouldBeEmpty("each was drained first");
        foreach (var (instance, worker) in machines.All.Where(m => !machines.CutOff.Contains(m.Key, StringComparer.Ordinal)))
            (await worker.ExitAsync()).ShouldBe(0, instance);
    }
}
