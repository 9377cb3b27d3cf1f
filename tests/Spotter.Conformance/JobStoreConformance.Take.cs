using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>Which jobs are given to whom.</summary>
public abstract partial class JobStoreConformance
{
    private const string Queue = SampleJobs.Detect;
    private const string OtherQueue = SampleJobs.Classify;

    [Fact]
    public async Task An_empty_queue_gives_nothing_and_knows_of_nothing_to_come()
    {
        await AddAsync(SampleJobs.New(OtherQueue));

        var taken = await TryTakeAsync(["w"], Queue);

        taken.Jobs.ShouldBeEmpty();
        taken.NextDue.ShouldBeNull();
    }

    [Fact]
    public async Task Taking_gives_a_lease_and_spends_an_attempt()
    {
        var id = await AddAsync();
        Clock.Advance(TimeSpan.FromSeconds(2));

        var started = await StartAsync(id, "w1");

        var lease = started.Lease;
        (lease.Job, lease.Queue, lease.FencingToken, lease.Attempt, lease.Worker).ShouldBe((id, started.Job.Queue, 1, 1, "w1"));
        (started.Job.State, started.Job.FencingToken, started.Job.Attempts, started.Job.Started, started.Job.Worker)
            .ShouldBe((JobState.Running, 1, 1, Clock.GetUtcNow(), "w1"));
        SampleJobs.Print(await FindAsync(id)).ShouldBe(SampleJobs.Print(started.Job));
    }

