using Spotter.Conformance;
using Spotter.Core;
using Spotter.Examples.Stores;
using Spotter.Jobs;

namespace Spotter.Examples.Service;

/// <summary>Under a clock that stands still until it is moved, so that it is known why somebody gets a job.</summary>
public sealed class WaitingWorkersTests : IAsyncLifetime
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly RetrySchedule Retries = new();

    private readonly ManualClock clock = new();
    private readonly Dictionary<string, long> ranks = new(StringComparer.Ordinal);
    private readonly IJobStore store;
    private readonly StoreProbe probe;
    private readonly WaitingWorkers waiting;

    public WaitingWorkersTests()
    {
        (store, probe) = StoreProbe.Around(new InMemoryJobStore(Retries, RandomSource.Seeded(1), clock));
        waiting = new WaitingWorkers(store, TimeSpan.FromSeconds(30), worker => ranks.GetValueOrDefault(worker), clock);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        probe.BeforeTake = _ => Task.CompletedTask;
        await waiting.StopAsync();
        waiting.Dispose();
    }

    [Fact]
    public async Task Who_does_not_wait_has_an_answer_at_once()
    {
        (await waiting.TakeAsync("w", ["a"], TimeSpan.Zero, default).WaitAsync(Patience)).ShouldBeNull();

        var id = await AddAsync();

        (await waiting.TakeAsync("w", ["a"], TimeSpan.Zero, default).WaitAsync(Patience))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task Waiting_ends_with_nothing_when_its_time_is_over()
    {
        var taking = waiting.TakeAsync("w", ["a"], TimeSpan.FromSeconds(5), default);
        clock.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        taking.IsCompleted.ShouldBeFalse();

        clock.Advance(TimeSpan.FromMilliseconds(1));

        (await taking.WaitAsync(Patience)).ShouldBeNull();
    }

    [Fact]
    public async Task The_highest_rank_gets_the_next_job()
    {
        (ranks["a"], ranks["b"], ranks["c"]) = (1, 3, 2);
        var tasks = await WaitAsync("a", "b", "c");

        foreach (var next in (string[])["b", "c", "a"])
        {
            await AddAsync();
            waiting.Filled("a");
            (await tasks[next].WaitAsync(Patience))!.Lease.Worker.ShouldBe(next);
        }
    }

    [Fact]
    public async Task Of_equals_whoever_has_waited_longest_gets_the_next_job()
    {
        var tasks = await WaitAsync("a", "b", "c");

        foreach (var next in (string[])["a", "b", "c"])
        {
            await AddAsync();
            waiting.Filled("a");
            (await tasks[next].WaitAsync(Patience))!.Lease.Worker.ShouldBe(next);
        }
    }

    [Fact]
    public async Task Rank_counts_among_workers_that_serve_other_queues_besides()
    {
        (ranks["low"], ranks["high"]) = (1, 2);
        var low = waiting.TakeAsync("low", ["a", "b"], Forever, default);
        await LookedAsync("low");
        var high = waiting.TakeAsync("high", ["b"], Forever, default);
        await LookedAsync("high");

        await AddAsync("b");
        waiting.Filled("b");

        (await high.WaitAsync(Patience)).ShouldNotBeNull();
        low.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task One_take_serves_many()
    {
        var (held, release) = HoldTakes();
        var tasks = Enumerable.Range(0, 200).Select(i => waiting.TakeAsync($"w{i}", ["a"], Forever, default)).ToList();
        await held.WaitAsync(Patience);
        var ids = new List<JobId>();
        for (var i = 0; i < 200; i++)
            ids.Add(await AddAsync());

        release();

        var started = await Task.WhenAll(tasks).WaitAsync(Patience);
        started.Select(s => s!.Job.Id).ShouldBe(ids, ignoreOrder: true);
        probe.Takes.Count.ShouldBeLessThanOrEqualTo(6, "those who came first and all others, one for each order of levels");
    }

    [Fact]
    public async Task Whoever_finds_nothing_uses_up_no_turn()
    {
        for (var i = 1; i < PriorityTurns.Cycle; i++)
            (await waiting.TakeAsync("w", ["a"], TimeSpan.Zero, default)).ShouldBeNull();
        await AddAsync(priority: JobPriority.Low);
        var urgent = await AddAsync(priority: JobPriority.High);

        (await waiting.TakeAsync("w", ["a"], TimeSpan.Zero, default))!.Job.Id.ShouldBe(urgent);
    }

    [Fact]
    public async Task A_flood_of_urgent_jobs_starves_nobody()
    {
        var low = await AddAsync(priority: JobPriority.Low);
        var normal = await AddAsync();
        for (var i = 0; i < 3 * PriorityTurns.Cycle; i++)
            await AddAsync(priority: JobPriority.High);

        var taken = new List<StartedJob>();
        while (await waiting.TakeAsync("w", ["a"], TimeSpan.Zero, default) is { } started)
            taken.Add(started);

        taken.Take(3).ShouldAllBe(s => s.Job.Priority == JobPriority.High, "urgent ones go first");
        taken.FindIndex(s => s.Job.Id == normal).ShouldBeLessThan(PriorityTurns.Cycle / 2);
        taken.FindIndex(s => s.Job.Id == low).ShouldBeLessThan(PriorityTurns.Cycle);
        taken.Count.ShouldBe((3 * PriorityTurns.Cycle) + 2);
    }

    [Fact]
    public async Task A_flood_of_urgent_jobs_starves_nobody_when_many_are_served_at_once()
    {
        for (var i = 0; i < 10; i++)
        {
            await AddAsync(priority: JobPriority.Low);
            await AddAsync(priority: JobPriority.Normal);
        }
        for (var i = 0; i < 500; i++)
            await AddAsync(priority: JobPriority.High);

        var taken = new List<JobPriority>();
        for (var round = 0; round < 8; round++)
        {
            var tasks = Enumerable.Range(0, 40).Select(i => waiting.TakeAsync($"w{i}", ["a"], TimeSpan.Zero, default)).ToList();
            taken.AddRange((await Task.WhenAll(tasks).WaitAsync(Patience)).Select(s => s!.Job.Priority));
        }

        // 320 turns: one of sixteen begins with the lowest level, three with the middle one.
        taken.Count(p => p == JobPriority.Low).ShouldBe(10);
        taken.Count(p => p == JobPriority.Normal).ShouldBe(10);
        taken.Take(80).Count(p => p == JobPriority.Low).ShouldBe(5, "80 turns: five begin with the lowest level");
    }

    [Fact]
    public async Task A_job_for_someone_who_has_gone_is_given_back_and_costs_no_attempt()
    {
        var (held, release) = HoldTakes();
        using var leaves = new CancellationTokenSource();
        var id = await AddAsync();
        var gone = waiting.TakeAsync("gone", ["a"], Forever, leaves.Token);
        await held.WaitAsync(Patience);
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(gone);
        release();

        await UntilAsync(async () => (await store.FindAsync(id, default))!.History.Count == 1);
        var row = (await store.FindAsync(id, default))!;
        (row.State, row.Attempts, row.FencingToken).ShouldBe((JobState.Queued, 0, 1));
        clock.Advance(Retries.FreeDelay);
        (await waiting.TakeAsync("next", ["a"], TimeSpan.Zero, default))!.Lease.Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task Who_leaves_before_a_take_is_not_served()
    {
        using var leaves = new CancellationTokenSource();
        var gone = waiting.TakeAsync("gone", ["a"], Forever, leaves.Token);
        await LookedAsync("gone");
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(gone);

        var id = await AddAsync();
        waiting.Filled("a");

        (await waiting.TakeAsync("next", ["a"], TimeSpan.Zero, default))!.Lease.FencingToken.ShouldBe(1);
        (await store.FindAsync(id, default))!.History.ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_those_who_serve_a_queue_look_when_it_is_filled()
    {
        var (a, b) = (waiting.TakeAsync("a", ["a"], Forever, default), waiting.TakeAsync("b", ["b", "c"], Forever, default));
        await LookedAsync("a", "b");
        var before = probe.Takes.Count;
        await AddAsync("a");
        await AddAsync("c");

        waiting.Filled("c");

        (await b.WaitAsync(Patience))!.Job.Queue.ShouldBe("c");
        a.IsCompleted.ShouldBeFalse();
        probe.Takes.Skip(before).ShouldAllBe(t => t.Workers.Single() == "b");
        waiting.Filled(null);
        (await a.WaitAsync(Patience))!.Job.Queue.ShouldBe("a");
    }

    [Fact]
    public async Task What_is_filled_while_a_take_is_under_way_is_not_missed()
    {
        var (held, release) = HoldTakes(after: true);
        var taking = waiting.TakeAsync("w", ["a"], Forever, default);
        await held.WaitAsync(Patience);
        await AddAsync();
        waiting.Filled("a");
        release();

        (await taking.WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_delayed_job_is_given_when_it_is_due()
    {
        var delay = TimeSpan.FromMilliseconds(300);
        await AddAsync(delay: delay);
        var taking = waiting.TakeAsync("w", ["a"], Forever, default);
        await UntilAsync(() => Task.FromResult(clock.UntilNextTimer == delay));

        clock.Advance(delay - TimeSpan.FromMilliseconds(1));
        taking.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromMilliseconds(1));

        (await taking.WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task With_nothing_heard_it_is_looked_all_the_same()
    {
        var tasks = await WaitAsync("w");
        await AddAsync();

        clock.Advance(TimeSpan.FromSeconds(1));

        (await tasks["w"].WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Others_who_come_all_the_time_put_off_no_look()
    {
        var tasks = await WaitAsync("w");
        await AddAsync();
        for (var i = 0; i < 4; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(300));
            (await waiting.TakeAsync($"other{i}", ["b"], TimeSpan.Zero, default)).ShouldBeNull();
        }

        (await tasks["w"].WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_store_whose_clock_is_behind_is_not_asked_without_a_pause()
    {
        probe.AfterTake = taken => taken with { NextDue = clock.GetUtcNow() - TimeSpan.FromMilliseconds(50) };
        await WaitAsync("w");
        var before = probe.Takes.Count;
        for (var i = 0; i < 100; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await SettleAsync();
        }

        (probe.Takes.Count - before).ShouldBeInRange(1, 10);
    }

    [Fact]
    public async Task A_store_that_fails_fails_those_who_asked_and_nobody_later()
    {
        probe.BeforeTake = _ => throw new SpotterException(ErrorCodes.StoreUnavailable, "It is away.");
        (await Should.ThrowAsync<SpotterException>(waiting.TakeAsync("w", ["a"], Forever, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        probe.BeforeTake = _ => Task.CompletedTask;
        await AddAsync();

        (await waiting.TakeAsync("w", ["a"], Forever, default).WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Whoever_waits_hears_that_the_service_stops()
    {
        var tasks = await WaitAsync("a", "b");

        await waiting.StopAsync();

        foreach (var task in tasks.Values.Append(waiting.TakeAsync("late", ["a"], Forever, default)))
            (await Should.ThrowAsync<SpotterException>(task)).Code.ShouldBe(ErrorCodes.Busy);
    }

    [Fact]
    public async Task A_stop_loses_no_job_that_is_being_taken()
    {
        var (held, release) = HoldTakes();
        var id = await AddAsync();
        var taking = waiting.TakeAsync("w", ["a"], Forever, default);
        await held.WaitAsync(Patience);
        var stopping = waiting.StopAsync();
        release();

        await stopping.WaitAsync(Patience);

        (await taking.WaitAsync(Patience))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task The_next_take_does_not_wait_for_the_one_under_way_where_the_store_has_two()
    {
        probe.TakesAtOnce = 2;
        await AddAsync("a");
        var id = await AddAsync("b");
        var (held, release) = HoldTakes(queue: "a");
        var slow = waiting.TakeAsync("slow", ["a"], Forever, default);
        await held.WaitAsync(Patience);

        (await waiting.TakeAsync("w", ["b"], Forever, default).WaitAsync(Patience))!.Job.Id.ShouldBe(id);

        slow.IsCompleted.ShouldBeFalse();
        release();
        (await slow.WaitAsync(Patience)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Nobody_is_served_by_two_takes()
    {
        probe.TakesAtOnce = 2;
        JobId[] ids = [await AddAsync(), await AddAsync()];
        var (held, release) = HoldTakes();
        var taking = waiting.TakeAsync("w", ["a"], Forever, default);
        await held.WaitAsync(Patience);
        waiting.Filled("a");
        // Served after what is filled has been looked at, as there is room for one more take.
        var other = waiting.TakeAsync("other", ["b"], TimeSpan.Zero, default);
        release();
        (await other.WaitAsync(Patience)).ShouldBeNull();
        (await taking.WaitAsync(Patience))!.Job.Id.ShouldBe(ids[0]);

        await waiting.StopAsync();

        (await store.FindAsync(ids[1], default))!.FencingToken.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_filled_during_a_take_that_gave_nothing_is_looked_at_after_it()
    {
        probe.TakesAtOnce = 2;
        var (held, release) = HoldTakes(after: true);
        var taking = waiting.TakeAsync("w", ["a"], Forever, default);
        await held.WaitAsync(Patience);
        var id = await AddAsync();
        waiting.Filled("a");
        release();

        (await taking.WaitAsync(Patience))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task A_take_that_fails_fails_only_those_whom_it_was_for()
    {
        probe.TakesAtOnce = 2;
        var id = await AddAsync("a");
        var (held, release) = HoldTakes(queue: "a");
        var served = waiting.TakeAsync("w", ["a"], Forever, default);
        await held.WaitAsync(Patience);
        var hold = probe.BeforeTake;
        probe.BeforeTake = take => take.Queues.Contains("b", StringComparer.Ordinal) ? throw new SpotterException(ErrorCodes.StoreUnavailable, "It is away.") : hold(take);

        await Should.ThrowAsync<SpotterException>(waiting.TakeAsync("v", ["b"], Forever, default).WaitAsync(Patience));

        release();
        (await served.WaitAsync(Patience))!.Job.Id.ShouldBe(id);
    }

    private async Task<JobId> AddAsync(string queue = "a", JobPriority priority = JobPriority.Normal, TimeSpan delay = default)
    {
        var job = SampleJobs.New(queue).Having(s => s with { Priority = priority, NotBefore = delay > TimeSpan.Zero ? clock.GetUtcNow() + delay : null });
        return (await store.AddAsync([job], default))[0].Job.Id;
    }

    /// <summary>These wait at the queue <c>a</c>, in this order, and have found nothing there.</summary>
    private async Task<Dictionary<string, Task<StartedJob?>>> WaitAsync(params string[] workers)
    {
        var tasks = workers.ToDictionary(w => w, w => waiting.TakeAsync(w, ["a"], Forever, default), StringComparer.Ordinal);
        await LookedAsync(workers);
        return tasks;
    }

    /// <summary>A take for each of these has ended.</summary>
    private Task LookedAsync(params string[] workers) =>
        UntilAsync(() => Task.FromResult(!workers.Except(probe.Takes.SelectMany(t => t.Workers), StringComparer.Ordinal).Any()));

    /// <summary>From now on takes (from this queue) are held up, until released; the task ends when one is.</summary>
    private (Task Held, Action Release) HoldTakes(bool after = false, string? queue = null)
    {
        var (held, released) = (NewSource(), NewSource());
        if (after)
        {
            probe.AfterTake = taken =>
            {
                held.TrySetResult();
                released.Task.GetAwaiter().GetResult();
                return taken;
            };
        }
        else
        {
            probe.BeforeTake = take =>
            {
                if (queue is not null && !take.Queues.Contains(queue, StringComparer.Ordinal))
                    return Task.CompletedTask;
                held.TrySetResult();
                return released.Task;
            };
        }
        return (held.Task, released.SetResult);
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Patience)
                throw new TimeoutException("It does not happen.");
            await Task.Yield();
        }
    }

    /// <summary>Lets what runs in the background come to rest.</summary>
    private static async Task SettleAsync()
    {
        for (var i = 0; i < 20; i++)
            await Task.Yield();
    }
}
