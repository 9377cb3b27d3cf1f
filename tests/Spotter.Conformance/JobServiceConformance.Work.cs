using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>What workers, operators and time do to jobs that were accepted.</summary>
public abstract partial class JobServiceConformance
{
    [Fact]
    public async Task An_input_that_is_gone_has_a_code_of_its_own()
    {
        var job = await SubmitAsync();
        await Blobs.DeleteAsync(job.Spec.Inputs[0].Key, default);

        var lease = (await TakeAsync()).ShouldNotBeNull().Lease;
        (await Should.ThrowAsync<SpotterException>(() => Service.OpenInputAsync(lease.Worker, job.Id, job.Spec.Inputs[0].Key, default))).Code.ShouldBe(ErrorCodes.BlobMissing);
        (await Should.ThrowAsync<SpotterException>(() => Service.OpenInputAsync(job, job.Spec.Inputs[0], default))).Code.ShouldBe(ErrorCodes.OriginalExpired);
    }

    [Fact]
    public async Task A_cancelled_job_is_not_run()
    {
        var (cancelled, next) = (await SubmitAsync(), await SubmitAsync());
        (await Service.CancelAsync(JobCaller.Self, cancelled, default)).State.ShouldBe(JobState.Cancelled);

        (await TakeAsync())!.Job.Id.ShouldBe(next.Id);
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_cancelled_while_it_runs_takes_no_result()
    {
        await SubmitAsync();
        var started = (await TakeAsync())!;
        await Service.CancelAsync(new JobCaller("", "camera", SeesAll: true), started.Job, default);

        (await Service.HeartbeatAsync("w", [started.Lease], default)).Lost.ShouldBe([started.Job.Id]);
        (await Service.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeFalse();

        var row = await FindAsync(started.Job.Id);
        row.State.ShouldBe(JobState.Cancelled);
        row.History.ShouldHaveSingleItem().By.ShouldBe("camera");
        Clock.Advance(Leases.Duration);
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_that_has_ended_can_not_be_cancelled()
    {
        await SubmitAsync();
        var started = (await TakeAsync())!;
        await Service.FinishAsync(started.Lease, SampleJobs.Done(), default);

        var refusal = await Should.ThrowAsync<SpotterException>(() => Service.CancelAsync(JobCaller.Self, started.Job, default));

        refusal.Code.ShouldBe(ErrorCodes.NotCancellable);
    }

    [Fact]
    public async Task A_failed_attempt_comes_back_after_its_delay()
    {
        var job = await SubmitAsync();
        await Service.FinishAsync((await TakeAsync())!.Lease, SampleJobs.Retry(), default);
        (await Service.TakeAsync("w", ["detect/m"], TimeSpan.Zero, default)).ShouldBeNull();

        Clock.Advance(Retries.FirstDelay);

        var again = (await TakeAsync()).ShouldNotBeNull();
        (again.Job.Id, again.Lease.Attempt).ShouldBe((job.Id, 2));
    }

    [Fact]
    public async Task A_lease_with_heartbeats_is_kept()
    {
        await SubmitAsync();
        var started = (await TakeAsync())!;
        for (var i = 0; i < 10; i++)
        {
            Clock.Advance(Leases.Duration / 2);
            (await Service.HeartbeatAsync("w", [started.Lease], default)).Lost.ShouldBeEmpty();
            (await Service.Maintenance.RunOnceAsync(default)).Reaped.ShouldBe(0);
            (await Service.TakeAsync("other", ["detect/m"], TimeSpan.Zero, default)).ShouldBeNull();
        }
        (await Service.HeartbeatAsync("w", [], default)).Lost.ShouldBeEmpty();
        (await Service.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_worker_that_falls_silent_loses_its_job_to_another()
    {
        var job = await SubmitAsync();
        var silent = (await TakeAsync("silent"))!;
        Clock.Advance(Leases.Duration);
        (await Service.Maintenance.RunOnceAsync(default)).Reaped.ShouldBe(1);
        Clock.Advance(Retries.FirstDelay);

        var second = (await TakeAsync("second")).ShouldNotBeNull();
        (second.Job.Id, second.Job.Isolated).ShouldBe((job.Id, true));
        (await Service.FinishAsync(silent.Lease, SampleJobs.Done(width: 1), default)).ShouldBeFalse();
        (await Service.FinishAsync(second.Lease, SampleJobs.Done(width: 2), default)).ShouldBeTrue();
        (await FindAsync(job.Id)).Result.ShouldBe(SampleJobs.Result(2));
    }

    [Fact]
    public async Task A_worker_known_to_be_gone_loses_its_jobs_at_once()
    {
        var job = await SubmitAsync();
        await TakeAsync("gone");

        (await Service.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default)).All.ShouldBe(1);

        Clock.Advance(Retries.FreeDelay);
        (await TakeAsync("next"))!.Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task What_ran_when_the_service_ended_runs_again_after_the_next_start()
    {
        var running = await SubmitAsync();
        await TakeAsync();
        var waiting = await SubmitAsync();

        await OpenAgainAsync();
        (await Service.ReleaseAsync(null, SampleJobs.Fault, spendAttempt: false, default)).All.ShouldBe(1);
        Clock.Advance(Retries.FreeDelay);

        var taken = new[] { (await TakeAsync())!.Job.Id, (await TakeAsync())!.Job.Id };
        taken.ShouldBe([running.Id, waiting.Id], ignoreOrder: true);
    }

    [Fact]
    public async Task A_job_that_nobody_starts_in_time_fails()
    {
        var job = await SubmitAsync(new JobSchedule { Expires = TimeSpan.FromMinutes(1) });
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await TakeAsync()).ShouldBeNull();

        (await Service.Maintenance.RunOnceAsync(default)).Late.ShouldBe(1);

        (await FindAsync(job.Id)).Error!.Code.ShouldBe(ErrorCodes.Expired);
    }

    [Fact]
    public async Task A_delayed_job_waits_for_its_time()
    {
        var job = await SubmitAsync(new JobSchedule { Delay = TimeSpan.FromMinutes(10) });
        Clock.Advance(TimeSpan.FromMinutes(9));
        (await TakeAsync()).ShouldBeNull();

        Clock.Advance(TimeSpan.FromMinutes(1));

        (await TakeAsync())!.Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task Dead_jobs_of_the_caller_are_redriven()
    {
        var caller = new JobCaller("team", "operator", SeesAll: false);
        var mine = (await SubmitAsync([SampleJobs.Picture()], caller: caller)).ShouldHaveSingleItem();
        await KillAsync(mine.Id);
        var other = await SubmitAsync();
        await KillAsync(other.Id);

        (await Service.RedriveAsync(caller, new RedriveFilter(), default)).ShouldBe(1);

        (await FindAsync(other.Id)).State.ShouldBe(JobState.Dead);
        var row = await FindAsync(mine.Id);
        (row.State, row.Redrives, row.History[^1].By).ShouldBe((JobState.Queued, 1, "operator"));
        (await TakeAsync())!.Lease.Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task More_dead_jobs_than_one_batch_are_redriven()
    {
        for (var i = 0; i < 3; i++)
            await KillAsync((await SubmitAsync()).Id);

        (await Service.RedriveAsync(JobCaller.Self, new RedriveFilter { Limit = 2 }, default)).ShouldBe(3);
    }

    [Fact]
    public async Task Whoever_waits_for_a_job_gets_the_next_one()
    {
        await using var changes = FollowChanges();
        var waiting = Service.TakeAsync("w", ["detect/m"], Timeout.InfiniteTimeSpan, default);
        var job = await SubmitAsync();

        (await PassUntilAsync(waiting))!.Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task A_job_that_comes_is_given_at_once_to_whoever_waits()
    {
        await using var changes = FollowChanges();
        var waiting = Service.TakeAsync("w", ["detect/m"], Timeout.InfiniteTimeSpan, default);
        for (var i = 0; i < 50 && !waiting.IsCompleted; i++)
        {
            await SubmitAsync();
            await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }

        waiting.IsCompletedSuccessfully.ShouldBeTrue("the clock stands still, so nobody looks at its queue but because of a change");
    }

    [Fact]
    public async Task Of_many_who_wait_each_gets_one_job()
    {
        await using var changes = FollowChanges();
        var waiting = Enumerable.Range(0, 20).Select(i => Service.TakeAsync($"w{i}", ["detect/m"], Timeout.InfiniteTimeSpan, default)).ToList();
        var ids = new List<JobId>();
        for (var i = 0; i < 20; i++)
            ids.Add((await SubmitAsync()).Id);

        (await PassUntilAsync(Task.WhenAll(waiting))).Select(s => s!.Job.Id).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Whoever_waits_gets_a_job_whose_time_comes()
    {
        await using var changes = FollowChanges();
        var delayed = await SubmitAsync(new JobSchedule { Delay = TimeSpan.FromSeconds(20) });
        var retried = await SubmitAsync();
        var lease = (await TakeAsync())!.Lease;
        Task<StartedJob?>[] waiting =
        [
            Service.TakeAsync("a", ["detect/m"], Timeout.InfiniteTimeSpan, default), Service.TakeAsync("b", ["detect/m"], Timeout.InfiniteTimeSpan, default),
        ];
        await Service.FinishAsync(lease, SampleJobs.Retry(), default);

        (await PassUntilAsync(Task.WhenAll(waiting))).Select(s => s!.Job.Id).ShouldBe([delayed.Id, retried.Id], ignoreOrder: true);
    }

    [Fact]
    public async Task Whoever_waits_for_a_redriven_or_released_job_gets_it()
    {
        await using var changes = FollowChanges();
        var job = await SubmitAsync();
        await KillAsync(job.Id);
        var waiting = Service.TakeAsync("gone", ["detect/m"], Timeout.InfiniteTimeSpan, default);
        await Service.RedriveAsync(JobCaller.Self, new RedriveFilter(), default);
        (await PassUntilAsync(waiting))!.Job.Id.ShouldBe(job.Id);

        waiting = Service.TakeAsync("next", ["detect/m"], Timeout.InfiniteTimeSpan, default);
        await Service.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default);
        (await PassUntilAsync(waiting))!.Lease.FencingToken.ShouldBe(Retries.MaxAttempts + 2);
    }

    [Fact]
    public async Task Waiting_ends_with_nothing()
    {
        var waiting = Service.TakeAsync("w", ["detect/m"], TimeSpan.FromSeconds(10), default);

        (await PassUntilAsync(waiting)).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_is_not_lost_to_someone_who_leaves_as_it_comes()
    {
        await using var changes = FollowChanges();
        for (var round = 0; round < 20; round++)
        {
            using var stop = new CancellationTokenSource();
            var waiting = Service.TakeAsync("w", ["detect/m"], Timeout.InfiniteTimeSpan, stop.Token);
            var leaving = Task.Run(stop.Cancel);
            var job = await SubmitAsync();
            await leaving;

            StartedJob? started = null;
            try
            {
                started = await waiting;
            }
            catch (OperationCanceledException)
            {
                started = await PassUntilAsync(Service.TakeAsync("w", ["detect/m"], Timeout.InfiniteTimeSpan, default));
            }
            (started!.Job.Id, started.Lease.Attempt).ShouldBe((job.Id, 1));
            await Service.FinishAsync(started.Lease, SampleJobs.Done(), default);
        }
    }

    [Fact]
    public async Task Whoever_waits_for_a_result_hears_of_it()
    {
        await using var changes = FollowChanges();
        await SubmitAsync();
        var started = (await TakeAsync())!;
        var waiting = Service.Watcher.WaitAsync(started.Job.Id, TimeSpan.FromMinutes(1), default);
        await Service.FinishAsync(started.Lease, SampleJobs.Done(), default);

        (await PassUntilAsync(waiting))!.State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task Old_blobs_go_and_then_old_rows()
    {
        var job = await SubmitAsync();
        var lease = (await TakeAsync())!.Lease;
        await Service.FinishAsync(lease, SampleJobs.Done(await Service.PutOutputAsync(new MemoryStream([2]), default)), default);
        (await Service.Maintenance.RunOnceAsync(default)).ShouldBe(new Tended(0, 0, 0, 0, 0));
        (await KeysAsync()).Count.ShouldBe(2);

        Clock.Advance(Leases.KeepBlobs + TimeSpan.FromSeconds(1));
        (await Service.Maintenance.RunOnceAsync(default)).Expired.ShouldBe(2);
        (await KeysAsync()).ShouldBeEmpty();
        var row = await FindAsync(job.Id);
        row.InputsExpired.ShouldBeTrue();
        (await Should.ThrowAsync<SpotterException>(() => Service.OpenInputAsync(row, row.Spec.Inputs[0], default))).Code.ShouldBe(ErrorCodes.OriginalExpired);

        Clock.Advance(Leases.KeepJobs);
        (await Service.Maintenance.RunOnceAsync(default)).Purged.ShouldBe(1);
        (await Store.FindAsync(job.Id, default)).ShouldBeNull();
        (await Service.CountAsync(default)).Jobs.Ended.ShouldBe(1);
    }

    [Fact]
    public async Task Blobs_that_no_job_speaks_of_go_when_they_are_old()
    {
        var job = await SubmitAsync();
        var lease = (await TakeAsync())!.Lease;
        var output = await Service.PutOutputAsync(new MemoryStream([1]), default);
        await Service.PutOutputAsync(new MemoryStream([2]), default);
        await Service.FinishAsync(lease, SampleJobs.Done(output), default);
        await Blobs.PutAsync(BlobKey.NewInput(random, Clock), new MemoryStream([1]), default);
        (await Service.Maintenance.RunOnceAsync(default)).Orphans.ShouldBe(0);

        Clock.Advance(Leases.OrphanAge + TimeSpan.FromMinutes(1));
        (await Service.Maintenance.RunOnceAsync(default)).Orphans.ShouldBe(2);

        (await KeysAsync()).ShouldBe([output, job.Spec.Inputs[0].Key], ignoreOrder: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_happens_each_job_ends_once(int seed)
    {
        var model = new JobServiceModel(seed, Clock, Leases, Retries);
        for (var step = 0; step < 400; step++)
        {
            if (await model.StepAsync(Store, Service))
                await OpenAgainAsync();
            if (step % CheckEvery == 0)
                await model.CheckAsync(Store, step);
        }
        await model.DrainAsync(Store, Service);
    }

    /// <summary>Lets a job fail until it is dead.</summary>
    private async Task KillAsync(JobId id)
    {
        while ((await FindAsync(id)).State != JobState.Dead)
        {
            if (await TakeAsync() is { } started)
                await Service.FinishAsync(started.Lease, SampleJobs.Retry(), default);
            Clock.Advance(Retries.LongestDelay);
        }
    }

    /// <summary>Lets the service hear of changes.</summary>
    private Following FollowChanges() => new(Service.Changes);

    /// <summary>Lets time pass until something has happened.</summary>
    private async Task<T> PassUntilAsync<T>(Task<T> task)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!task.IsCompleted && TimeProvider.System.GetElapsedTime(begun) < Patience)
        {
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
            Clock.Advance(TimeSpan.FromMilliseconds(500));
        }
        return task.IsCompleted ? await task : throw new TimeoutException("It does not happen.");
    }

    private sealed class Following : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task reading;

        public Following(ChangeFeed feed) => reading = feed.RunAsync(_ => { }, stop.Token);

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await reading;
            stop.Dispose();
        }
    }
}
