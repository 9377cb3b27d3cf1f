using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Worker;

/// <summary>How a work loop hands in and takes several at once, and how many jobs it takes ahead.</summary>
public sealed class HandInTests : IAsyncLifetime
{
    private readonly WorkBench bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task What_ends_while_a_call_is_under_way_goes_with_the_next_which_brings_as_many()
    {
        var jobs = new List<JobId>();
        for (var i = 0; i < 9; i++)
            jobs.Add(await bench.AddAsync());
        var held = new TaskCompletionSource();
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (bench.Source.TakesSeveral, bench.Source.Held, bench.Source.Took) = (true, held.Task, () => called.TrySetResult());
        bench.Start(lanes: 3);
        JobId[] running = [await bench.StartedAsync(), await bench.StartedAsync(), await bench.StartedAsync()];

        bench.End(running[0]);
        await called.Task.WaitAsync(WorkBench.Safety);
        // Its lane goes on with one that was taken ahead.
        await bench.StartedAsync();
        bench.End(running[1]);
        await bench.StartedAsync();
        bench.End(running[2]);
        await bench.StartedAsync();
        bench.Source.Exchanges.ShouldBe([(1, 1)]);
        foreach (var job in jobs)
            bench.End(job);
        held.SetResult();
        foreach (var job in jobs)
            await bench.UntilAsync(job, JobState.Succeeded);

        bench.Source.Exchanges.Sum(e => e.Finished).ShouldBe(9);
        bench.Source.Exchanges.Count.ShouldBeLessThan(9);
        var next = bench.Source.Exchanges.ElementAt(1);
        next.Most.ShouldBe(next.Finished, "as many as leave");
        bench.Source.Exchanges.Skip(1).Max(e => e.Most).ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task What_a_call_could_not_hand_in_is_handed_in_by_itself_or_dropped()
    {
        for (var i = 0; i < 3; i++)
            await bench.AddAsync();
        bench.Source.TakesSeveral = true;
        bench.Source.Refusals.Enqueue(new JobError(ErrorCodes.StoreUnavailable, "The store is away."));
        bench.Source.Refusals.Enqueue(new JobError(ErrorCodes.InvalidRequest, "The worker names a result that can't be."));
        bench.Source.Refusals.Enqueue(new JobError(ErrorCodes.LeaseLost, "Somebody else's."));
        bench.Start();

        JobId first = await bench.StartedAsync(), second, third;
        bench.End(first);
        await bench.UntilAsync(first, JobState.Succeeded);
        bench.End(second = await bench.StartedAsync());
        (await bench.UntilAsync(second, JobState.Failed)).Error!.Detail.ShouldContain("a result that can't be");
        bench.End(third = await bench.StartedAsync());
        bench.Drain();
        (await bench.Ended).ShouldBe(WorkerEnd.Drained);

        (await bench.RowAsync(third)).State.ShouldBe(JobState.Running);
    }

    [Fact]
    public async Task When_a_call_fails_each_of_its_outcomes_is_handed_in_by_itself_and_the_next_call_goes_on()
    {
        var held = new TaskCompletionSource();
        (bench.Source.TakesSeveral, bench.Source.Held) = (true, held.Task);
        var jobs = new List<JobId>();
        for (var i = 0; i < 4; i++)
            jobs.Add(await bench.AddAsync());
        bench.Start(lanes: 2);
        jobs.ForEach(job => bench.End(job));
        // The gateway can't read what one of them is, and so none of the call.
        bench.Source.FinishFaults.Enqueue(new SpotterException(ErrorCodes.InvalidRequest, "What was sent can't be read."));

        held.SetException(new SpotterException(ErrorCodes.InvalidRequest, "What was sent can't be read."));
        var ended = new List<JobState>();
        foreach (var job in jobs)
            ended.Add((await bench.UntilAsync(job, row => row.State.IsTerminal())).State);

        ended.Count(state => state == JobState.Failed).ShouldBe(1);
        ended.Count(state => state == JobState.Succeeded).ShouldBe(3);
    }

    [Fact]
    public async Task A_job_that_has_to_run_alone_ends_a_call_that_waits_and_another_such_job_goes_back()
    {
        JobId[] solos = [await bench.AddAsync(), await bench.AddAsync()];
        foreach (var _ in solos)
            (await bench.Service.TakeAsync("dies", [VisionTasks.Detect], TimeSpan.Zero, default)).ShouldNotBeNull();
        await bench.Service.ReleaseAsync("dies", SampleJobs.Fault, spendAttempt: true, default);
        bench.Source.TakesSeveral = true;

        bench.Start(lanes: 2);
        var first = await bench.StartedLaterAsync();
        await bench.UntilAsync(solos.Single(s => s != first), row => row.State == JobState.Queued);
        bench.HasStarted.ShouldBeFalse();
        bench.End(first);
        await bench.UntilAsync(first, JobState.Succeeded);

        var second = await bench.StartedLaterAsync();
        second.ShouldBe(solos.Single(s => s != first));
        bench.End(second);
        (await bench.UntilAsync(second, JobState.Succeeded)).Attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData(1, 1000, 4, 17)]
    [InlineData(1000, 1000, 0, 2)]
    // Of pictures that take much memory fewer wait there.
    [InlineData(1, 12 << 20, 0, 3)]
    public async Task The_shorter_and_smaller_jobs_are_the_more_are_taken_ahead(int runMs, int bytes, int least, int most)
    {
        var jobs = await bench.AddSharingAsync(60, bytes);
        (bench.Source.TakesSeveral, bench.Source.Took) = (true, () => bench.Clock.Advance(TimeSpan.FromMilliseconds(100)));
        bench.Start(runner: new OneByOne(_ =>
        {
            bench.Clock.Advance(TimeSpan.FromMilliseconds(runMs));
            return new JobRun(SampleJobs.Done());
        }));

        foreach (var job in jobs)
            await bench.UntilAsync(job, JobState.Succeeded);

        bench.Source.Exchanges.Max(e => e.Most).ShouldBeInRange(least, most);
    }
}
