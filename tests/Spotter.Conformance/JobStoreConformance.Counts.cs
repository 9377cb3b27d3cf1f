using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>How many jobs stand where, and who is before whom.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task An_empty_store_counts_nothing()
    {
        var counts = await Store.CountAsync(default);

        counts.Jobs.ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0));
        counts.Backlogs.Sum(b => b.All).ShouldBe(0);
        counts.OldestQueued.ShouldBeNull();
    }

    [Fact]
    public async Task Counts_follow_every_change()
    {
        var created = Clock.GetUtcNow();
        await AddAsync();
        Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var state in Enum.GetValues<JobState>())
            await BringToAsync(state);
        await AddAsync(engine: SampleJobs.Classify);

        var counts = await Store.CountAsync(default);

        counts.Jobs.ShouldBe(new JobCounts(3, 1, 1, 1, 1, 1) { Ended = 4 });
        counts.OldestQueued.ShouldBe(created);
        counts.Backlogs.Sum(b => b.Queued).ShouldBe(3);
    }

    [Fact]
    public async Task Internal_jobs_are_counted_apart()
    {
        await AddAsync(SampleJobs.New(SampleJobs.Annotate, isInternal: true));
        await StartAsync(await AddAsync(SampleJobs.New(SampleJobs.Annotate, isInternal: true, model: "a")));

        var counts = await Store.CountAsync(default);

        counts.Jobs.ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0) { InternalQueued = 1, InternalRunning = 1 });
        counts.OldestQueued.ShouldBeNull("nobody outside waits for it");
        var backlog = await BacklogAsync(SampleJobs.Annotate);
        (backlog.Queued, backlog.InternalQueued, backlog.All, backlog.Running).ShouldBe((0, 1, 1, 0));
        (await BacklogAsync("annotate/a")).ShouldSatisfyAllConditions(b => b.All.ShouldBe(0), b => b.Running.ShouldBe(1));
    }

    [Fact]
    public async Task The_backlog_is_known_for_each_queue_and_level()
    {
        await Store.AddAsync(
            [
                SampleJobs.New(model: "a"), SampleJobs.New(model: "b"), SampleJobs.New(model: "a"), SampleJobs.New(model: "a").At(JobPriority.Low),
                SampleJobs.New(model: "a", isInternal: true), SampleJobs.New(SampleJobs.Annotate, isInternal: true),
            ],
            default);
        await ShouldBeWaitingAsync("detect/a", 2, 1);
        await ShouldBeWaitingAsync("detect/b", 1, 0);
        await ShouldBeWaitingAsync("annotate", 0, 1);
        var low = await BacklogAsync("detect/a", JobPriority.Low);
        (low.Queued, low.InternalQueued).ShouldBe((1, 0));

        var other = (await TakeSomeAsync(["w"], "detect/b")).Jobs.ShouldHaveSingleItem();
        await ShouldBeWaitingAsync("detect/b", 0, 0);
        await FinishAsync(other.Lease, SampleJobs.Retry());
        await ShouldBeWaitingAsync("detect/b", 1, 0);
        await Store.CancelAsync(other.Job.Id, null, default);
        await ShouldBeWaitingAsync("detect/b", 0, 0);
        await ShouldBeWaitingAsync("detect/a", 2, 1);
    }

    [Fact]
    public async Task Cancelled_jobs_leave_nothing_behind()
    {
        var ids = await AddManyAsync(10);
        foreach (var id in ids)
            await Store.CancelAsync(id, null, default);

        var counts = await Store.CountAsync(default);
        (counts.Jobs.Queued, counts.Jobs.Cancelled).ShouldBe((0, 10));
        counts.OldestQueued.ShouldBeNull();
        var backlog = await BacklogAsync(Queue);
        (backlog.All, backlog.Delayed, backlog.Oldest).ShouldBe((0, 0, null));
        var next = await AddAsync(SampleJobs.New());
        (await StartAsync(next)).Lease.FencingToken.ShouldBe(1);
        (await TakeSomeAsync(["w"], Queue)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_oldest_is_the_job_that_has_been_due_longest()
    {
        await AddAsync(Delayed(TimeSpan.FromHours(1)));
        Clock.Advance(TimeSpan.FromSeconds(1));
        (await BacklogAsync(Queue)).Oldest.ShouldBeNull("none is due");
        await AddAsync(SampleJobs.New(isInternal: true));
        Clock.Advance(TimeSpan.FromSeconds(1));
        var second = Clock.GetUtcNow();
        await AddAsync(SampleJobs.New());
        Clock.Advance(TimeSpan.FromSeconds(1));
        await AddAsync(SampleJobs.New());
        (await BacklogAsync(Queue)).Oldest.ShouldBe(second);

        Clock.Advance(TimeSpan.FromHours(1));
        (await BacklogAsync(Queue)).Oldest.ShouldBe(second, "the delayed one has not been due for long");
        while ((await TakeSomeAsync(["w"], Queue)).Jobs is [{ } started])
            await FinishAsync(started.Lease, SampleJobs.Done());
        (await BacklogAsync(Queue)).Oldest.ShouldBeNull();
    }

    [Fact]
    public async Task Jobs_that_are_not_due_for_a_while_are_counted_as_delayed()
    {
        await AddAsync(SampleJobs.New());
        await AddAsync(Delayed(TimeSpan.FromSeconds(1)));
        for (var i = 0; i < 3; i++)
            await AddAsync(Delayed(TimeSpan.FromHours(1)));
        await AddAsync(Delayed(TimeSpan.FromHours(1)).At(JobPriority.Low));
        var backlog = await BacklogAsync(Queue);
        (backlog.Queued, backlog.Delayed).ShouldBe((5, 3));
        (await BacklogAsync(Queue, JobPriority.Low)).Delayed.ShouldBe(1);

        Clock.Advance(TimeSpan.FromHours(1) - Backlog.Soon);
        (await BacklogAsync(Queue)).Delayed.ShouldBe(0, "they are due soon");
    }

    [Fact]
    public async Task A_retry_with_a_long_delay_is_counted_as_delayed()
    {
        var id = await AddAsync();
        TimeSpan delay;
        while ((delay = (await FinishAsync(await LeaseAsync(id), SampleJobs.Retry())).RetryAfter!.Value) <= Backlog.Soon)
            Clock.Advance(delay);

        var backlog = await BacklogAsync((await FindAsync(id)).Queue);
        (backlog.Queued, backlog.Delayed).ShouldBe((1, 1));
    }

    [Fact]
    public async Task The_number_of_jobs_that_have_ended_never_falls()
    {
        var last = 0L;
        foreach (var state in Enum.GetValues<JobState>())
        {
            await BringToAsync(state);
            await BringToAsync(state);
            var ended = (await CountsAsync()).Ended;
            ended.ShouldBe(last + (state.IsTerminal() ? 2 : 0));
            last = ended;
        }

        Clock.Advance(TimeSpan.FromDays(8));
        (await Store.PurgeAsync(Clock.GetUtcNow(), 3, default)).ShouldBe(3);
        (await CountsAsync()).Ended.ShouldBe(last, "rows that are deleted had ended all the same");
        await Store.PurgeAsync(Clock.GetUtcNow(), 100, default);
        var counts = await CountsAsync();
        counts.Ended.ShouldBe(last);
        (counts.Succeeded, counts.Failed, counts.Dead, counts.Cancelled).ShouldBe((0, 0, 0, 0));
        await BringToAsync(JobState.Succeeded);
        (await CountsAsync()).Ended.ShouldBe(last + 1);
    }

    [Fact]
    public async Task A_redrive_takes_no_end_back()
    {
        var id = await BringToAsync(JobState.Dead);
        (await CountsAsync()).Ended.ShouldBe(1);

        await Store.RedriveAsync(new RedriveFilter(), null, default);
        (await CountsAsync()).Ended.ShouldBe(1);

        await FinishAsync(await LeaseAsync(id), SampleJobs.Done());
        (await CountsAsync()).Ended.ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_expires_has_ended()
    {
        await AddAsync(SampleJobs.New().Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        Clock.Advance(Duration);
        await Store.ExpireAsync(10, default);

        (await CountsAsync()).ShouldBe(new JobCounts(0, 0, 0, 1, 0, 0) { Ended = 1 });
        (await BacklogAsync(Queue)).All.ShouldBe(0);
    }

    [Fact]
    public async Task What_workers_did_is_counted_by_queue_and_never_falls()
    {
        await ServeAsync(new JobTimings { FetchMs = 900, DecodeMs = 250, InferMs = 500, PostMs = 125, EncodeMs = 125 }, SampleJobs.New(model: "a"));
        await ServeAsync(new JobTimings { InferMs = 3000 }, SampleJobs.New(model: "a", isInternal: true).At(JobPriority.High));
        await ServeAsync(new JobTimings { InferMs = 500 }, SampleJobs.New(model: "b"));
        var cached = await AddAsync(SampleJobs.New(model: "b") with { Cached = new CachedResult(JobId.New(RandomSource.System, Clock), SampleJobs.Result(), "v1") });
        (await FindAsync(cached)).State.ShouldBe(JobState.Succeeded);
        await FinishAsync(await LeaseAsync(await AddAsync(SampleJobs.New(model: "b"))), SampleJobs.Reject());
        await FinishAsync(await LeaseAsync(await AddAsync(SampleJobs.New(model: "b"))), SampleJobs.Retry());

        // Fetched while the lane runs another job.
        var served = (await Store.CountAsync(default)).Served;
        served["detect/a"].ShouldBe(new ServedJobs(2, 1 + 3, 1 + 9));
        served["detect/b"].ShouldBe(new ServedJobs(1, 0.5, 0.25));

        Clock.Advance(TimeSpan.FromDays(8));
        (await Store.PurgeAsync(Clock.GetUtcNow(), 100, default)).ShouldBe(5);
        var later = (await Store.CountAsync(default)).Served;
        (later["detect/a"], later["detect/b"]).ShouldBe((served["detect/a"], served["detect/b"]));
    }

    [Theory]
    [InlineData(-1e300)]
    [InlineData(1e300)]
    public async Task A_time_that_no_job_can_have_spoils_no_count(double milliseconds)
    {
        await ServeAsync(new JobTimings { InferMs = milliseconds }, SampleJobs.New());
        await ServeAsync(new JobTimings { InferMs = 1000 }, SampleJobs.New());

        var served = (await Store.CountAsync(default)).Served[Queue];
        served.Jobs.ShouldBe(2);
        served.Seconds.ShouldBeInRange(1, 1 + (7 * 24 * 3600));
    }

    [FactThatNeeds(Ability.Order)]
    public async Task The_position_is_how_many_of_the_same_queue_are_ahead()
    {
        var ids = await AddManyAsync(4);
        await AddAsync(engine: SampleJobs.Classify);
        (await PositionsAsync([.. ids])).ShouldBe([0, 1, 2, 3]);

        await TakeAsync(Queue);
        (await PositionsAsync([.. ids[1..]])).ShouldBe([0, 1, 2]);

        await Store.CancelAsync(ids[1], null, default);
        (await PositionsAsync([.. ids[2..]])).ShouldBe([0, 1]);

        await TakeAsync(Queue);
        (await PositionsAsync(ids[3])).ShouldBe([0]);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task The_position_goes_by_priority_and_then_by_age()
    {
        var first = await AddAsync(SampleJobs.New());
        var low = await AddAsync(SampleJobs.New().At(JobPriority.Low));
        var second = await AddAsync(SampleJobs.New());
        var high = await AddAsync(SampleJobs.New().At(JobPriority.High));
        await AddAsync(SampleJobs.New(model: "another"));

        (await PositionsAsync(high, first, second, low)).ShouldBe([0, 1, 2, 3]);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task A_job_that_is_tried_again_goes_to_the_end_of_its_line()
    {
        var ids = await AddManyAsync(3);
        var lease = (await TakeAsync(Queue))!.Lease;
        lease.Job.ShouldBe(ids[0]);
        await FinishAsync(lease, SampleJobs.Retry());
        (await PositionsAsync([.. ids])).ShouldBe([2, 0, 1]);

        await TakeAsync(Queue);
        (await PositionsAsync(ids[0], ids[2])).ShouldBe([1, 0]);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task Positions_stay_right_when_expired_and_purged_jobs_have_left()
    {
        await AddAsync(SampleJobs.New().Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        Clock.Advance(Duration);
        await Store.ExpireAsync(10, default);
        await BringToAsync(JobState.Dead, SampleJobs.New());
        await Store.RedriveAsync(new RedriveFilter(), null, default);
        await FinishAsync((await TakeAsync(Queue))!.Lease, SampleJobs.Done());
        Clock.Advance(TimeSpan.FromDays(8));
        await Store.PurgeAsync(Clock.GetUtcNow(), 100, default);

        (await PositionsAsync([.. await AddManyAsync(3)])).ShouldBe([0, 1, 2]);
    }

    private async Task ServeAsync(JobTimings timings, NewJob job) =>
        await FinishAsync(await LeaseAsync(await AddAsync(job)), new JobOutcome.Done(SampleJobs.Result(), timings, null));

    private async Task ShouldBeWaitingAsync(string queue, long queued, long isInternal)
    {
        var backlog = await BacklogAsync(queue);
        (backlog.Queued, backlog.InternalQueued).ShouldBe((queued, isInternal), queue);
    }
}
