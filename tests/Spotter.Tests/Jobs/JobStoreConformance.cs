using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What every <see cref="IJobStore"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class JobStoreConformance : IAsyncLifetime
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);
    private static readonly RetrySchedule Retries = new();

    protected ManualClock Clock { get; } = new();

    private IJobStore Store { get; set; } = null!;

    public async Task InitializeAsync() => Store = await OpenAsync(Clock, Retries, RandomSource.Seeded(1));

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens an empty store.</summary>
    protected abstract Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task An_accepted_job_is_there_as_it_was_sent()
    {
        var sent = SampleJobs.New(key: "key: 'ключ'; --", model: "yolox_nano") with
        {
            Name = "a.b \"犬\".jpg",
            Options = new JobOptions
            {
                Confidence = 0.3125,
                Iou = 0.7,
                Labels = ["person", "né \u0001 \"q\" 犬"],
                Annotate = true,
                Drawing = SampleJobs.Result(),
            },
        };

        var added = (await Store.AddAsync([sent], default)).ShouldHaveSingleItem();

        added.IsNew.ShouldBeTrue();
        var job = added.Job;
        job.Id.ShouldBe(sent.Id);
        job.State.ShouldBe(JobState.Queued);
        job.Created.ShouldBe(Clock.GetUtcNow());
        (job.Attempts, job.FencingToken, job.Isolated, job.Started, job.Finished, job.Error, job.Result).ShouldBe((0, 0, false, null, null, null, null));
        (job.Engine, job.Model, job.Name, job.Image, job.IdempotencyKey, job.Fingerprint, job.Internal)
            .ShouldBe((sent.Engine, sent.Model, sent.Name, sent.Image, sent.IdempotencyKey, sent.Fingerprint, false));
        job.Options.Labels.ShouldBe(sent.Options.Labels);
        job.Options.Drawing!.Detections!.ShouldBe(sent.Options.Drawing.Detections);
        SampleJobs.Print(await Store.FindAsync(sent.Id, default)).ShouldBe(SampleJobs.Print(job));
        SampleJobs.Print(await Store.FindByKeyAsync(sent.IdempotencyKey!, default)).ShouldBe(SampleJobs.Print(job));
    }

    [Fact]
    public async Task What_is_not_there_is_null()
    {
        (await Store.FindAsync(JobId.New(RandomSource.System), default)).ShouldBeNull();
        (await Store.FindByKeyAsync("unknown", default)).ShouldBeNull();
        (await Store.CancelAsync(JobId.New(RandomSource.System), null, default)).ShouldBeNull();
        (await Store.PositionAsync(JobId.New(RandomSource.System), default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_known_key_gives_the_job_as_it_stands()
    {
        var first = await AcceptAsync(key: "once");
        await StartAsync(first);

        var again = (await Store.AddAsync([SampleJobs.New(key: "once")], default)).ShouldHaveSingleItem();

        again.IsNew.ShouldBeFalse();
        again.Job.Id.ShouldBe(first);
        again.Job.State.ShouldBe(JobState.Running);
        (await Store.CountAsync(null, default)).Running.ShouldBe(1);
        (await Store.CountAsync(null, default)).Queued.ShouldBe(0);
    }

    [Fact]
    public async Task Answers_come_in_the_order_of_the_jobs_and_a_key_repeated_among_them_makes_one()
    {
        var known = await AcceptAsync(key: "known");
        var jobs = new[] { SampleJobs.New(key: "a"), SampleJobs.New(), SampleJobs.New(key: "known"), SampleJobs.New(key: "a") };

        var added = await Store.AddAsync(jobs, default);

        added.Select(a => a.Job.Id).ShouldBe([jobs[0].Id, jobs[1].Id, known, jobs[0].Id]);
        added.Select(a => a.IsNew).ShouldBe([true, true, false, false]);
    }

    [Fact]
    public async Task One_key_sent_by_many_at_once_makes_one_job()
    {
        var added = await Task.WhenAll(Enumerable.Range(0, 32)
            .Select(_ => Task.Run(() => Store.AddAsync([SampleJobs.New(key: "same")], default))));

        added.Count(a => a[0].IsNew).ShouldBe(1);
        added.Select(a => a[0].Job.Id).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Accepting_is_all_or_none()
    {
        var known = await AcceptAsync();
        var fresh = SampleJobs.New();

        await Should.ThrowAsync<SpotterException>(() => Store.AddAsync([fresh, SampleJobs.New(id: known)], default));

        // A later change, so that anything left half done would be written with it.
        var later = await AcceptAsync();
        (await Store.FindAsync(fresh.Id, default)).ShouldBeNull();
        (await IdsAsync(new JobFilter())).ShouldBe([later, known]);
        (await Store.CountAsync(null, default)).Queued.ShouldBe(2);
    }

    [Fact]
    public async Task A_cancelled_call_accepts_nothing()
    {
        var job = SampleJobs.New();

        await Should.ThrowAsync<OperationCanceledException>(() => Store.AddAsync([job], new CancellationToken(canceled: true)));

        (await Store.FindAsync(job.Id, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Starting_gives_a_lease_and_spends_an_attempt()
    {
        var id = await AcceptAsync();
        Clock.Advance(TimeSpan.FromSeconds(2));

        var started = await Store.StartAsync(new Delivery(id, Engines.Detect, "receipt"), "w1", Hold, default);

        started.ShouldNotBeNull();
        started.Lease.ShouldBe(new Lease(id, Engines.Detect, 1, 1, "w1", "receipt"));
        (started.Job.State, started.Job.FencingToken, started.Job.Attempts, started.Job.Started)
            .ShouldBe((JobState.Running, 1, 1, Clock.GetUtcNow()));
        SampleJobs.Print(await Store.FindAsync(id, default)).ShouldBe(SampleJobs.Print(started.Job));
    }

    [Fact]
    public async Task A_job_is_started_once_however_many_try()
    {
        var id = await AcceptAsync();

        var started = await Task.WhenAll(Enumerable.Range(0, 32)
            .Select(i => Task.Run(() => Store.StartAsync(SampleJobs.Delivery(id), $"w{i}", Hold, default))));

        started.Count(s => s is not null).ShouldBe(1);
        (await Store.FindAsync(id, default))!.FencingToken.ShouldBe(1);
    }

    [Fact]
    public async Task Only_a_queued_job_can_be_started()
    {
        (await Store.StartAsync(SampleJobs.Delivery(JobId.New(RandomSource.System)), "w", Hold, default)).ShouldBeNull();
        foreach (var state in Enum.GetValues<JobState>().Where(s => s != JobState.Queued))
        {
            var id = await BringToAsync(state);
            (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldBeNull();
        }
    }

    [Fact]
    public async Task A_result_ends_the_job()
    {
        var id = await AcceptAsync();
        Clock.Advance(TimeSpan.FromSeconds(3));
        var lease = await StartAsync(id);
        Clock.Advance(TimeSpan.FromSeconds(1));

        var ended = await Store.FinishAsync(lease, SampleJobs.Done("out/ab/x-1.jpg"), default);

        ended.ShouldBe(new EndedAttempt(id, Engines.Detect, JobPriority.Normal, JobState.Succeeded, null));
        var job = (await Store.FindAsync(id, default))!;
        (job.State, job.Finished, job.Output, job.Error).ShouldBe((JobState.Succeeded, Clock.GetUtcNow(), "out/ab/x-1.jpg", null));
        job.Result!.Detections.ShouldBe(SampleJobs.Result().Detections);
        job.Result.Summary!["bus"].ShouldBe(1);
        job.Timings.ShouldBe(new JobTimings { QueuedMs = 3000, DecodeMs = 5, InferMs = 15 });
    }

    [Fact]
    public async Task A_refusal_ends_the_job_with_its_reason()
    {
        var id = await AcceptAsync();

        var ended = await Store.FinishAsync(await StartAsync(id), SampleJobs.Reject(), default);

        ended!.State.ShouldBe(JobState.Failed);
        var job = (await Store.FindAsync(id, default))!;
        (job.State, job.Error, job.Result, job.Finished).ShouldBe((JobState.Failed, SampleJobs.Reject().Error, null, Clock.GetUtcNow()));
    }

    [Fact]
    public async Task A_lost_lease_writes_nothing()
    {
        var id = await AcceptAsync();
        var lost = await StartAsync(id, "slow");
        Clock.Advance(Hold);
        await Store.ReapAsync(10, default);
        Clock.Advance(Retries.FirstDelay);
        var current = await StartAsync(id, "quick");
        var before = SampleJobs.Print(await Store.FindAsync(id, default));

        (await Store.FinishAsync(lost, SampleJobs.Done(), default)).ShouldBeNull();
        (await Store.FinishAsync(lost, SampleJobs.Retry(), default)).ShouldBeNull();
        (await Store.FinishAsync(lost, SampleJobs.Reject(), default)).ShouldBeNull();
        (await Store.ExtendAsync(lost, Hold, default)).ShouldBeFalse();

        SampleJobs.Print(await Store.FindAsync(id, default)).ShouldBe(before);
        (await Store.FinishAsync(current, SampleJobs.Done(), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Of_many_who_finish_one_lease_one_is_heard()
    {
        var lease = await StartAsync(await AcceptAsync());

        var ended = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(i => Task.Run(() => Store.FinishAsync(lease, SampleJobs.Done(width: i), default))));

        ended.Count(e => e is not null).ShouldBe(1);
        (await Store.FindAsync(lease.Job, default))!.Result!.Width.ShouldBe(Array.FindIndex(ended, e => e is not null));
    }

    [Theory]
    [InlineData(JobState.Succeeded)]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Dead)]
    [InlineData(JobState.Cancelled)]
    public async Task A_row_that_has_ended_never_changes(JobState state)
    {
        var id = await BringToAsync(state);
        var row = (await Store.FindAsync(id, default))!;
        row.State.ShouldBe(state);
        row.Finished.ShouldNotBeNull();
        var before = SampleJobs.Print(row);
        var lease = new Lease(id, Engines.Detect, row.FencingToken, row.Attempts, "w", "1-1");
        Clock.Advance(TimeSpan.FromHours(1));

        (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldBeNull();
        (await Store.ExtendAsync(lease, Hold, default)).ShouldBeFalse();
        (await Store.FinishAsync(lease, SampleJobs.Done(width: 1), default)).ShouldBeNull();
        (await Store.FinishAsync(lease, SampleJobs.Retry(), default)).ShouldBeNull();
        (await Store.FinishAsync(lease, SampleJobs.Reject(), default)).ShouldBeNull();
        SampleJobs.Print(await Store.CancelAsync(id, null, default)).ShouldBe(before);
        (await Store.ReleaseAsync(null, SampleJobs.Fault, true, default)).ShouldBeEmpty();
        (await Store.ReleaseAsync("w", SampleJobs.Fault, false, default)).ShouldBeEmpty();
        (await Store.ReapAsync(10, default)).ShouldBeEmpty();
        (await Store.OverdueAsync(TimeSpan.Zero, 0, 10, default)).ShouldBeEmpty();

        SampleJobs.Print(await Store.FindAsync(id, default)).ShouldBe(before);
    }

    [Theory]
    [InlineData(JobState.Queued)]
    [InlineData(JobState.Running)]
    public async Task A_job_that_has_not_ended_can_be_cancelled(JobState state)
    {
        var id = await BringToAsync(state);

        var cancelled = await Store.CancelAsync(id, null, default);

        cancelled.ShouldNotBeNull();
        (cancelled.State, cancelled.Finished).ShouldBe((JobState.Cancelled, Clock.GetUtcNow()));
        (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_is_dead_after_its_last_attempt()
    {
        var id = await AcceptAsync();
        for (var attempt = 1; attempt <= Retries.MaxAttempts; attempt++)
        {
            var lease = await StartAsync(id);
            (lease.Attempt, lease.FencingToken).ShouldBe((attempt, attempt));
            var ended = (await Store.FinishAsync(lease, SampleJobs.Retry(), default))!;
            if (attempt == Retries.MaxAttempts)
            {
                ended.ShouldBe(new EndedAttempt(id, Engines.Detect, JobPriority.Normal, JobState.Dead, null));
                break;
            }
            ended.State.ShouldBe(JobState.Queued);
            var step = Retries.FirstDelay * Math.Pow(2, attempt - 1);
            ended.RetryAfter!.Value.ShouldBeInRange(step / 2, step);
            (await Store.FindAsync(id, default))!.Error.ShouldBe(SampleJobs.Fault);

            Clock.Advance(ended.RetryAfter.Value - TimeSpan.FromMilliseconds(1));
            (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldBeNull("it is not due yet");
            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        var job = (await Store.FindAsync(id, default))!;
        (job.State, job.Finished, job.Error, job.Attempts, job.Isolated)
            .ShouldBe((JobState.Dead, Clock.GetUtcNow(), SampleJobs.Fault, Retries.MaxAttempts, false));
    }

    [Fact]
    public async Task An_attempt_without_fault_is_given_back_but_its_epoch_is_not()
    {
        var id = await AcceptAsync();
        for (var i = 1; i <= 3 * Retries.MaxAttempts; i++)
        {
            var lease = await StartAsync(id);
            (lease.Attempt, lease.FencingToken).ShouldBe((1, i));
            var ended = await Store.FinishAsync(lease, SampleJobs.Retry(spendAttempt: false), default);
            ended.ShouldBe(new EndedAttempt(id, Engines.Detect, JobPriority.Normal, JobState.Queued, Retries.FreeDelay));
            Clock.Advance(Retries.FreeDelay);
        }
        (await Store.FindAsync(id, default))!.Attempts.ShouldBe(0);
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_and_its_job_runs_solo()
    {
        var (first, second) = (await AcceptAsync(), await AcceptAsync());
        await StartAsync(first);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await StartAsync(second);

        Clock.Advance(Hold - TimeSpan.FromSeconds(1));
        var ended = (await Store.ReapAsync(10, default)).ShouldHaveSingleItem();

        (ended.Id, ended.State).ShouldBe((first, JobState.Queued));
        ended.RetryAfter.ShouldNotBeNull();
        var job = (await Store.FindAsync(first, default))!;
        (job.State, job.Attempts, job.Isolated, job.Error!.Code).ShouldBe((JobState.Queued, 1, true, ErrorCodes.LeaseExpired));
        (await Store.FindAsync(second, default))!.State.ShouldBe(JobState.Running);
    }

    [Fact]
    public async Task A_lease_that_is_extended_does_not_run_out()
    {
        var lease = await StartAsync(await AcceptAsync());
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(Hold / 2);
            (await Store.ExtendAsync(lease, Hold, default)).ShouldBeTrue();
            (await Store.ReapAsync(10, default)).ShouldBeEmpty();
        }
        (await Store.FinishAsync(lease, SampleJobs.Done(), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task No_more_leases_are_taken_at_once_than_asked_for()
    {
        for (var i = 0; i < 5; i++)
            await StartAsync(await AcceptAsync());
        Clock.Advance(Hold);

        (await Store.ReapAsync(3, default)).Count.ShouldBe(3);
        (await Store.ReapAsync(3, default)).Count.ShouldBe(2);
        (await Store.ReapAsync(3, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_keeps_killing_its_workers_dies()
    {
        var id = await AcceptAsync();
        EndedAttempt? ended = null;
        for (var i = 1; i <= Retries.MaxDeaths; i++)
        {
            await StartAsync(id, $"w{i}");
            ended = (await Store.ReleaseAsync($"w{i}", SampleJobs.Fault, spendAttempt: true, default)).ShouldHaveSingleItem();
            ended.State.ShouldBe(i < Retries.MaxDeaths ? JobState.Queued : JobState.Dead);
            Clock.Advance(Retries.LongestDelay);
        }
        ended!.State.ShouldBe(JobState.Dead);
        var job = (await Store.FindAsync(id, default))!;
        (job.State, job.Isolated, job.Error).ShouldBe((JobState.Dead, true, SampleJobs.Fault));
    }

    [Fact]
    public async Task An_attempt_that_takes_its_worker_counts_as_a_death()
    {
        var id = await AcceptAsync();
        for (var i = 1; i <= Retries.MaxDeaths; i++)
        {
            var lease = await StartAsync(id, $"w{i}");
            var ended = (await Store.FinishAsync(lease, new JobOutcome.Retry(SampleJobs.Fault, SpendAttempt: true) { TakesWorker = true }, default))!;
            ended.State.ShouldBe(i < Retries.MaxDeaths ? JobState.Queued : JobState.Dead);
            (await Store.FindAsync(id, default))!.Isolated.ShouldBeTrue();
            Clock.Advance(Retries.LongestDelay);
        }
    }

    [Fact]
    public async Task The_leases_of_one_worker_are_released_and_of_nobody_else()
    {
        var (mine, other) = (await AcceptAsync(), await AcceptAsync());
        await StartAsync(mine, "gone");
        await StartAsync(other, "alive");

        var ended = await Store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default);

        ended.ShouldHaveSingleItem().ShouldBe(new EndedAttempt(mine, Engines.Detect, JobPriority.Normal, JobState.Queued, Retries.FreeDelay));
        var job = (await Store.FindAsync(mine, default))!;
        (job.Attempts, job.FencingToken, job.Isolated).ShouldBe((0, 1, false));
        (await Store.FindAsync(other, default))!.State.ShouldBe(JobState.Running);
    }

    [Fact]
    public async Task All_leases_are_released_when_nobody_is_left()
    {
        var jobs = new[] { await AcceptAsync(), await AcceptAsync(engine: "classify") };
        await StartAsync(jobs[0], "a");
        await StartAsync(jobs[1], "b");

        var ended = await Store.ReleaseAsync(null, SampleJobs.Fault, spendAttempt: true, default);

        ended.Select(e => (e.Id, e.Queue)).ShouldBe([(jobs[0], Engines.Detect), (jobs[1], "classify")], ignoreOrder: true);
        foreach (var id in jobs)
            (await Store.FindAsync(id, default))!.Isolated.ShouldBeTrue();
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_page_by_page()
    {
        var ids = new List<JobId>();
        for (var i = 0; i < 7; i++)
            ids.Insert(0, await AcceptAsync());
        await AcceptAsync(isInternal: true);

        var seen = new List<JobId>();
        JobId? after = null;
        while (await Store.ListAsync(new JobFilter { Limit = 3, After = after }, default) is { Count: > 0 } page)
        {
            page.Count.ShouldBeLessThanOrEqualTo(3);
            seen.AddRange(page.Select(j => j.Id));
            after = page[^1].Id;
        }
        seen.ShouldBe(ids);
        (await Store.ListAsync(new JobFilter { After = JobId.New(RandomSource.System) }, default)).ShouldBeEmpty();
        (await Store.ListAsync(new JobFilter { Limit = 0 }, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Jobs_are_listed_by_state_and_engine()
    {
        var byState = new Dictionary<JobState, List<JobId>>();
        foreach (var state in Enum.GetValues<JobState>())
        {
            var newer = new List<JobId>();
            for (var i = 0; i < 3; i++)
                newer.Insert(0, await BringToAsync(state));
            byState[state] = newer;
        }
        var other = await AcceptAsync(engine: "classify");

        foreach (var (state, ids) in byState)
        {
            (await IdsAsync(new JobFilter { State = state, Engine = Engines.Detect })).ShouldBe(ids);
            (await IdsAsync(new JobFilter { State = state, Engine = Engines.Detect, After = ids[0], Limit = 1 })).ShouldBe([ids[1]]);
            (await IdsAsync(new JobFilter { State = state })).ShouldBe(state == JobState.Queued ? [other, .. ids] : ids);
        }
        (await IdsAsync(new JobFilter { Engine = "classify" })).ShouldBe([other]);
        (await IdsAsync(new JobFilter { Engine = "no such" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Counts_follow_every_change()
    {
        (await Store.CountAsync(null, default)).ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0, null));
        var created = Clock.GetUtcNow();
        await AcceptAsync();
        Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var state in Enum.GetValues<JobState>())
            await BringToAsync(state);
        await AcceptAsync(engine: "classify");

        var all = await Store.CountAsync(null, default);
        all.ShouldBe(new JobCounts(3, 1, 1, 1, 1, 1, created));
        (await Store.CountAsync(Engines.Detect, default)).ShouldBe(new JobCounts(2, 1, 1, 1, 1, 1, created));
        (await Store.CountAsync("classify", default)).Queued.ShouldBe(1);
        (await Store.CountAsync("no such", default)).ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0, null));
    }

    [Fact]
    public async Task Internal_jobs_are_counted_apart()
    {
        await AcceptAsync(engine: Engines.Annotate, isInternal: true);
        var running = await AcceptAsync(engine: Engines.Annotate, isInternal: true);
        await StartAsync(running);

        foreach (var engine in (string?[])[null, Engines.Annotate])
        {
            (await Store.CountAsync(engine, default))
                .ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0, null) { InternalQueued = 1, InternalRunning = 1 });
        }
        (await Store.CountAsync(Engines.Detect, default)).ShouldBe(new JobCounts(0, 0, 0, 0, 0, 0, null));
    }

    [Fact]
    public async Task The_position_goes_by_priority_and_then_by_age()
    {
        var first = await AcceptAsync();
        var low = (await Store.AddAsync([SampleJobs.New() with { Priority = JobPriority.Low }], default))[0].Job.Id;
        var second = await AcceptAsync();
        var high = (await Store.AddAsync([SampleJobs.New() with { Priority = JobPriority.High }], default))[0].Job.Id;
        await Store.AddAsync([SampleJobs.New(model: "another")], default);

        (await PositionsAsync(high, first, second, low)).ShouldBe([0, 1, 2, 3]);
    }

    [Fact]
    public async Task All_that_was_said_about_a_job_is_kept()
    {
        var now = Clock.GetUtcNow();
        var sent = SampleJobs.New() with
        {
            Tenant = "team",
            By = "camera",
            Priority = JobPriority.Low,
            NotBefore = now + TimeSpan.FromSeconds(5),
            Expires = now + TimeSpan.FromSeconds(50),
            Notify = [new("webhook", "https://example.com/hook?a=b", "whsec_c2VjcmV0") { Endpoint = "https://example.com" }, new("chat", "it's me")],
        };

        await Store.AddAsync([sent], default);

        var job = (await Store.FindAsync(sent.Id, default))!;
        (job.Tenant, job.By, job.Priority, job.NotBefore, job.Expires)
            .ShouldBe((sent.Tenant, sent.By, sent.Priority, sent.NotBefore, sent.Expires));
        job.Notify.ShouldBe(sent.Notify);
        job.History.ShouldBeEmpty();
        SampleJobs.Print(job).ShouldNotContain("c2VjcmV0");
    }

    [Fact]
    public async Task A_delayed_job_is_not_started_before_its_time()
    {
        var id = (await Store.AddAsync([SampleJobs.New() with { NotBefore = Clock.GetUtcNow() + Hold }], default))[0].Job.Id;

        Clock.Advance(Hold - TimeSpan.FromMilliseconds(1));
        (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldBeNull();
        (await Store.OverdueAsync(TimeSpan.Zero, 0, 10, default)).ShouldBeEmpty();

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await Store.StartAsync(SampleJobs.Delivery(id), "w", Hold, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_job_that_nobody_starts_in_time_fails()
    {
        var late = (await Store.AddAsync([SampleJobs.New() with { Expires = Clock.GetUtcNow() + Hold }], default))[0].Job.Id;
        var started = (await Store.AddAsync([SampleJobs.New() with { Expires = Clock.GetUtcNow() + Hold }], default))[0].Job.Id;
        var patient = await AcceptAsync();
        await StartAsync(started);
        (await Store.ExpireAsync(10, default)).ShouldBe(0);

        Clock.Advance(Hold);
        (await Store.StartAsync(SampleJobs.Delivery(late), "w", Hold, default)).ShouldBeNull("it is too late");
        (await Store.ExpireAsync(10, default)).ShouldBe(1);

        var job = (await Store.FindAsync(late, default))!;
        (job.State, job.Error!.Code, job.Finished, job.Attempts).ShouldBe((JobState.Failed, ErrorCodes.Expired, Clock.GetUtcNow(), 0));
        (await Store.FindAsync(started, default))!.State.ShouldBe(JobState.Running);
        (await Store.FindAsync(patient, default))!.State.ShouldBe(JobState.Queued);
        (await Store.CountAsync(null, default)).Failed.ShouldBe(1);
    }

    [Fact]
    public async Task A_dead_job_can_be_redriven_under_its_id()
    {
        var id = await BringToAsync(JobState.Dead);
        var before = (await Store.FindAsync(id, default))!;
        Clock.Advance(Hold);

        (await Store.RedriveAsync(new RedriveFilter { Ids = [id] }, "operator", default))
            .ShouldBe([new DueJob(id, Engines.Detect, JobPriority.Normal)]);

        var job = (await Store.FindAsync(id, default))!;
        (job.State, job.Attempts, job.FencingToken, job.Redrives, job.Finished).ShouldBe((JobState.Queued, 0, before.FencingToken, 1, null));
        job.History[^1].ShouldBe(new JobEvent(Clock.GetUtcNow(), JobEventKind.Redriven, 0, null, "operator", SampleJobs.Fault));
        var lease = await StartAsync(id);
        (lease.Attempt, lease.FencingToken).ShouldBe((1, before.FencingToken + 1));
        (await Store.FinishAsync(lease, SampleJobs.Done(), default))!.State.ShouldBe(JobState.Succeeded);
        (await Store.CountAsync(null, default)).ShouldBe(new JobCounts(0, 0, 1, 0, 0, 0, null));
    }

    [Fact]
    public async Task Only_the_dead_jobs_that_are_meant_are_redriven()
    {
        var dead = await BringToAsync(JobState.Dead);
        var others = new[] { await BringToAsync(JobState.Failed), await BringToAsync(JobState.Cancelled), await BringToAsync(JobState.Succeeded), await BringToAsync(JobState.Running) };

        (await Store.RedriveAsync(new RedriveFilter { Error = ErrorCodes.WorkerDied }, null, default)).ShouldBeEmpty();
        (await Store.RedriveAsync(new RedriveFilter { Tenant = "others" }, null, default)).ShouldBeEmpty();
        (await Store.RedriveAsync(new RedriveFilter { Ids = others }, null, default)).ShouldBeEmpty();
        (await Store.RedriveAsync(new RedriveFilter { Limit = 0 }, null, default)).ShouldBeEmpty();
        (await Store.ListAsync(new JobFilter { State = JobState.Dead, Error = ErrorCodes.WorkerDied }, default)).ShouldBeEmpty();
        (await Store.ListAsync(new JobFilter { State = JobState.Dead, Error = SampleJobs.Fault.Code, Tenant = "" }, default)).ShouldHaveSingleItem().Id.ShouldBe(dead);
        (await Store.ListAsync(new JobFilter { Tenant = "others" }, default)).ShouldBeEmpty();

        (await Store.RedriveAsync(new RedriveFilter { Error = SampleJobs.Fault.Code, Tenant = "" }, null, default)).ShouldHaveSingleItem().Id.ShouldBe(dead);
    }

    [Fact]
    public async Task A_dead_job_without_its_picture_stays_dead()
    {
        await BringToAsync(JobState.Dead);
        Clock.Advance(Hold);
        await Store.ExpireImagesAsync(Clock.GetUtcNow(), 10, default);

        (await Store.RedriveAsync(new RedriveFilter(), null, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_work_is_answered_from_the_job_that_was_run()
    {
        var run = (await Store.AddAsync([SampleJobs.New() with { ResultCacheKey = "work", Tenant = "team" }], default))[0].Job.Id;
        (await Store.FindCachedAsync("team", "work", "v1", default)).ShouldBeNull();
        await Store.FinishAsync(await StartAsync(run), SampleJobs.Done() with { ModelVersion = "v1" }, default);
        (await Store.FindCachedAsync("team", "work", "v2", default)).ShouldBeNull("another version may see other things");
        var known = (await Store.FindCachedAsync("team", "work", "v1", default))!;
        known.Id.ShouldBe(run);
        (await Store.FindCachedAsync("others", "work", "v1", default)).ShouldBeNull();

        var answered = (await Store.AddAsync(
            [SampleJobs.New() with { ResultCacheKey = "work", Tenant = "team", Cached = new CachedResult(run, known.Result!, "v1") }], default))[0].Job;

        (answered.State, answered.CachedFrom, answered.ModelVersion, answered.Attempts, answered.Started, answered.Finished)
            .ShouldBe((JobState.Succeeded, run, "v1", 0, Clock.GetUtcNow(), Clock.GetUtcNow()));
        answered.Result!.Width.ShouldBe(known.Result!.Width);
        answered.Timings.ShouldBe(new JobTimings());
        (await Store.FindCachedAsync("team", "work", "v1", default))!.Id.ShouldBe(run, "a copy is no source");
        (await Store.CountAsync(null, default)).Succeeded.ShouldBe(2);
    }

    [Fact]
    public async Task The_history_says_what_happened_besides_the_usual()
    {
        var id = await AcceptAsync();
        var first = await StartAsync(id);
        var failed = Clock.GetUtcNow();
        await Store.FinishAsync(first, SampleJobs.Retry(), default);
        Clock.Advance(TimeSpan.FromMinutes(1));
        await StartAsync(id);
        await Store.ReleaseAsync("w", SampleJobs.Fault, spendAttempt: false, default);
        await Store.CancelAsync(id, "camera", default);

        (await Store.FindAsync(id, default))!.History.ShouldBe(
        [
            new JobEvent(failed, JobEventKind.Retried, 1, "w", null, SampleJobs.Fault),
            new JobEvent(Clock.GetUtcNow(), JobEventKind.Lost, 2, "w", null, SampleJobs.Fault),
            new JobEvent(Clock.GetUtcNow(), JobEventKind.Cancelled, 0, "w", "camera", null),
        ]);
    }

    [Fact]
    public async Task The_position_is_how_many_of_the_same_queue_are_ahead()
    {
        var first = await AcceptAsync();
        await AcceptAsync(engine: "classify");
        var second = await AcceptAsync();
        var third = await AcceptAsync();
        (await PositionsAsync(first, second, third)).ShouldBe([0, 1, 2]);

        await StartAsync(first);
        (await PositionsAsync(first, second, third)).ShouldBe([null, 0, 1]);

        await Store.CancelAsync(second, null, default);
        (await PositionsAsync(first, second, third)).ShouldBe([null, null, 0]);
    }

    [Fact]
    public async Task Pictures_of_jobs_that_ended_long_ago_expire_once()
    {
        var lease = await StartAsync(await AcceptAsync());
        await Store.FinishAsync(lease, SampleJobs.Done("out/aa/drawn-1.jpg"), default);
        var cancelled = await BringToAsync(JobState.Cancelled);
        Clock.Advance(TimeSpan.FromHours(24));
        await BringToAsync(JobState.Succeeded);
        await BringToAsync(JobState.Queued);

        var keys = await Store.ExpireImagesAsync(Clock.GetUtcNow(), 10, default);

        keys.ShouldBe([BlobKey.Original(lease.Job), "out/aa/drawn-1.jpg", BlobKey.Original(cancelled)], ignoreOrder: true);
        (await Store.FindAsync(lease.Job, default))!.OriginalExpired.ShouldBeTrue();
        (await Store.ExpireImagesAsync(Clock.GetUtcNow(), 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Rows_that_ended_long_ago_are_deleted_and_no_others()
    {
        var old = new[] { await BringToAsync(JobState.Dead), await BringToAsync(JobState.Succeeded), await BringToAsync(JobState.Failed) };
        var waiting = await AcceptAsync();
        await Store.ExpireImagesAsync(Clock.GetUtcNow().AddSeconds(1), 1, default);
        Clock.Advance(TimeSpan.FromDays(7));
        var fresh = await BringToAsync(JobState.Succeeded);

        (await Store.PurgeAsync(Clock.GetUtcNow(), 2, default)).ShouldBe(2);
        (await Store.PurgeAsync(Clock.GetUtcNow(), 2, default)).ShouldBe(1);
        (await Store.PurgeAsync(Clock.GetUtcNow(), 2, default)).ShouldBe(0);

        foreach (var id in old)
            (await Store.FindAsync(id, default)).ShouldBeNull();
        (await Store.FindAsync(waiting, default)).ShouldNotBeNull();
        (await Store.FindAsync(fresh, default)).ShouldNotBeNull();
        var counts = await Store.CountAsync(null, default);
        (counts.Queued, counts.Succeeded, counts.Failed, counts.Dead).ShouldBe((1, 1, 0, 0));
    }

    [Fact]
    public async Task The_backlog_is_known_for_each_model()
    {
        (await Store.BacklogAsync(default)).ShouldBeEmpty();
        await Store.AddAsync(
            [
                SampleJobs.New(model: "a"), SampleJobs.New(model: "b"), SampleJobs.New(model: "a"),
                SampleJobs.New(isInternal: true, engine: Engines.Annotate), SampleJobs.New(model: "a", isInternal: true),
            ],
            default);
        (await Store.BacklogAsync(default)).ShouldBe(
            [new("annotate", 0, 1), new("detect/a", 2, 1), new("detect/b", 1, 0)], ignoreOrder: true);

        var running = (await Store.ListAsync(new JobFilter(), default))[^1];
        (running.Model, running.Queue).ShouldBe(("a", "detect/a"));
        var lease = (await Store.StartAsync(SampleJobs.Delivery(running.Id, running.Queue), "w", Hold, default))!.Lease;
        lease.Queue.ShouldBe("detect/a");
        (await Store.BacklogAsync(default)).ShouldContain(new QueueBacklog("detect/a", 1, 1));
        (await Store.FinishAsync(lease, SampleJobs.Retry(), default))!.Queue.ShouldBe("detect/a");
        (await Store.BacklogAsync(default)).ShouldContain(new QueueBacklog("detect/a", 2, 1));
        Clock.Advance(TimeSpan.FromHours(1));
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 0, 10, default)).Select(j => j.Queue)
            .ShouldBe(["detect/a", "detect/a", "detect/a", "detect/b", "annotate"], ignoreOrder: true);

        await Store.CancelAsync(running.Id, null, default);
        (await Store.BacklogAsync(default)).ShouldContain(new QueueBacklog("detect/a", 1, 1));
    }

    [Fact]
    public async Task Jobs_that_have_been_due_for_long_are_found_oldest_first()
    {
        var first = await AcceptAsync();
        var retried = await AcceptAsync();
        var delay = (await Store.FinishAsync(await StartAsync(retried), SampleJobs.Retry(), default))!.RetryAfter!.Value;
        var second = await AcceptAsync(engine: "classify");
        await BringToAsync(JobState.Running);
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 0, 10, default)).ShouldBeEmpty();

        Clock.Advance(TimeSpan.FromSeconds(30) + TimeSpan.FromMilliseconds(1));
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 0, 10, default))
            .ShouldBe([new DueJob(first, Engines.Detect, JobPriority.Normal), new DueJob(second, "classify", JobPriority.Normal)], ignoreOrder: true);

        Clock.Advance(delay);
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 0, 10, default))[^1].ShouldBe(new DueJob(retried, Engines.Detect, JobPriority.Normal));
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 0, 1, default)).ShouldHaveSingleItem();
        (await Store.OverdueAsync(TimeSpan.FromSeconds(30), 2, 10, default)).ShouldBe([new DueJob(retried, Engines.Detect, JobPriority.Normal)]);
    }

    [Fact]
    public async Task Changes_are_told_as_they_happen()
    {
        using var stop = new CancellationTokenSource();
        await using var changes = Store.ChangesAsync(stop.Token).GetAsyncEnumerator();
        var next = changes.MoveNextAsync();

        var id = await AcceptAsync();
        (await next).ShouldBeTrue();
        changes.Current.ShouldBe(id);

        var lease = await StartAsync(id);
        await Store.FinishAsync(lease, SampleJobs.Done(), default);
        for (var i = 0; i < 2; i++)
        {
            (await changes.MoveNextAsync()).ShouldBeTrue();
            changes.Current.ShouldBe(id);
        }

        var waiting = changes.MoveNextAsync();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () => await waiting);
    }

    private async Task<JobId> AcceptAsync(string engine = Engines.Detect, string? key = null, bool isInternal = false)
    {
        var added = await Store.AddAsync([SampleJobs.New(engine, key, isInternal)], default);
        return added[0].Job.Id;
    }

    private async Task<Lease> StartAsync(JobId id, string worker = "w")
    {
        var started = await Store.StartAsync(SampleJobs.Delivery(id), worker, Hold, default);
        return started.ShouldNotBeNull().Lease;
    }

    /// <summary>A job in this state, with the clock where it was.</summary>
    private async Task<JobId> BringToAsync(JobState state)
    {
        var id = await AcceptAsync();
        switch (state)
        {
            case JobState.Running:
                await StartAsync(id);
                break;
            case JobState.Succeeded:
                await Store.FinishAsync(await StartAsync(id), SampleJobs.Done("out/aa/b-1.jpg"), default);
                break;
            case JobState.Failed:
                await Store.FinishAsync(await StartAsync(id), SampleJobs.Reject(), default);
                break;
            case JobState.Dead:
                while ((await Store.FinishAsync(await StartAsync(id), SampleJobs.Retry(), default))!.RetryAfter is { } delay)
                    Clock.Advance(delay);
                break;
            case JobState.Cancelled:
                await Store.CancelAsync(id, null, default);
                break;
        }
        return id;
    }

    private async Task<List<JobId>> IdsAsync(JobFilter filter) => [.. (await Store.ListAsync(filter, default)).Select(j => j.Id)];

    private async Task<List<int?>> PositionsAsync(params JobId[] ids)
    {
        var positions = new List<int?>();
        foreach (var id in ids)
            positions.Add(await Store.PositionAsync(id, default));
        return positions;
    }
}
