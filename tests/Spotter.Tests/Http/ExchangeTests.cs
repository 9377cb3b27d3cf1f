using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Gateway;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Http;

/// <summary>The call that hands in several results and takes the next jobs, against a gateway that really listens.</summary>
public sealed class ExchangeTests : IAsyncLifetime
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    private static readonly string Queue = QueueNames.Of(VisionTasks.Detect, GatewayBench.Model.Id);

    private GatewayBench bench = null!;
    private HttpJobSource source = null!;

    public async Task InitializeAsync()
    {
        bench = await GatewayBench.StartAsync();
        source = Source();
    }

    public async Task DisposeAsync()
    {
        source.Dispose();
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task One_call_hands_in_several_and_takes_the_next()
    {
        var first = await TakenAsync(submitted: 5, most: 2);
        first.Count.ShouldBe(2);

        var (refused, second) = await source.ExchangeAsync("w", [.. first.Select(s => new WorkerFinish(s.Lease, SampleJobs.Done()))], new WantedJobs([Queue], 10, Wait), default);

        refused.ShouldBe([null, null]);
        second.Count.ShouldBe(3);
        foreach (var started in first)
            (await bench.Jobs.FindAsync(started.Job.Id, default))!.State.ShouldBe(JobState.Succeeded);
        bench.Roster.List()[0].State.ShouldBe(WorkerState.Busy);
        // Nothing is left, and nobody waits for what would be taken.
        (await source.ExchangeAsync("w", [new WorkerFinish(second[0].Lease, SampleJobs.Done())], new WantedJobs([Queue], 1, Wait), default)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_several_each_is_refused_alone_and_may_be_sent_again()
    {
        var taken = await TakenAsync(submitted: 3, most: 3);
        await bench.Jobs.CancelAsync(taken[1].Job.Id, null, default);
        var impossible = SampleJobs.Done() with { Timings = new() { InferMs = -1 } };
        WorkerFinish[] all = [new(taken[0].Lease, SampleJobs.Done()), new(taken[1].Lease, SampleJobs.Done()), new(taken[2].Lease, impossible), new(taken[2].Lease with { Worker = "other" }, SampleJobs.Done())];

        foreach (var first in (string?[])[null, ErrorCodes.LeaseLost])
        {
            var refused = (await source.ExchangeAsync("w", all, wanted: null, default)).Refused;
            refused.Select(r => r?.Code).ShouldBe([first, ErrorCodes.LeaseLost, ErrorCodes.InvalidRequest, ErrorCodes.LeaseLost]);
        }

        (await bench.Jobs.FindAsync(taken[0].Job.Id, default))!.State.ShouldBe(JobState.Succeeded);
        (await bench.Jobs.FindAsync(taken[2].Job.Id, default))!.State.ShouldBe(JobState.Running);
    }

    [Fact]
    public async Task A_gateway_of_an_earlier_version_is_asked_for_one_after_the_other()
    {
        // A source that has not joined knows of none that can do more.
        using var joined = Source();
        await joined.JoinAsync(default);
        for (var i = 0; i < 3; i++)
            await bench.SubmitAsync();
        var started = (await source.ExchangeAsync("w", [], new WantedJobs([Queue], 3, Wait), default)).Jobs.ShouldHaveSingleItem();
        var lost = started.Lease with { FencingToken = started.Lease.FencingToken + 1 };

        var (refused, jobs) = await source.ExchangeAsync("w", [new(started.Lease, SampleJobs.Done()), new(lost, SampleJobs.Done())], new WantedJobs([Queue], 3, Wait), default);

        refused.Select(r => r?.Code).ShouldBe([null, ErrorCodes.LeaseLost]);
        jobs.ShouldBeEmpty("what ended is handed in without waiting for more");
    }

    [Fact]
    public async Task A_gateway_that_has_forgotten_the_worker_gets_what_it_made_all_the_same()
    {
        var started = (await TakenAsync(submitted: 2, most: 1)).ShouldHaveSingleItem();
        bench.Roster.Leave("w").ShouldBeTrue();

        var (refused, jobs) = await source.ExchangeAsync("w", [new WorkerFinish(started.Lease, SampleJobs.Done())], new WantedJobs([Queue], 1, Wait), default);

        refused.ShouldBe([null]);
        jobs.ShouldBeEmpty("it has to join for that");
        (await bench.Jobs.FindAsync(started.Job.Id, default))!.State.ShouldBe(JobState.Succeeded);
        (await source.ExchangeAsync("w", [], new WantedJobs([Queue], 1, Wait), default)).Jobs.Count.ShouldBe(1);
        bench.Roster.Has("w").ShouldBeTrue();
    }

    [Fact]
    public async Task A_job_that_runs_alone_comes_alone()
    {
        await bench.SubmitAsync();
        (await bench.Jobs.TakeAsync(new TakeRequest([Queue], [JobPriority.Normal], ["dies"], TimeSpan.FromMinutes(1)), default)).Jobs.Count.ShouldBe(1);
        await bench.Jobs.ReleaseAsync("dies", SampleJobs.Fault, spendAttempt: true, default);
        await source.JoinAsync(default);

        // Whichever of them is due first.
        var seen = new List<bool>();
        for (var calls = 0; !seen.Contains(true) && calls < 20; calls++)
        {
            await bench.SubmitAsync();
            await bench.SubmitAsync();
            var jobs = (await source.ExchangeAsync("w", [], new WantedJobs([Queue], 10, Wait), default)).Jobs;
            if (jobs.Any(started => started.Job.Isolated))
                jobs.Count.ShouldBe(1);
            seen.AddRange(jobs.Select(started => started.Job.Isolated));
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        seen.ShouldContain(true);
    }

    private async Task<IReadOnlyList<StartedJob>> TakenAsync(int submitted, int most)
    {
        await source.JoinAsync(default);
        for (var i = 0; i < submitted; i++)
            await bench.SubmitAsync();
        return (await source.ExchangeAsync("w", [], new WantedJobs([Queue], most, Wait), default)).Jobs;
    }

    private HttpJobSource Source() =>
        new(bench.Address, GatewayBench.Token, "w", () => new WorkerJoin(2, [new(GatewayBench.Model.Id, "1")]), TimeProvider.System, NullLogger<HttpJobSource>.Instance);
}
