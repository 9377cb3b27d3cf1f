using System.Globalization;
using Xunit.Abstractions;

namespace Spotter.Faults;

/// <summary>How long after a kill the work goes on, with the leases that everybody has who sets nothing.</summary>
public sealed class RecoveryTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(40);

    private static readonly (string, string)[] Defaults =
    [
        ("SPOTTER__LEASE__DURATIONSECONDS", ""), ("SPOTTER__LEASE__HEARTBEATSECONDS", ""),
        ("SPOTTER__LEASE__SWEEPSECONDS", ""),
    ];

    [LinuxFact]
    public async Task A_job_of_a_killed_worker_is_answered_within_40_s()
    {
        await using var bench = await Bench.StartAsync(work: 60, settings: Defaults);
        var first = await bench.JoinWorkerAsync(settings: Defaults);
        var job = await RunningAsync(bench, "worker", 200);
        bench.StartWorker(settings: Defaults);
        Processes.Signal(first.Id, Processes.Kill);
        await RecoveredAsync(bench, job, "a worker elsewhere is killed, default settings");
    }

    [LinuxFact]
    public async Task A_job_is_answered_within_40_s_of_the_death_of_gateway_and_worker()
    {
        await using var bench = await Bench.StartAsync(work: 60, settings: Defaults);
        var first = await bench.JoinWorkerAsync(settings: Defaults);
        var job = await RunningAsync(bench, "both", 210);
        Processes.Signal(first.Id, Processes.Kill);
        await bench.Gateway.KillAsync();
        await bench.StartGatewayAsync();
        bench.StartWorker(settings: Defaults);
        await RecoveredAsync(bench, job, "gateway and worker are killed, default settings");
    }

    private static async Task<string> RunningAsync(Bench bench, string key, byte shade)
    {
        var job = await bench.Ledger.SubmitAsync(() => bench.Api, key, shade);
        await Eventually.SeeAsync("it runs", () => bench.Api.JobAsync(job), seen => SpotterApi.StateOf(seen) == "running");
        return job;
    }

    private async Task RecoveredAsync(Bench bench, string job, string fault)
    {
        var killed = TimeProvider.System.GetUtcNow();
        var verdict = await bench.Ledger.CheckAsync(bench.Api, TimeSpan.FromSeconds(120));
        var took = (await bench.Api.JobAsync(job)).GetProperty("finished").GetDateTimeOffset() - killed;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault}: answered after {took.TotalSeconds:0.0} s"));
        verdict.Expect(took < Promised, string.Create(CultureInfo.InvariantCulture, $"it took {took.TotalSeconds:0.0} s"));
        FaultTable.ShouldSurvive(3, $"{fault}: answered in {Promised.TotalSeconds:0} s", verdict);
    }
}
