using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Tests.Scaling;

public sealed class SpotterPolicyTests
{
    private static readonly ScaleSettings Settings = new()
    {
        Max = 20,
        BootPrior = TimeSpan.FromSeconds(60),
        ServicePrior = TimeSpan.FromSeconds(6),
        MinBill = TimeSpan.FromSeconds(60),
    };

    [Fact]
    public void The_first_job_is_given_a_worker_at_once()
    {
        var decision = new SpotterPolicy(Settings).Decide(Seen(0.3, queued: 1, arrived: 1));

        decision.Launch.ShouldBeInRange(1, 2);
        decision.Reason.ShouldContain("backlog");
        decision.Inputs.ShouldNotBeNull().Queued.ShouldBe(1);
    }

    [Fact]
    public void A_burst_is_given_all_that_there_may_be() =>
        new SpotterPolicy(Settings).Decide(Seen(0.3, queued: 110, arrived: 110)).Launch.ShouldBe(20);

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 10)]
    [InlineData(0.2, 0.1)]
    [InlineData(120, 30)]
    public void A_burst_is_given_all_that_there_may_be_however_long_boots_and_jobs_are(double boot, double service)
    {
        var settings = Settings with { BootPrior = TimeSpan.FromSeconds(boot), ServicePrior = TimeSpan.FromSeconds(service) };

        new SpotterPolicy(settings).Decide(Seen(0.3, queued: 110, arrived: 110)).Launch.ShouldBe(20);
    }

    [Fact]
    public void A_fleet_of_thousands_is_no_burden()
    {
        var policy = new SpotterPolicy(Settings with { Max = 5000, MinBill = TimeSpan.Zero });

        policy.Decide(Seen(0.3, queued: 20_000, arrived: 20_000)).Launch.ShouldBeInRange(4000, 5000);
        policy.Decide(Seen(300, queued: 0, arrived: 20_000, workers: [.. Workers(WorkerState.Idle, 5000, age: 200)])).Drain.Count.ShouldBe(5000);
    }

    [Fact]
    public void Workers_that_boot_are_not_launched_twice()
    {
        var policy = new SpotterPolicy(Settings);
        var first = policy.Decide(Seen(0.3, 3, arrived: 3));

        var second = policy.Decide(Seen(1.3, 3, arrived: 3, workers: [.. Workers(WorkerState.Booting, first.Launch, age: 1)]));

        second.Launch.ShouldBe(0);
    }

    [Fact]
    public void A_worker_with_more_lanes_counts_for_more()
    {
        var wide = new SpotterPolicy(Settings with { Lanes = 4 }).Decide(Seen(0.3, 12, arrived: 12));
        var narrow = new SpotterPolicy(Settings).Decide(Seen(0.3, 12, arrived: 12));

        wide.Launch.ShouldBeLessThan(narrow.Launch);
    }

    [Fact]
    public void A_drain_time_to_be_met_asks_for_more_workers()
    {
        var hurried = new SpotterPolicy(Settings with { TargetDrain = TimeSpan.FromSeconds(6) }).Decide(Seen(0.3, 12, arrived: 12));

        hurried.Target.ShouldBeGreaterThan(new SpotterPolicy(Settings).Decide(Seen(0.3, 12, arrived: 12)).Target);
        hurried.Target.ShouldBeGreaterThanOrEqualTo(12);
    }

    [Fact]
    public void Dearer_waiting_asks_for_more_workers()
    {
        var targets = ((ScalePreset[])[ScalePreset.Eco, ScalePreset.Balanced, ScalePreset.Fast])
            .Select(preset => new SpotterPolicy(Settings with { Preset = preset }).Decide(Seen(0.3, 12, arrived: 12)).Target)
            .ToList();

        targets.ShouldBe(targets.Order());
        targets[^1].ShouldBeGreaterThan(targets[0]);
    }

    [Theory]
    [InlineData(58, false)]
    [InlineData(59, true)]
    public void No_worker_goes_before_its_minimum_bill_is_used_up(double age, bool goes)
    {
        var decision = new SpotterPolicy(Settings).Decide(Seen(100, 0, workers: [.. Workers(WorkerState.Idle, 1, age)]));

        decision.Drain.Count.ShouldBe(goes ? 1 : 0);
    }

    [Theory]
    [InlineData(WorkerState.Busy)]
    [InlineData(WorkerState.Draining)]
    public void A_worker_with_a_job_is_left_alone(WorkerState state) =>
        new SpotterPolicy(Settings).Decide(Seen(100, 0, workers: [.. Workers(state, 3, age: 500)])).Drain.ShouldBeEmpty();

    [Fact]
    public void Those_that_boot_go_before_those_that_idle_and_the_longest_idle_before_the_others()
    {
        var decision = new SpotterPolicy(Settings with { Min = 1, MinBill = TimeSpan.Zero }).Decide(Seen(100, 0, workers:
        [
            View("fresh", WorkerState.Idle, 90, 5), View("idle", WorkerState.Idle, 90, 60),
            View("young", WorkerState.Booting, 3, 3), View("old", WorkerState.Booting, 40, 40),
        ]));

        decision.Drain.ShouldBe(["young", "old", "idle"]);
        decision.Target.ShouldBe(1);
    }

    [Fact]
    public void A_worker_that_is_kept_by_the_settings_stays()
    {
        var policy = new SpotterPolicy(Settings with { KeepIdle = TimeSpan.FromSeconds(30) });

        policy.Decide(Seen(100, 0, workers: [View("a", WorkerState.Idle, 90, 29)])).Drain.ShouldBeEmpty();
        policy.Decide(Seen(101, 0, workers: [View("a", WorkerState.Idle, 91, 30)])).Drain.ShouldBe(["a"]);
    }

    [Fact]
    public void A_worker_that_takes_twice_as_long_is_not_counted_on_and_after_three_times_it_is_replaced()
    {
        var policy = new SpotterPolicy(Settings);

        policy.Decide(Seen(0, 1, arrived: 1, workers: [View("slow", WorkerState.Booting, 119, 119)])).Launch.ShouldBe(0);
        var late = policy.Decide(Seen(1, 1, arrived: 1, workers: [View("slow", WorkerState.Booting, 121, 121)]));
        var lost = policy.Decide(Seen(2, 1, arrived: 1, workers: [View("slow", WorkerState.Booting, 181, 181), View("new", WorkerState.Booting, 60, 60)]));

        (late.Launch, late.Drain.Count).ShouldBe((1, 0));
        (lost.Launch, lost.Drain.Single()).ShouldBe((0, "slow"));
    }

    [Fact]
    public void One_that_loads_its_model_is_waited_for_however_long_it_takes()
    {
        var policy = new SpotterPolicy(Settings);
        policy.Decide(Seen(0.3, 1, arrived: 1));

        var decision = policy.Decide(Seen(600, 1, arrived: 1, workers: [View("loading", WorkerState.Loading, 599, 590)]));

        (decision.Target, decision.Launch, decision.Drain.Count).ShouldBe((1, 0, 0));
        decision.CancelDrain.ShouldBeEmpty("it does not drain");
        decision.Inputs!.Booting.ShouldBe(1);
    }

    [Fact]
    public void There_are_never_more_than_the_most_not_even_beside_one_that_is_overdue()
    {
        var policy = new SpotterPolicy(Settings with { Max = 2 });
        policy.Decide(Seen(0.3, 50, arrived: 50));

        // Past twice a boot: not counted on, and not given up.
        var decision = policy.Decide(Seen(121, 50, arrived: 50, workers: [View("a", WorkerState.Booting, 121, 121), View("b", WorkerState.Busy, 121, 60)]));
        (decision.Launch, decision.Drain.Count).ShouldBe((0, 0));

        // Given up: it goes, and another comes.
        decision = policy.Decide(Seen(185, 50, arrived: 50, workers: [View("a", WorkerState.Booting, 185, 185), View("b", WorkerState.Busy, 185, 60)]));
        (decision.Launch, decision.Drain.Single()).ShouldBe((1, "a"));
    }

    [Fact]
    public void Drains_are_taken_back_before_anything_is_launched_the_latest_first()
    {
        var decision = new SpotterPolicy(Settings).Decide(Seen(0.3, 110, arrived: 110, workers:
            [View("early", WorkerState.Draining, 90, 9), View("late", WorkerState.Draining, 90, 1)]));

        decision.CancelDrain.ShouldBe(["late", "early"]);
        (decision.Target, decision.Launch).ShouldBe((20, 18));
    }

    [Fact]
    public void What_is_unknown_is_not_zero()
    {
        var policy = new SpotterPolicy(Settings with { Min = 4 });
        var workers = Workers(WorkerState.Idle, 4, age: 900).ToList();
        policy.Decide(Seen(0, 0, arrived: 5, workers: [.. workers]));

        var blind = policy.Decide(Seen(60, null, arrived: 5, workers: [.. workers]));
        var lost = policy.Decide(Seen(110, null, arrived: 5, workers: [.. workers.Take(3)]));
        var frozen = policy.Decide(Seen(130, null, arrived: 5, workers: [.. workers.Take(3)]));

        (blind.Target, blind.Launch, blind.Drain.Count).ShouldBe((4, 0, 0));
        blind.Reason.ShouldContain("unknown for 60 s");
        lost.Launch.ShouldBe(1, "what is lost is replaced for two minutes");
        frozen.Launch.ShouldBe(0, "and then no more");
    }

    [Fact]
    public void A_job_that_comes_every_five_minutes_finds_a_worker_once_that_is_known()
    {
        var clockwork = new Clockwork(new SpotterPolicy(Settings));

        for (var visit = 0; visit < 6; visit++)
            clockwork.VisitAfter(300);

        clockwork.ReadyOnArrival.ShouldBe([false, false, false, false, true, true]);
    }

    [Fact]
    public void What_was_learned_outlives_a_restart()
    {
        var before = new SpotterPolicy(Settings);
        var clockwork = new Clockwork(before);
        for (var visit = 0; visit < 6; visit++)
            clockwork.VisitAfter(300);
        var after = new SpotterPolicy(Settings);

        after.Restore(before.Save());
        var resumed = new Clockwork(after);
        resumed.VisitAfter(295);

        resumed.ReadyOnArrival.ShouldBe([true]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"service": -1, "boot": 1, "belief": {"shares": [], "batches": 0, "looks": 0}, "levels": []}""")]
    public void What_is_no_memory_is_refused(string state) =>
        Should.Throw<SpotterException>(() => new SpotterPolicy(Settings).Restore(state)).Code.ShouldBe(ErrorCodes.InvalidSettings);

    private static IEnumerable<WorkerView> Workers(WorkerState state, int count, double age) =>
        Enumerable.Range(0, count).Select(i => View($"w{i}", state, age, age));

    private static WorkerView View(string id, WorkerState state, double age, double stateAge) =>
        new(id, state, TimeSpan.FromSeconds(age), TimeSpan.FromSeconds(stateAge));

    private static ScaleObservation Seen(double time, int? queued, long arrived = 0, int running = 0, params WorkerView[] workers) => new()
    {
        Time = TimeSpan.FromSeconds(time), Queued = queued, Running = queued is null ? null : running, Arrived = arrived, Workers = workers,
    };

    /// <summary>One job now and then, done in six seconds by the one worker that there is by then.</summary>
    private sealed class Clockwork(ScalePolicy policy)
    {
        private const double Boot = 60;
        private const double Service = 6;

        private double now;
        private double lastVisit;
        private long arrived;
        private double? launched;
        private double? doneAt;
        private bool waits;

        public List<bool> ReadyOnArrival { get; } = [];

        /// <summary>A job comes so many seconds after the one before, and what it leads to is seen to its end.</summary>
        public void VisitAfter(double seconds)
        {
            while (now < lastVisit + seconds)
                Step();
            lastVisit = now;
            ReadyOnArrival.Add(now - launched >= Boot);
            arrived++;
            waits = true;
            while (waits || doneAt is not null)
                Step();
        }

        private void Step()
        {
            now++;
            List<double> served = [], booted = [];
            if (now >= doneAt)
            {
                doneAt = null;
                served.Add(Service);
            }
            if (launched is { } since && now - since >= Boot && now - since < Boot + 1)
                booted.Add(Boot);
            var ready = now - launched >= Boot;
            if (waits && ready && doneAt is null)
                (waits, doneAt) = (false, now + Service);
            var state = !ready ? WorkerState.Booting : doneAt is null ? WorkerState.Idle : WorkerState.Busy;
            var decision = policy.Decide(new()
            {
                Time = TimeSpan.FromSeconds(now),
                Queued = waits ? 1 : 0,
                Running = doneAt is null ? 0 : 1,
                Arrived = arrived,
                Workers = launched is null ? [] : [View("w", state, now - launched.Value, now - launched.Value)],
                Served = served.Aggregate(default(ServedJobs), (sum, seconds) => sum + ServedJobs.One(seconds)),
                BootedSeconds = booted,
            });
            if (decision.Drain.Count > 0)
                launched = null;
            else if (decision.Launch > 0)
                launched ??= now;
        }
    }
}
