using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets;
using Spotter.Fleets.Processes;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Processes;

/// <summary>On real processes: small shell scripts that behave as workers do, or don't.</summary>
public sealed class ProcessFleetTests : IAsyncLifetime
{
    private const string Obeys = "while read line; do case \"$line\" in drain*) exit 0;; esac; done; exit 1";
    private const string Ignores = "while :; do read line || exit 1; done";

    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly ManualClock clock = new();
    private readonly Channel<(string Worker, int Status)> exits = Channel.CreateUnbounded<(string, int)>();
    private readonly WorkerRoster roster;
    private readonly ScaleMeter meter = new();
    private readonly TemporaryFolder folder = new();
    private readonly ProcessLauncher launcher;
    private readonly FleetController fleet;
    private string script = Obeys;
    private string program = "/bin/sh";
    private Exception? onExitFault;

    public ProcessFleetTests()
    {
        roster = new WorkerRoster(clock);
        launcher = new ProcessLauncher(
            () => new WorkerCommand(program, ["-c", script], new Dictionary<string, string>(StringComparer.Ordinal) { ["STATUS"] = "7" }),
            clock, RandomSource.Seeded(1), NullLogger<ProcessLauncher>.Instance)
        {
            Ledger = folder.File("workers"),
        };
        fleet = new FleetController(
            launcher, roster,
            exit =>
            {
                exits.Writer.TryWrite((exit.Worker, exit.Status!.Value));
                return onExitFault is { } fault ? Task.FromException<LostLeases>(fault) : Task.FromResult(default(LostLeases));
            },
            clock, NullLogger<FleetController>.Instance)
        {
            Meter = meter,
        };
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await launcher.DisposeAsync();
        folder.Dispose();
    }

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
        fleet.CancelDrain(name).ShouldBeFalse("it is too late");
    }

    [Fact]
    public async Task A_drain_is_taken_back_by_a_line_with_a_higher_number()
    {
        script = $"read first; read second; echo \"$first, $second\" > {folder.File("heard")}; read third; exit 0";
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        roster.Join(name, 1, []);
        roster.Took(name);

        await fleet.DrainAsync(name, default);
        // A second order of the same kind is none.
        await fleet.DrainAsync(name, default);
        (await ListAsync())[0].State.ShouldBe(WorkerState.Draining);
        fleet.CancelDrain(name).ShouldBeTrue();

        (await ListAsync())[0].State.ShouldBe(WorkerState.Busy);
        roster.LeaveIfDraining(name).ShouldBeFalse();
        await fleet.DrainAsync(name, default);
        (await ExitAsync()).Status.ShouldBe(0);
        (await File.ReadAllTextAsync(folder.File("heard"))).Trim().ShouldBe("drain 1, stay 2");
    }

    [Fact]
    public async Task One_that_has_not_joined_is_told_to_end_for_good_and_cannot_be_kept()
    {
        script = Ignores;
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;

        await fleet.DrainAsync(name, default);

        (await ListAsync())[0].State.ShouldBe(WorkerState.Draining);
        // It joins just then, and ends all the same.
        roster.Join(name, 1, []);
        fleet.CancelDrain(name).ShouldBeFalse();
        (await ListAsync())[0].State.ShouldBe(WorkerState.Draining);
    }

    [Fact]
    public async Task One_that_has_left_or_is_forgotten_and_does_not_end_is_killed()
    {
        script = Ignores;
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        roster.Join(name, 1, []);
        await ListAsync();
        roster.Leave(name);

        (await ListAsync())[0].State.ShouldBe(WorkerState.Draining);
        clock.Advance(TimeSpan.FromSeconds(11));
        await ListAsync();

        (await ExitAsync()).Status.ShouldNotBe(0);
    }

    [Fact]
    public async Task How_long_a_boot_took_is_measured_once()
    {
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        clock.Advance(TimeSpan.FromSeconds(3));
        roster.Join(name, 1, []);
        clock.Advance(TimeSpan.FromSeconds(1));
        await ListAsync();
        await ListAsync();

        meter.TakeBooted().ShouldBe([3]);
    }

    [Fact]
    public async Task Who_died_before_joining_and_who_died_later_are_counted_apart()
    {
        script = "read line; exit 9";
        await fleet.LaunchAsync(1, default);
        launcher.TellAll("go");
        await ExitAsync();
        fleet.Health.ShouldBe(new FleetHealth(0, 1));

        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        roster.Join(name, 1, []);
        await ListAsync();
        fleet.Health.ShouldBe(new FleetHealth(0, 0), "one has joined");
        launcher.TellAll("go");
        await ExitAsync();
        fleet.Health.ShouldBe(new FleetHealth(1, 0));
    }

    [Fact]
    public async Task A_death_that_was_the_doing_of_a_job_that_ran_alone_is_not_the_workers()
    {
        script = "read line; exit 9";
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        roster.Join(name, 2, []);
        roster.Took(name, alone: true);
        launcher.TellAll("go");
        await ExitAsync();

        fleet.Health.ShouldBe(new FleetHealth(0, 0));
    }

    [Fact]
    public async Task Who_was_told_to_end_before_joining_has_not_failed_to_boot()
    {
        await fleet.LaunchAsync(1, default);
        await fleet.DrainAsync((await ListAsync())[0].Id, default);
        await ExitAsync();

        fleet.Health.ShouldBe(new FleetHealth(0, 0));
    }

    [Fact]
    public async Task Those_that_outlived_a_killed_service_are_found_and_ended_and_nobody_else()
    {
        // As they look to a service that is started after the one before was killed.
        var name = "w7-0a1b2c";
        using var orphan = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "while :; do sleep 1; done", "--name", name]))!;
        using var stranger = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "while :; do sleep 1; done"]))!;
        try
        {
            await File.WriteAllLinesAsync(folder.File("workers"),
            [
                $"{orphan.Id} {orphan.StartTime.ToUniversalTime().Ticks} {name}",
                $"{stranger.Id} 0 w8-ffffff",
                "not a line of ours",
            ]);

            launcher.EndOrphans().ShouldBe([name]);

            await orphan.WaitForExitAsync().WaitAsync(Safety);
            stranger.HasExited.ShouldBeFalse();
        }
        finally
        {
            stranger.Kill();
            if (!orphan.HasExited)
                orphan.Kill();
        }
    }

    [Fact]
    public async Task Whoever_runs_is_noted_and_whoever_has_ended_is_not()
    {
        await fleet.LaunchAsync(1, default);
        var name = (await ListAsync())[0].Id;
        (await File.ReadAllTextAsync(folder.File("workers"))).ShouldContain(name);

        await fleet.DrainAsync(name, default);
        await ExitAsync();
        // It is noted after it was reported.
        while ((await launcher.ListAsync(default)).Count > 0)
            await Task.Yield();
        (await File.ReadAllTextAsync(folder.File("workers"))).ShouldNotContain(name);
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

        (await fleet.LaunchAsync(1, default)).ShouldBe(0);
        (await ListAsync()).ShouldBeEmpty();

        clock.Advance(TimeSpan.FromMilliseconds(251));
        (await fleet.LaunchAsync(1, default)).ShouldBe(1);
        (await ListAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_counts_as_a_crash()
    {
        program = "/no/such/program";
        (await fleet.LaunchAsync(3, default)).ShouldBe(0);
        (await ListAsync()).ShouldBeEmpty();
        fleet.Health.FailedBoots.ShouldBe(1);

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
        fleet.List();
        (await launcher.ListAsync(default)).ShouldHaveSingleItem("who looks kills nobody");
        exits.Reader.TryPeek(out _).ShouldBeFalse();
        await ListAsync();

        (await ExitAsync()).Status.ShouldNotBe(0);
        fleet.Health.FailedBoots.ShouldBe(1);

        // What loads slowly once may do so again: the next is given twice as long.
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromSeconds(119));
        (await ListAsync()).ShouldHaveSingleItem();
        clock.Advance(TimeSpan.FromSeconds(2));
        await ListAsync();
        await ExitAsync();
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
        await launcher.DisposeAsync();

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

    private Task<IReadOnlyList<WorkerView>> ListAsync() => fleet.TendAsync(default);

    private async Task<(string Worker, int Status)> ExitAsync()
    {
        using var safety = new CancellationTokenSource(Safety);
        return await exits.Reader.ReadAsync(safety.Token);
    }
}
