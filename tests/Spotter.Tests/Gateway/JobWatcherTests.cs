using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Gateway;

/// <summary>Under a clock that stands still, so that only a change can wake anybody and not the look from time to time.</summary>
public sealed class JobWatcherTests : IAsyncLifetime
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private Backend backend = null!;
    private readonly CancellationTokenSource end = new();
    private JobService service = null!;
    private JobWatcher watcher = null!;
    private Task following = Task.CompletedTask;

    public Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        service = JobBench.Service(backend, clock);
        watcher = service.Watcher;
        following = service.Changes.RunAsync(_ => { }, end.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await end.CancelAsync();
        await following;
        await service.DisposeAsync();
        end.Dispose();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task Everybody_who_waits_is_woken_however_the_changes_fall()
    {
        var added = await backend.Jobs.AddAsync([.. Enumerable.Range(0, 60).Select(_ => SampleJobs.New())], default);
        var waiting = added
            .SelectMany(a => Enumerable.Range(0, 3).Select(_ => Task.Run(() => watcher.WaitAsync(a.Job.Id, Longest, default))))
            .ToList();

        async Task WorkAsync()
        {
            while (await service.TakeAsync("w", [VisionTasks.Detect], TimeSpan.Zero, default) is { } started)
                await service.FinishAsync(started.Lease, SampleJobs.Done(), default);
        }
        await Task.WhenAll(WorkAsync(), WorkAsync(), WorkAsync());

        foreach (var row in await Task.WhenAll(waiting).WaitAsync(GatewayBench.Safety))
            row!.State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task One_who_leaves_takes_nobody_else_along()
    {
        var job = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        using var leaves = new CancellationTokenSource();
        var stays = watcher.WaitAsync(job, Longest, default);
        var goes = watcher.WaitAsync(job, Longest, leaves.Token);
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(goes);

        await backend.Jobs.CancelAsync(job, null, default);

        (await stays.WaitAsync(GatewayBench.Safety))!.State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public async Task Watching_begins_and_ends_on_many_threads_without_losing_a_change()
    {
        var job = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
            {
                using var watch = watcher.Begin(job);
                watch.NextAsync().IsCompleted.ShouldBeFalse();
            }
        })));

        using var last = watcher.Begin(job);
        var changed = last.NextAsync();
        await backend.Jobs.CancelAsync(job, null, default);
        await changed.WaitAsync(GatewayBench.Safety);
    }

    [Fact]
    public async Task The_wait_ends_when_its_time_is_over_with_the_row_as_it_stands()
    {
        var job = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        var waiting = watcher.WaitAsync(job, TimeSpan.FromSeconds(5), default);
        while (!waiting.IsCompleted)
        {
            await Task.WhenAny(clock.WaitForTimersAsync(), waiting);
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        (await waiting)!.State.ShouldBe(JobState.Queued);
    }

    [Fact]
    public async Task Nobody_waits_for_a_job_that_is_not_there() =>
        (await watcher.WaitAsync(JobId.New(RandomSource.System, TimeProvider.System), Longest, default).WaitAsync(GatewayBench.Safety)).ShouldBeNull();
}
