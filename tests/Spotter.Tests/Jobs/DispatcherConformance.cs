using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The three ports of one deployment.</summary>
public sealed record Ports(IJobStore Jobs, IJobQueue Queue, IBlobStore Blobs);

/// <summary>What the three ports of a deployment do together. A new adapter adds a subclass and nothing else.</summary>
public abstract class DispatcherConformance : IAsyncLifetime
{
    private static readonly LeaseSettings Settings = new();
    private static readonly RetrySchedule Retries = new();

    /// <summary>Begins at the real time, since blobs may carry the real time of their writing.</summary>
    protected ManualClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>After so many random steps all rows are compared with what they should be; more where reading takes long.</summary>
    protected virtual int CheckEvery => 1;

    private Ports Ports { get; set; } = null!;

    private Dispatcher Dispatcher { get; set; } = null!;

    public Task InitializeAsync() => OpenAgainAsync();

    public async Task DisposeAsync()
    {
        await CloseAsync();
        await DeleteAsync();
    }

    /// <summary>Opens the ports: empty the first time, later with what they held when they were closed.</summary>
    protected abstract Task<Ports> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes them.</summary>
    protected abstract Task CloseAsync();

    /// <summary>Deletes what they held.</summary>
    protected abstract Task DeleteAsync();

    [Fact]
    public async Task A_job_goes_from_acceptance_to_its_result_and_is_not_delivered_again()
    {
        var id = await AcceptAsync();
        await Ports.Blobs.PutAsync(BlobKey.Original(id), new MemoryStream([1, 2, 3]), default);

        var started = (await TakeAsync()).ShouldNotBeNull();
        started.Job.Id.ShouldBe(id);
        await using (var image = await Dispatcher.OpenImageAsync(started.Job.Image, default))
            image.ReadByte().ShouldBe(1);
        var output = await Dispatcher.PutOutputAsync(started.Lease, new byte[] { 9 }, default);
        (await Dispatcher.FinishAsync(started.Lease, SampleJobs.Done(output), default)).ShouldBeTrue();

        output.ShouldBe(BlobKey.Output(id, 1));
        (await Ports.Jobs.FindAsync(id, default))!.Output.ShouldBe(output);
        (await Ports.Queue.DepthAsync(Engines.Detect, default)).ShouldBe(new QueueDepth(0, 0));
        Clock.Advance(TimeSpan.FromHours(1));
        (await TakeAsync()).ShouldBeNull();
        (await Dispatcher.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_picture_that_is_gone_has_a_code_of_its_own()
    {
        await AcceptAsync();
        var started = (await TakeAsync())!;

        var refusal = await Should.ThrowAsync<SpotterException>(() => Dispatcher.OpenImageAsync(started.Job.Image, default));

        refusal.Code.ShouldBe(ErrorCodes.BlobMissing);
    }

    [Fact]
    public async Task A_job_sent_twice_under_one_key_runs_once()
    {
        await AcceptAsync(key: "once");
        await AcceptAsync(key: "once");

        (await TakeAsync()).ShouldNotBeNull();
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task An_id_that_is_delivered_twice_runs_once()
    {
        var id = await AcceptAsync();
        var started = (await TakeAsync()).ShouldNotBeNull();
        await Ports.Queue.EnqueueAsync(id, Engines.Detect, JobPriority.Normal, TimeSpan.Zero, default);

        (await TakeAsync()).ShouldBeNull();
        (await Dispatcher.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeTrue();
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_cancelled_job_is_not_run()
    {
        var cancelled = await AcceptAsync();
        var next = await AcceptAsync();
        await Ports.Jobs.CancelAsync(cancelled, null, default);

        (await TakeAsync())!.Job.Id.ShouldBe(next);
    }

    [Fact]
    public async Task A_job_cancelled_while_it_runs_takes_no_result()
    {
        var id = await AcceptAsync();
        var started = (await TakeAsync())!;
        await Ports.Jobs.CancelAsync(id, null, default);

        (await Dispatcher.ExtendAsync(started.Lease, default)).ShouldBeFalse();
        (await Dispatcher.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeFalse();

        (await Ports.Jobs.FindAsync(id, default))!.State.ShouldBe(JobState.Cancelled);
        Clock.Advance(Settings.Duration);
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_failed_attempt_comes_back_after_its_delay()
    {
        var id = await AcceptAsync();
        await Dispatcher.FinishAsync((await TakeAsync())!.Lease, SampleJobs.Retry(), default);
        (await TakeAsync()).ShouldBeNull();

        Clock.Advance(Retries.FirstDelay);

        var again = (await TakeAsync()).ShouldNotBeNull();
        (again.Job.Id, again.Lease.Attempt).ShouldBe((id, 2));
    }

    [Fact]
    public async Task A_lease_that_beats_is_kept_by_store_and_queue_alike()
    {
        await AcceptAsync();
        var started = (await TakeAsync())!;
        for (var i = 0; i < 10; i++)
        {
            Clock.Advance(Settings.Duration / 2);
            (await Dispatcher.ExtendAsync(started.Lease, default)).ShouldBeTrue();
            (await Dispatcher.ReapAsync(10, default)).ShouldBe(0);
            (await TakeAsync()).ShouldBeNull();
        }
        (await Dispatcher.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_worker_that_falls_silent_loses_its_job_to_another()
    {
        var id = await AcceptAsync();
        var silent = (await TakeAsync("silent"))!;
        Clock.Advance(Settings.Duration);
        (await Dispatcher.ReapAsync(10, default)).ShouldBe(1);
        Clock.Advance(Retries.FirstDelay);

        var second = (await TakeAsync("second")).ShouldNotBeNull();
        (second.Job.Id, second.Job.Isolated).ShouldBe((id, true));
        (await Dispatcher.FinishAsync(silent.Lease, SampleJobs.Done(width: 1), default)).ShouldBeFalse();
        (await Dispatcher.FinishAsync(second.Lease, SampleJobs.Done(width: 2), default)).ShouldBeTrue();
        (await Ports.Jobs.FindAsync(id, default))!.Result!.Width.ShouldBe(2);
    }

    [Fact]
    public async Task A_worker_known_to_be_gone_loses_its_jobs_at_once()
    {
        var id = await AcceptAsync();
        await TakeAsync("gone");

        (await Dispatcher.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default)).ShouldBe(1);

        Clock.Advance(Retries.FreeDelay);
        (await TakeAsync("next"))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task What_ran_when_the_service_ended_runs_again_after_the_next_start()
    {
        var running = await AcceptAsync();
        await TakeAsync();
        var waiting = await AcceptAsync();

        await OpenAgainAsync();
        (await Dispatcher.ReleaseAsync(null, SampleJobs.Fault, spendAttempt: false, default)).ShouldBe(1);
        Clock.Advance(Retries.FreeDelay);

        var taken = new[] { (await TakeAsync())!.Job.Id, (await TakeAsync())!.Job.Id };
        taken.ShouldBe([running, waiting], ignoreOrder: true);
    }

    [Fact]
    public async Task An_id_that_its_queue_lost_is_found_by_the_sweep()
    {
        var id = (await Ports.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        (await TakeAsync()).ShouldBeNull();
        (await NewSweeper().RunOnceAsync(default)).Requeued.ShouldBe(0);

        Clock.Advance(Settings.Overdue + TimeSpan.FromSeconds(1));
        (await NewSweeper().RunOnceAsync(default)).Requeued.ShouldBe(1);

        (await TakeAsync())!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task A_sweep_does_not_double_what_still_waits_in_the_queue()
    {
        for (var i = 0; i < 5; i++)
            await AcceptAsync();
        Clock.Advance(Settings.Overdue + TimeSpan.FromSeconds(1));
        await NewSweeper().RunOnceAsync(default);

        var taken = 0;
        while (await TakeAsync() is not null)
            taken++;
        taken.ShouldBe(5);
    }

    [Fact]
    public async Task Old_pictures_go_and_then_old_rows()
    {
        var id = await AcceptAsync();
        await Ports.Blobs.PutAsync(BlobKey.Original(id), new MemoryStream([1]), default);
        var lease = (await TakeAsync())!.Lease;
        await Dispatcher.FinishAsync(lease, SampleJobs.Done(await Dispatcher.PutOutputAsync(lease, new byte[] { 2 }, default)), default);
        var sweeper = NewSweeper();
        (await sweeper.RunOnceAsync(default)).ShouldBe(new Swept(0, 0, 0, 0, 0, 0));

        Clock.Advance(Settings.KeepImages + TimeSpan.FromSeconds(1));
        (await sweeper.RunOnceAsync(default)).Expired.ShouldBe(2);
        (await ExistsAsync(BlobKey.Original(id))).ShouldBeFalse();
        (await ExistsAsync(BlobKey.Output(id, 1))).ShouldBeFalse();
        (await Ports.Jobs.FindAsync(id, default))!.OriginalExpired.ShouldBeTrue();

        Clock.Advance(Settings.KeepJobs);
        (await sweeper.RunOnceAsync(default)).Purged.ShouldBe(1);
        (await Ports.Jobs.FindAsync(id, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Blobs_that_no_job_speaks_of_go_when_they_are_old()
    {
        var orphan = BlobKey.Original(JobId.New(RandomSource.System));
        var id = await AcceptAsync();
        var lease = (await TakeAsync())!.Lease;
        var output = await Dispatcher.PutOutputAsync(lease, new byte[] { 1 }, default);
        var late = await Dispatcher.PutOutputAsync(lease with { FencingToken = 7 }, new byte[] { 2 }, default);
        await Dispatcher.FinishAsync(lease, SampleJobs.Done(output), default);
        foreach (var key in (string[])[orphan, BlobKey.Original(id)])
            await Ports.Blobs.PutAsync(key, new MemoryStream([1]), default);
        var sweeper = NewSweeper();
        (await sweeper.RunOnceAsync(default)).Orphans.ShouldBe(0);

        Clock.Advance(Settings.OrphanAge + TimeSpan.FromMinutes(1));
        (await sweeper.RunOnceAsync(default)).Orphans.ShouldBe(2);

        (await ExistsAsync(orphan)).ShouldBeFalse();
        (await ExistsAsync(late)).ShouldBeFalse();
        (await ExistsAsync(output)).ShouldBeTrue();
        (await ExistsAsync(BlobKey.Original(id))).ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_happens_each_job_ends_once(int seed)
    {
        var model = new DispatcherModel(seed, Clock, Settings, Retries);
        for (var step = 0; step < 400; step++)
        {
            if (await model.StepAsync(Ports, Dispatcher))
                await OpenAgainAsync();
            if (step % CheckEvery == 0)
                await model.CheckAsync(Ports, step);
        }
        await model.DrainAsync(Ports, Dispatcher);
    }

    private async Task OpenAgainAsync()
    {
        await CloseAsync();
        Ports = await OpenAsync(Clock, Retries, RandomSource.Seeded(1));
        Dispatcher = new Dispatcher(Ports.Jobs, Ports.Queue, Ports.Blobs, Settings.Duration);
    }

    private async Task<bool> ExistsAsync(string key)
    {
        await using var blob = await Ports.Blobs.OpenAsync(key, default);
        return blob is not null;
    }

    private Sweeper NewSweeper() => new(Dispatcher, Ports.Jobs, Ports.Blobs, Settings, Clock);

    private async Task<JobId> AcceptAsync(string? key = null) =>
        (await Dispatcher.AcceptAsync([SampleJobs.New(key: key)], default))[0].Job.Id;

    private Task<StartedJob?> TakeAsync(string worker = "w") =>
        Dispatcher.TakeAsync(worker, [Engines.Detect], TimeSpan.Zero, default);
}
