using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>How attempts end: leases, results, retries, death.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task A_result_ends_the_job()
    {
        var id = await AddAsync();
        Clock.Advance(TimeSpan.FromSeconds(3));
        var started = await StartAsync(id);
        Clock.Advance(TimeSpan.FromSeconds(1));

        var ended = await FinishAsync(started.Lease, SampleJobs.Done("out/ab/x-1.jpg") with { ModelVersion = "v1" });

        ended.ShouldBe(new EndedAttempt(id, JobState.Succeeded, null));
        var job = await FindAsync(id);
        (job.State, job.Finished, job.Output, job.Error, job.ModelVersion, job.CachedFrom)
            .ShouldBe((JobState.Succeeded, Clock.GetUtcNow(), "out/ab/x-1.jpg", null, "v1", null));
        job.Result.ToString().ShouldBe(SampleJobs.Result().ToString());
        var waited = (started.Job.Started!.Value - job.Created).TotalMilliseconds;
        job.Timings.ShouldBe(new JobTimings { QueuedMs = waited, DecodeMs = 5, InferMs = 15 });
    }

    [Fact]
    public async Task A_refusal_ends_the_job_with_its_reason()
    {
        var id = await AddAsync();

        var ended = await FinishAsync(await LeaseAsync(id), SampleJobs.Reject());

        ended.ShouldBe(new EndedAttempt(id, JobState.Failed, null));
        var job = await FindAsync(id);
        (job.State, job.Error, job.Result, job.Finished).ShouldBe((JobState.Failed, SampleJobs.Reject().Error, null, Clock.GetUtcNow()));
    }

    [Fact]
    public async Task A_lost_lease_passes_on_and_its_late_end_changes_nothing()
    {
        var id = await AddAsync();
        var lost = await LeaseAsync(id, "slow");
        Clock.Advance(Duration);
        (await Store.ReapAsync(10, default)).ShouldBe(1);
        Clock.Advance(Retries.FirstDelay);
        var current = await LeaseAsync(id, "quick");
        (current.FencingToken, current.Attempt).ShouldBe((2, 2));
        var before = SampleJobs.Print(await FindAsync(id));

        foreach (var outcome in (JobOutcome[])[SampleJobs.Done(), SampleJobs.Retry(), SampleJobs.Retry(spendAttempt: false), SampleJobs.Reject()])
            (await Store.FinishAsync(lost, outcome, default)).ShouldBeNull();
        (await ExtendAsync(lost)).ShouldBeFalse();

        SampleJobs.Print(await FindAsync(id)).ShouldBe(before);
        (await ExtendAsync(current)).ShouldBeTrue();
        await FinishAsync(current, SampleJobs.Done());
    }

    [Fact]
    public async Task A_lease_that_ran_out_still_counts_until_it_is_taken()
    {
        var lease = await LeaseAsync(await AddAsync());
        Clock.Advance(Duration * 2);

        (await ExtendAsync(lease)).ShouldBeTrue();
        (await Store.ReapAsync(10, default)).ShouldBe(0);
        Clock.Advance(Duration * 2);

        (await FinishAsync(lease, SampleJobs.Done())).State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task Of_many_who_finish_one_lease_one_is_heard()
    {
        var lease = await LeaseAsync(await AddAsync());

        var ended = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(i => Task.Run(() => Store.FinishAsync(lease, SampleJobs.Done(width: i), default))));

        ended.Count(e => e is not null).ShouldBe(1);
        (await FindAsync(lease.Job)).Result.ShouldBe(SampleJobs.Result(Array.FindIndex(ended, e => e is not null)));
        (await CountsAsync()).Ended.ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_takes_a_lease_back_and_whoever_finishes_it_do_not_both_win()
    {
        for (var round = 0; round < 20; round++)
        {
            var lease = await LeaseAsync(await AddAsync());
            Clock.Advance(Duration);
            var reaping = Task.Run(() => Store.ReapAsync(10, default));
            var ended = await Store.FinishAsync(lease, SampleJobs.Done(), default);
            var reaped = await reaping;

            (reaped + (ended is null ? 0 : 1)).ShouldBe(1);
            (await FindAsync(lease.Job)).State.ShouldBe(ended is null ? JobState.Queued : JobState.Succeeded);
            await Store.CancelAsync(lease.Job, null, default);
        }
    }

    [Fact]
    public async Task Each_lease_has_its_answer_in_their_order()
    {
        var leases = new List<Lease>();
        for (var i = 0; i < 4; i++)
            leases.Add(await LeaseAsync(await AddAsync()));
        await FinishAsync(leases[0], SampleJobs.Done());
        await Store.CancelAsync(leases[2].Job, null, default);
        var madeUp = leases[1] with { FencingToken = 7 };
        var unknown = leases[1] with { Job = JobId.New(RandomSource.System, TimeProvider.System) };

        var kept = await Store.ExtendAsync([leases[3], leases[0], madeUp, leases[1], leases[2], unknown], Duration, Duration, default);

        kept.ShouldBe([true, false, false, true, false, false]);
        (await Store.ExtendAsync([], Duration, Duration, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lease_is_good_for_its_worker_alone()
    {
        var lease = await LeaseAsync(await AddAsync());
        var stolen = lease with { Worker = "thief" };

        (await Store.ExtendAsync([stolen, lease], Duration, Duration, default)).ShouldBe([false, true]);
        (await Store.FinishAsync(stolen, SampleJobs.Done(), default)).ShouldBeNull();
        (await Store.FinishAsync(stolen, new JobOutcome.Retry(SampleJobs.Fault, SpendAttempt: true), default)).ShouldBeNull();
        (await Store.FinishAsync(stolen, new JobOutcome.Reject(SampleJobs.Fault), default)).ShouldBeNull();

        (await FindAsync(lease.Job)).State.ShouldBe(JobState.Running);
        (await Store.FinishAsync(lease, SampleJobs.Done(), default)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(JobState.Succeeded)]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Dead)]
    [InlineData(JobState.Cancelled)]
    public async Task A_row_that_has_ended_never_changes(JobState state)
    {
        var id = await BringToAsync(state);
        var row = await FindAsync(id);
        row.State.ShouldBe(state);
        row.Finished.ShouldNotBeNull();
        var before = SampleJobs.Print(row);
        var lease = new Lease(id, row.Queue, row.FencingToken, row.Attempts, "w");
        Clock.Advance(TimeSpan.FromHours(1));

        (await TakeSomeAsync(["w"], row.Queue)).Jobs.ShouldBeEmpty();
        (await ExtendAsync(lease)).ShouldBeFalse();
        foreach (var outcome in (JobOutcome[])[SampleJobs.Done(width: 1), SampleJobs.Retry(), SampleJobs.Reject()])
            (await Store.FinishAsync(lease, outcome, default)).ShouldBeNull();
        SampleJobs.Print(await Store.CancelAsync(id, "late", default)).ShouldBe(before);
        (await Store.ReleaseAsync(null, SampleJobs.Fault, true, default)).All.ShouldBe(0);
        (await Store.ReleaseAsync("w", SampleJobs.Fault, false, default)).All.ShouldBe(0);
        (await Store.ReapAsync(10, default)).ShouldBe(0);
        (await Store.ExpireAsync(10, default)).ShouldBe(0);

        SampleJobs.Print(await FindAsync(id)).ShouldBe(before);
    }

    [Theory]
    [InlineData(JobState.Queued)]
    [InlineData(JobState.Running)]
    public async Task A_job_that_has_not_ended_can_be_cancelled(JobState state)
    {
        var id = await BringToAsync(state);

        var cancelled = (await Store.CancelAsync(id, "camera", default)).ShouldNotBeNull();

        (cancelled.State, cancelled.Finished).ShouldBe((JobState.Cancelled, Clock.GetUtcNow()));
        SampleJobs.Print(await FindAsync(id)).ShouldBe(SampleJobs.Print(cancelled));
        cancelled.History.ShouldHaveSingleItem().By.ShouldBe("camera");
        (await TakeSomeAsync(["w"], cancelled.Queue)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_is_dead_after_its_last_attempt()
    {
        var id = await AddAsync();
        var queue = (await FindAsync(id)).Queue;
        for (var attempt = 1; attempt <= Retries.MaxAttempts; attempt++)
        {
            var lease = await LeaseAsync(id);
            (lease.Attempt, lease.FencingToken).ShouldBe((attempt, attempt));
            var ended = await FinishAsync(lease, SampleJobs.Retry());
            if (attempt == Retries.MaxAttempts)
            {
                ended.ShouldBe(new EndedAttempt(id, JobState.Dead, null));
                break;
            }
            ended.State.ShouldBe(JobState.Queued);
            var step = Retries.FirstDelay * Math.Pow(2, attempt - 1);
            ended.RetryAfter!.Value.ShouldBeInRange(step / 2, step);
            (await FindAsync(id)).Error.ShouldBe(SampleJobs.Fault);

            Clock.Advance(ended.RetryAfter.Value - TimeSpan.FromMilliseconds(1));
            (await TakeAsync(queue)).ShouldBeNull("it is not due yet");
            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        var job = await FindAsync(id);
        (job.State, job.Finished, job.Error, job.Attempts, job.Isolated)
            .ShouldBe((JobState.Dead, Clock.GetUtcNow(), SampleJobs.Fault, Retries.MaxAttempts, false));
    }

    [Fact]
    public async Task An_attempt_without_fault_is_given_back_but_its_fencing_token_is_not()
    {
        var id = await AddAsync();
        for (var i = 1; i <= 3 * Retries.MaxAttempts; i++)
        {
            var lease = await LeaseAsync(id);
            (lease.Attempt, lease.FencingToken).ShouldBe((1, i));
            (await FinishAsync(lease, SampleJobs.Retry(spendAttempt: false))).ShouldBe(new EndedAttempt(id, JobState.Queued, Retries.FreeDelay));
            Clock.Advance(Retries.FreeDelay);
        }
        (await FindAsync(id)).Attempts.ShouldBe(0);
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_and_its_job_runs_isolated()
    {
        var (first, second) = (await AddAsync(), await AddAsync());
        var until = (await StartAsync(first)).Job.Started!.Value + Duration;
        Clock.Advance(TimeSpan.FromSeconds(1));
        await StartAsync(second);

        Clock.Advance(until - Clock.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        (await Store.ReapAsync(10, default)).ShouldBe(0);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await Store.ReapAsync(10, default)).ShouldBe(1);

        var job = await FindAsync(first);
        (job.State, job.Attempts, job.Isolated, job.Error!.Code).ShouldBe((JobState.Queued, 1, true, ErrorCodes.LeaseExpired));
        (await FindAsync(second)).State.ShouldBe(JobState.Running);
        Clock.Advance(Retries.FirstDelay);
        (await StartAsync(first)).Job.Isolated.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lease_that_is_extended_does_not_run_out()
    {
        var lease = await LeaseAsync(await AddAsync());
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(Duration / 2);
            (await ExtendAsync(lease)).ShouldBeTrue();
            (await Store.ReapAsync(10, default)).ShouldBe(0);
            (await TakeAsync(lease.Queue)).ShouldBeNull();
        }
        await FinishAsync(lease, SampleJobs.Done());
    }

    [Fact]
    public async Task No_more_leases_are_taken_at_once_than_asked_for()
    {
        for (var i = 0; i < 5; i++)
            await StartAsync(await AddAsync());
        Clock.Advance(Duration);

        (await Store.ReapAsync(3, default)).ShouldBe(3);
        (await Store.ReapAsync(3, default)).ShouldBe(2);
        (await Store.ReapAsync(3, default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_keeps_killing_its_workers_dies()
    {
        var id = await AddAsync();
        for (var i = 1; i <= Retries.MaxDeaths; i++)
        {
            await StartAsync(id, $"w{i}");
            (await Store.ReleaseAsync($"w{i}", SampleJobs.Fault, spendAttempt: true, default)).ShouldBe(i < Retries.MaxDeaths ? new LostLeases(Queued: 1, Dead: 0) : new LostLeases(Queued: 0, Dead: 1));
            (await FindAsync(id)).State.ShouldBe(i < Retries.MaxDeaths ? JobState.Queued : JobState.Dead);
            Clock.Advance(Retries.LongestDelay);
        }
        var job = await FindAsync(id);
        (job.State, job.Isolated, job.Error).ShouldBe((JobState.Dead, true, SampleJobs.Fault));
    }

    [Fact]
    public async Task A_job_whose_leases_keep_running_out_dies()
    {
        var id = await AddAsync();
        for (var i = 1; i <= Retries.MaxDeaths; i++)
        {
            await StartAsync(id);
            Clock.Advance(Duration);
            (await Store.ReapAsync(10, default)).ShouldBe(1);
            (await FindAsync(id)).State.ShouldBe(i < Retries.MaxDeaths ? JobState.Queued : JobState.Dead);
            Clock.Advance(Retries.LongestDelay);
        }
    }

    [Fact]
    public async Task An_attempt_that_takes_its_worker_counts_as_a_death()
    {
        var id = await AddAsync();
        for (var i = 1; i <= Retries.MaxDeaths; i++)
        {
            var ended = await FinishAsync(await LeaseAsync(id, $"w{i}"), SampleJobs.Retry() with { TakesWorker = true });
            ended.State.ShouldBe(i < Retries.MaxDeaths ? JobState.Queued : JobState.Dead);
            (await FindAsync(id)).Isolated.ShouldBeTrue();
            Clock.Advance(Retries.LongestDelay);
        }
    }

    [Fact]
    public async Task The_leases_of_one_worker_are_released_and_of_nobody_else()
    {
        var (mine, other) = (await AddAsync(), await AddAsync());
        await StartAsync(mine, "gone");
        await StartAsync(other, "alive");

        (await Store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default)).All.ShouldBe(1);
        (await Store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default)).All.ShouldBe(0);

        var job = await FindAsync(mine);
        (job.State, job.Attempts, job.FencingToken, job.Isolated, job.Error).ShouldBe((JobState.Queued, 0, 1, false, SampleJobs.Fault));
        (await FindAsync(other)).State.ShouldBe(JobState.Running);
        Clock.Advance(Retries.FreeDelay);
        (await LeaseAsync(mine)).FencingToken.ShouldBe(2);
    }

    [Fact]
    public async Task All_leases_are_released_when_nobody_is_left()
    {
        var jobs = new[] { await AddAsync(), await AddAsync(engine: SampleJobs.Classify) };
        await StartAsync(jobs[0], "a");
        await StartAsync(jobs[1], "b");

        (await Store.ReleaseAsync(null, SampleJobs.Fault, spendAttempt: true, default)).All.ShouldBe(2);

        foreach (var id in jobs)
        {
            var job = await FindAsync(id);
            (job.State, job.Attempts, job.Isolated).ShouldBe((JobState.Queued, 1, true));
        }
    }

    [Fact]
    public async Task The_history_says_what_happened_besides_the_usual()
    {
        var id = await AddAsync();
        var first = await LeaseAsync(id);
        var failed = Clock.GetUtcNow();
        await FinishAsync(first, SampleJobs.Retry());
        Clock.Advance(TimeSpan.FromMinutes(1));
        await StartAsync(id);
        await Store.ReleaseAsync("w", SampleJobs.Fault, spendAttempt: false, default);
        await Store.CancelAsync(id, "camera", default);

        (await FindAsync(id)).History.ShouldBe(
        [
            new JobEvent(failed, JobEventKind.Retried, 1, "w", null, SampleJobs.Fault),
            new JobEvent(Clock.GetUtcNow(), JobEventKind.Lost, 2, "w", null, SampleJobs.Fault),
            new JobEvent(Clock.GetUtcNow(), JobEventKind.Cancelled, 0, "w", "camera", null),
        ]);
    }

    [Fact]
    public async Task The_history_keeps_the_newest_events()
    {
        var id = await AddAsync();
        for (var i = 0; i < JobEvent.Most + 3; i++)
        {
            await FinishAsync(await LeaseAsync(id, $"w{i}"), SampleJobs.Retry(spendAttempt: false));
            Clock.Advance(Retries.FreeDelay);
        }

        var history = (await FindAsync(id)).History;
        history.Count.ShouldBe(JobEvent.Most);
        history[^1].Worker.ShouldBe($"w{JobEvent.Most + 2}");
    }
}