    [Fact]
    public async Task Each_job_is_taken_once_however_many_take()
    {
        var ids = await AddManyAsync(100);

        var calls = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => Task.Run(() => TryTakeAsync([$"w{i}"], Queue))));
        var taken = await RestAsync(calls.SelectMany(c => c.Jobs));

        taken.Select(t => t.Job.Id).ShouldBe(ids, ignoreOrder: true);
        taken.ShouldAllBe(t => t.Lease.FencingToken == 1);
        (await CountsAsync()).Running.ShouldBe(100);
    }

    [Fact]
    public async Task Batches_that_are_taken_at_once_share_no_job()
    {
        var ids = await AddManyAsync(100);

        var calls = await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(i => Task.Run(() => TryTakeAsync([.. Enumerable.Repeat($"w{i}", 10)], Queue))));
        var taken = await RestAsync(calls.SelectMany(c => c.Jobs));

        taken.Select(t => t.Job.Id).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_that_come_while_others_are_taken_are_taken_once()
    {
        var adding = Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => AddAsync(SampleJobs.New()))));
        var calls = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => TryTakeAsync([$"w{i}", $"v{i}"], Queue))));
        var ids = await adding;
        var taken = await RestAsync(calls.SelectMany(c => c.Jobs));

        taken.Select(t => t.Job.Id).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task A_take_gives_one_job_to_each_worker_in_their_order()
    {
        await AddManyAsync(5);

        var some = await TakeSomeAsync(["a", "b", "a"], Queue);
        some.Jobs.Select(j => j.Lease.Worker).ShouldBe(["a", "b", "a"]);
        some.Jobs.Select(j => j.Job.Worker).ShouldBe(["a", "b", "a"]);
        some.Jobs.Select(j => j.Job.Id).Distinct().Count().ShouldBe(3);
        var rest = await TakeSomeAsync(["c", "d", "e"], Queue);
        rest.Jobs.Select(j => j.Lease.Worker).ShouldBe(["c", "d"], "the first worker gets the first job");
        rest.NextDue.ShouldBeNull();
    }

    [FactThatNeeds(Ability.Order)]
    public async Task The_first_worker_gets_the_job_that_has_been_due_longest()
    {
        var ids = await AddManyAsync(3);

        (await TryTakeAsync(["a", "b", "c"], Queue)).Jobs.Select(j => j.Job.Id).ShouldBe(ids);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task Jobs_come_in_the_order_in_which_they_were_accepted()
    {
        var ids = await AddManyAsync(20);

        foreach (var id in ids)
            (await TakeAsync(Queue))!.Job.Id.ShouldBe(id);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task Of_several_queues_the_job_that_has_been_due_longest_goes_first()
    {
        var ids = new List<JobId>();
        foreach (var queue in (string[])[Queue, OtherQueue, OtherQueue, Queue, "filter", Queue])
        {
            ids.Add(await AddAsync(SampleJobs.New(queue)));
            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        (await TryTakeAsync(["a", "b", "c", "d"], OtherQueue, Queue, "filter")).Jobs.Select(j => j.Job.Id).ShouldBe(ids[..4]);
        (await TryTakeAsync(["a", "b", "c"], OtherQueue, Queue, "filter")).Jobs.Select(j => j.Job.Id).ShouldBe(ids[4..]);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task A_delayed_job_takes_its_turn_by_when_it_became_due()
    {
        var delayed = await AddAsync(Delayed(TimeSpan.FromSeconds(10)));
        var early = await AddAsync(SampleJobs.New());
        Clock.Advance(TimeSpan.FromSeconds(20));
        var late = await AddAsync(SampleJobs.New());

        (await TryTakeAsync(["a", "b", "c"], Queue)).Jobs.Select(j => j.Job.Id).ShouldBe([early, delayed, late]);
    }

    [FactThatNeeds(Ability.Priorities)]
    public async Task Levels_are_looked_through_in_the_order_that_is_asked_for()
    {
        var ids = new Dictionary<JobPriority, JobId>();
        foreach (var priority in (JobPriority[])[JobPriority.Low, JobPriority.High, JobPriority.Normal])
            ids[priority] = await AddAsync(SampleJobs.New().At(priority));
        JobPriority[] order = [JobPriority.Normal, JobPriority.Low, JobPriority.High];

        var taken = await Store.TakeAsync(new TakeRequest([Queue], order, ["a", "b", "c"], Duration), default);

        taken.Jobs.Select(j => j.Job.Id).ShouldBe(order.Select(p => ids[p]));
        taken.Jobs.Select(j => j.Lease.Worker).ShouldBe(["a", "b", "c"]);
    }

    [FactThatNeeds(Ability.Priorities)]
    public async Task Takes_in_turn_look_through_the_levels_in_the_order_of_each()
    {
        var (high, normal, low) = (new List<JobId>(), new List<JobId>(), new List<JobId>());
        for (var i = 0; i < 3; i++)
        {
            high.Add(await AddAsync(SampleJobs.New().At(JobPriority.High)));
            normal.Add(await AddAsync(SampleJobs.New()));
            low.Add(await AddAsync(SampleJobs.New().At(JobPriority.Low)));
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var taken = await TakeInTurnAsync((Levels, ["a", "b"]), ([.. Levels.Reverse()], ["c"]), (Levels, ["d", "e", "f"]));

        taken.Select(t => (t.Job.Id, t.Lease.Worker)).ShouldBe(
            [(high[0], "a"), (high[1], "b"), (low[0], "c"), (high[2], "d"), (normal[0], "e"), (normal[1], "f")]);
        taken.ShouldAllBe(t => t.Lease.FencingToken == 1 && t.Job.State == JobState.Running);
    }

    [FactThatNeeds(Ability.Order)]
    public async Task Takes_in_turn_end_where_nothing_is_left()
    {
        var ids = new List<JobId>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await AddAsync(SampleJobs.New()));
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var taken = await TakeInTurnAsync((Levels, ["a", "b"]), ([.. Levels.Reverse()], ["c"]), (Levels, ["d", "e", "f"]), (Levels, ["g"]));

        taken.Select(t => (t.Job.Id, t.Lease.Worker)).ShouldBe([(ids[0], "a"), (ids[1], "b"), (ids[2], "c"), (ids[3], "d")]);
        (await TryTakeAsync(["h"], Queue)).Jobs.ShouldBeEmpty();
    }

    [FactThatNeeds(Ability.Priorities)]
    public async Task Levels_come_before_queues_and_before_age()
    {
        var low = await AddAsync(SampleJobs.New(Queue).At(JobPriority.Low));
        Clock.Advance(TimeSpan.FromMinutes(1));
        var normal = await AddAsync(SampleJobs.New(Queue));
        Clock.Advance(TimeSpan.FromMinutes(1));
        var high = await AddAsync(SampleJobs.New(OtherQueue).At(JobPriority.High));

        foreach (var id in (JobId[])[high, normal, low])
            (await TakeAsync(Queue, OtherQueue))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task Jobs_of_every_level_are_given()
    {
        var ids = new List<JobId>();
        foreach (var priority in Enum.GetValues<JobPriority>())
            ids.Add(await AddAsync(SampleJobs.New().At(priority)));

        (await TakeSomeAsync(["a", "b", "c"], Queue)).Jobs.Select(j => j.Job.Id).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Models_have_queues_of_their_own()
    {
        var (mine, others) = ("yolox_nano", "a model, with a name: of its own");
        var (first, second) = (await AddAsync(SampleJobs.New(model: others)), await AddAsync(SampleJobs.New(model: mine)));

        (await StartAsync(second)).Lease.Queue.ShouldBe("detect/yolox_nano");
        (await TakeSomeAsync(["w"], "detect/yolox_nano", Queue)).Jobs.ShouldBeEmpty("what is left is for a model that this worker lacks");
        (await StartAsync(first)).Lease.Queue.ShouldBe(QueueNames.Of(Queue, others));
    }

    [Fact]
    public async Task Whoever_serves_several_queues_gets_jobs_of_each()
    {
        var ids = new[] { await AddAsync(SampleJobs.New(Queue)), await AddAsync(SampleJobs.New(OtherQueue)), await AddAsync(SampleJobs.New(Queue)) };

        var taken = (await TakeSomeAsync(["a", "b", "c", "d"], Queue, OtherQueue)).Jobs;

        taken.Select(t => t.Job.Id).ShouldBe(ids, ignoreOrder: true);
        taken.ShouldAllBe(t => t.Lease.Queue == t.Job.Queue);
    }

    [Theory]
    [InlineData(JobState.Running)]
    [InlineData(JobState.Succeeded)]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Dead)]
    [InlineData(JobState.Cancelled)]
    public async Task Only_a_queued_job_can_be_taken(JobState state)
    {
        var id = await BringToAsync(state);

        var taken = await TakeSomeAsync(["w"], (await FindAsync(id)).Queue);

        taken.Jobs.ShouldBeEmpty();
        taken.NextDue.ShouldBeNull();
    }

    [Fact]
    public async Task A_cancelled_job_is_passed_over()
    {
        var (cancelled, next) = (await AddAsync(SampleJobs.New()), await AddAsync(SampleJobs.New()));
        await Store.CancelAsync(cancelled, null, default);

        (await StartAsync(next)).Job.Id.ShouldBe(next);
        (await TakeSomeAsync(["w"], Queue)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_delayed_job_is_hidden_until_its_time_which_is_told()
    {
        var id = await AddAsync(Delayed(Duration));
        var due = Clock.GetUtcNow() + Duration;
        var taken = await TryTakeAsync(["w"], Queue, OtherQueue);
        taken.Jobs.ShouldBeEmpty();
        ShouldBeAt(taken.NextDue, due);

        Clock.Advance(Duration - TimeSpan.FromMilliseconds(1));
        (await TakeAsync(Queue)).ShouldBeNull();

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await StartAsync(id)).Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task What_is_due_next_is_told_of_the_queues_that_were_asked_for()
    {
        await AddAsync(Delayed(TimeSpan.FromSeconds(20)));
        await AddAsync(Delayed(TimeSpan.FromSeconds(10)).At(JobPriority.Low));
        await AddAsync(Delayed(TimeSpan.FromSeconds(30)).At(JobPriority.High));
        await AddAsync(Delayed(TimeSpan.FromSeconds(5), OtherQueue));
        var now = Clock.GetUtcNow();

        ShouldBeAt((await TryTakeAsync(["w"], Queue)).NextDue, now + TimeSpan.FromSeconds(10));
        ShouldBeAt((await TryTakeAsync(["w"], Queue, OtherQueue)).NextDue, now + TimeSpan.FromSeconds(5));
        (await TryTakeAsync(["w"], "filter")).NextDue.ShouldBeNull();

        var ready = await AddAsync(SampleJobs.New());
        var taken = await TakeSomeAsync(["a", "b"], Queue);
        taken.Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(ready);
        ShouldBeAt(taken.NextDue, now + TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_retry_is_hidden_for_its_delay_which_is_told()
    {
        var id = await AddAsync();
        var ended = await FinishAsync(await LeaseAsync(id), SampleJobs.Retry());
        var due = Clock.GetUtcNow() + ended.RetryAfter!.Value;

        var taken = await TryTakeAsync(["w"], (await FindAsync(id)).Queue);

        taken.Jobs.ShouldBeEmpty();
        ShouldBeAt(taken.NextDue, due);
        Clock.Advance(ended.RetryAfter.Value);
        (await LeaseAsync(id)).Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task An_expired_job_is_not_given_and_nobody_is_told_to_wait_for_it()
    {
        var late = await AddAsync(SampleJobs.New().Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        var patient = await AddAsync(SampleJobs.New());
        Clock.Advance(Duration);

        var taken = await TakeSomeAsync(["a", "b"], Queue);

        taken.Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(patient);
        taken.NextDue.ShouldBeNull();
        (await FindAsync(late)).State.ShouldBe(JobState.Queued, "it is failed by whoever looks for expired jobs");
    }

    [Fact]
    public async Task What_is_due_next_lies_in_the_future()
    {
        await AddAsync(Delayed(TimeSpan.FromSeconds(1)));
        await AddAsync(SampleJobs.New().Having(s => s with { Expires = Clock.GetUtcNow() + TimeSpan.FromSeconds(1) }));
        for (var i = 0; i < 20; i++)
        {
            if ((await TryTakeAsync(["a", "b", "c"], Queue)).NextDue is { } due)
                due.ShouldBeGreaterThan(Clock.GetUtcNow(), "who looks at once again would look all the time");
            Clock.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    [Fact]
    public async Task A_cancelled_take_loses_no_job()
    {
        var id = await AddAsync();

        await Should.ThrowAsync<OperationCanceledException>(() =>
            Store.TakeAsync(new TakeRequest([QueueNames.Of(Queue, "m0")], Levels, ["w"], Duration), new CancellationToken(canceled: true)));

        (await StartAsync(id)).Lease.FencingToken.ShouldBe(1);
    }

    [Fact]
    public async Task A_take_for_nobody_or_from_nowhere_takes_nothing()
    {
        var id = await AddAsync(SampleJobs.New());

        (await TryTakeAsync([], Queue)).Jobs.ShouldBeEmpty();
        (await TryTakeAsync(["w"])).Jobs.ShouldBeEmpty();

        (await StartAsync(id)).Lease.FencingToken.ShouldBe(1);
    }

    private NewJob Delayed(TimeSpan delay, string engine = Queue) =>
        SampleJobs.New(engine).Having(s => s with { NotBefore = Clock.GetUtcNow() + delay });

    /// <summary>Jobs in one queue, accepted one after another.</summary>
    private async Task<List<JobId>> AddManyAsync(int count)
    {
        var ids = new List<JobId>();
        for (var i = 0; i < count; i++)
            ids.Add(await AddAsync(SampleJobs.New()));
        return ids;
    }

    /// <summary>What was taken, and what is left: calls that come at once may find less than there is.</summary>
    private async Task<List<StartedJob>> RestAsync(IEnumerable<StartedJob> taken)
    {
        var all = taken.ToList();
        while ((await TakeSomeAsync(["last"], Queue)).Jobs is [{ } started])
            all.Add(started);
        return all;
    }
}
