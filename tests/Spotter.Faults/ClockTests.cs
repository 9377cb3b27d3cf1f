using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Faults;

/// <summary>Row 10: the machine's clock is set, forward and back, under jobs that wait and run.</summary>
public sealed class ClockTests
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_jumps_makes_no_second_answer_and_holds_nothing_up(int hours)
    {
        using var folder = new TemporaryFolder();
        var machine = new ManualClock();
        var clock = new SteadyClock(machine);
        await using var backend = BackendFactory.Open(GivenSettings.Reader(), folder.File("data"), new RetrySchedule(), RandomSource.Seeded(1), clock);
        var store = backend.Jobs;
        var jobs = Enumerable.Range(0, 20).Select(_ => NewJob()).ToList();
        await store.AddAsync(jobs, default);
        var early = await TakeAsync(store, "early", 10);

        machine.ShiftWallClock(TimeSpan.FromHours(hours));
        await store.AddAsync([NewJob()], default);
        // Forward, the early leases are over at once; back, they last a quarter longer than they were given at most.
        machine.Advance(hours > 0 ? Hold + TimeSpan.FromSeconds(1) : SteadyClock.Longest(Hold));
        var verdict = new Verdict();
        verdict.Expect(await store.ReapAsync(100, default) == 10, "leases outlived their time");
        foreach (var lease in early)
            verdict.Expect(await store.FinishAsync(lease, Done(), default) is null, "a lost lease's result was taken");
        machine.Advance(TimeSpan.FromSeconds(2));
        foreach (var lease in await TakeAsync(store, "late", 21))
            verdict.Expect(await store.FinishAsync(lease, Done(), default) is not null, "a result was not taken");

        var counts = await backend.Jobs.CountAsync(default);
        if (counts.Jobs.Succeeded != 21)
            verdict.Lost.Add($"{21 - counts.Jobs.Succeeded} of 21 jobs did not end");
        FaultTable.ShouldSurvive(10, hours > 0 ? "the clock jumps an hour forward" : "the clock jumps an hour back", verdict);
    }

    private static async Task<List<Lease>> TakeAsync(IJobStore store, string worker, int most)
    {
        var request = new TakeRequest(["detect"], [JobPriority.Normal], [.. Enumerable.Repeat(worker, most)], Hold);
        return [.. (await store.TakeAsync(request, default)).Jobs.Select(j => j.Lease)];
    }

    private static JobOutcome.Done Done() => new(RawJson.EmptyObject, new JobTimings(), Output: null);

    private static NewJob NewJob() => new()
    {
        Id = JobId.New(RandomSource.System, TimeProvider.System),
        Spec = new JobSpec
        {
            Engine = "detect",
            Inputs = [new InputRef(BlobKey.NewInput(RandomSource.System, TimeProvider.System), "image/png", 1, new string('0', 64))],
        },
    };
}
