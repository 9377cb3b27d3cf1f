using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends.Processes;
using Spotter.Core;
using Spotter.Core.Scaling;

namespace Spotter.Tests.Processes;

/// <summary>On real processes: small shell scripts that behave as workers do, or don't.</summary>
public sealed class ProcessFleetTests : IAsyncLifetime
{
    private const string Obeys = "while read line; do if [ \"$line\" = drain ]; then exit 0; fi; done; exit 1";
    private const string Ignores = "while :; do read line || exit 1; done";

    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly ManualClock clock = new();
    private readonly Channel<(string Worker, int Status)> exits = Channel.CreateUnbounded<(string, int)>();
    private readonly WorkerRoster roster;
    private readonly ProcessFleet fleet;
    private string script = Obeys;
    private string program = "/bin/sh";
    private Exception? onExitFault;

    public ProcessFleetTests()
    {
        roster = new WorkerRoster(clock);
        fleet = new ProcessFleet(
            () => new WorkerCommand(program, ["-c", script], new Dictionary<string, string>(StringComparer.Ordinal) { ["STATUS"] = "7" }),
            roster,
            exit =>
            {
                exits.Writer.TryWrite((exit.Worker, exit.Status));
                return onExitFault is { } fault ? Task.FromException(fault) : Task.CompletedTask;
            },
            clock, RandomSource.Seeded(1), NullLogger<ProcessFleet>.Instance);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fleet.DisposeAsync();

    [Fact]
    public async Task A_launched_worker_boots_until_it_has_joined()
    {
        await fleet.LaunchAsync(2, default);
        clock.Advance(TimeSpan.FromSeconds(3));
        var workers = await ListAsync();
        workers.Count.ShouldBe(2);
        workers.ShouldAllBe(w => w.State == WorkerState.Booting && w.Age == TimeSpan.FromSeconds(3));

        roster.Join(workers[0].Id, 1, []);
        roster.Took(workers[0].Id);

        (await ListAsync()).Select(w => w.State).ShouldBe([WorkerState.Busy, WorkerState.Booting]);
    }

    [Fact]
    public async Task Drained_workers_are_told_over_standard_input_and_end_by_themselves()
    {
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        roster.Join(name, 1, []);

        await fleet.DrainAsync(name, default);

        (await ListAsync()).ShouldAllBe(w => w.State == WorkerState.Draining);
        (await ExitAsync()).ShouldBe((name, 0));
        (await ListAsync()).ShouldBeEmpty();
        roster.Has(name).ShouldBeFalse();
        (await fleet.CancelDrainAsync(name, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task The_exit_status_and_the_environment_are_passed_on()
    {
        script = "exit $STATUS";
        await fleet.LaunchAsync(1, default);

        (await ExitAsync()).Status.ShouldBe(7);
    }

    [Fact]
    public async Task After_crashes_launching_pauses_and_then_goes_on()
    {
        script = "exit 9";
        await fleet.LaunchAsync(1, default);
        await ExitAsync();
        // The first death costs no wait.
        await fleet.LaunchAsync(1, default);
        await ExitAsync();
        script = Obeys;

        await fleet.LaunchAsync(1, default);
        (await ListAsync()).ShouldBeEmpty();

        clock.Advance(TimeSpan.FromMilliseconds(251));
        await fleet.LaunchAsync(1, default);
        (await ListAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_counts_as_a_crash()
    {
        program = "/no/such/program";
        await fleet.LaunchAsync(3, default);
        (await ListAsync()).ShouldBeEmpty();

        program = "/bin/sh";
        await fleet.LaunchAsync(1, default);
        (await ListAsync()).ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(1));
        await fleet.LaunchAsync(1, default);
        (await ListAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_worker_that_never_joins_is_killed()
    {
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromSeconds(61));
        await ListAsync();

        (await ExitAsync()).Status.ShouldNotBe(0);
    }

    [Fact]
    public async Task Those_that_do_not_drain_are_killed_when_patience_ends()
    {
        script = Ignores;
        await fleet.LaunchAsync(2, default);

        var draining = fleet.DrainAllAsync(TimeSpan.FromSeconds(60));
        await clock.WaitForTimersAsync();
        draining.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(61));

        await draining.WaitAsync(Safety);
        (await ExitAsync()).Status.ShouldNotBe(0);
        (await ExitAsync()).Status.ShouldNotBe(0);
        (await ListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task None_is_left_when_the_fleet_is_disposed_of()
    {
        script = Ignores;
        await fleet.LaunchAsync(1, default);
        await fleet.DisposeAsync();

        (await ExitAsync()).Status.ShouldNotBe(0);
        (await ListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Leases_that_cannot_be_taken_back_keep_nobody_from_ending()
    {
        onExitFault = new InvalidOperationException("not one of ours");
        script = Ignores;
        await fleet.LaunchAsync(1, default);

        await fleet.DrainAllAsync(TimeSpan.Zero).WaitAsync(Safety);
    }

    [Fact]
    public async Task Workers_that_joined_from_elsewhere_are_listed_and_told_through_the_roster()
    {
        roster.Join("elsewhere", 2, []);
        (await ListAsync()).Select(w => w.State).ShouldBe([WorkerState.Idle]);

        await fleet.DrainAsync("elsewhere", default);

        roster.IsDraining("elsewhere").ShouldBeTrue();
        (await ListAsync()).Select(w => w.State).ShouldBe([WorkerState.Draining]);
    }

    private Task<IReadOnlyList<WorkerView>> ListAsync() => fleet.ListAsync(default);

    private async Task<(string Worker, int Status)> ExitAsync()
    {
        using var safety = new CancellationTokenSource(Safety);
        return await exits.Reader.ReadAsync(safety.Token);
    }
}
