using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Conformance;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Examples.Launchers;

public sealed class TaskLauncherConformance : WorkerLauncherConformance
{
    private readonly Desks desks = new();
    private readonly TaskLauncher launcher;

    public TaskLauncherConformance() => launcher = new TaskLauncher(desks.WorkAsync, Clock);

    protected override IWorkerLauncher Launcher => launcher;

    public override Task DisposeAsync()
    {
        desks.EndAll();
        return Task.CompletedTask;
    }

    protected override void RunOut() => launcher.Capacity = 0;

    protected override void Crash(string worker) => desks.End(worker, 9);
}

/// <summary>The launcher under the controller that knows the rules.</summary>
public sealed class TaskLauncherTests : IDisposable
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly ManualClock clock = new();
    private readonly Desks desks = new();
    private readonly Channel<WorkerExit> exits = Channel.CreateUnbounded<WorkerExit>();
    private readonly WorkerRoster roster;
    private readonly FleetController fleet;

    public TaskLauncherTests()
    {
        roster = new WorkerRoster(clock);
        fleet = new FleetController(new TaskLauncher(desks.WorkAsync, clock), roster, async exit =>
        {
            await exits.Writer.WriteAsync(exit);
            return default;
        }, clock, NullLogger<FleetController>.Instance);
    }

    public void Dispose() => desks.EndAll();

    [Fact]
    public async Task Those_launched_boot_until_they_join()
    {
        (await fleet.LaunchAsync(2, default)).ShouldBe(2);
        roster.Join("task1", lanes: 1, []);

        (await fleet.TendAsync(default)).Select(w => w.State == WorkerState.Booting).ShouldBe([false, true]);
    }

    [Fact]
    public async Task One_that_never_joins_is_stopped()
    {
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromSeconds(61));

        await fleet.TendAsync(default);

        (await ExitAsync()).ShouldBe(("task1", 137));
        fleet.Health.ShouldBe(new FleetHealth(0, 1));
    }

    [Fact]
    public async Task One_that_crashes_at_work_counts_as_a_crash_and_the_others_stay()
    {
        await fleet.LaunchAsync(2, default);
        roster.Join("task1", lanes: 1, []);
        await fleet.TendAsync(default);

        desks.End("task1", 139);

        (await ExitAsync()).ShouldBe(("task1", 139));
        fleet.Health.ShouldBe(new FleetHealth(1, 0));
        fleet.Launched.ShouldBe(["task2"]);
    }

    private async Task<(string Worker, int? Status)> ExitAsync()
    {
        using var safety = new CancellationTokenSource(Safety);
        var exit = await exits.Reader.ReadAsync(safety.Token);
        return (exit.Worker, exit.Status);
    }
}

/// <summary>Workers that sit there until they are told how to end.</summary>
internal sealed class Desks
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<int>> seats = new(StringComparer.Ordinal);

    public Task<int> WorkAsync(string name, CancellationToken stop) => Seat(name).Task.WaitAsync(stop);

    public void End(string name, int status) => Seat(name).TrySetResult(status);

    public void EndAll()
    {
        foreach (var seat in seats.Values)
            seat.TrySetResult(0);
    }

    private TaskCompletionSource<int> Seat(string name) =>
        seats.GetOrAdd(name, _ => new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
}
