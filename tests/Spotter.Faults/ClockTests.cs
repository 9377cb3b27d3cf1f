using Spotter.Backends;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;
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
        await using var backend = Backend.Open(new BackendSettings { DataFolder = folder.File("data") }, new RetrySchedule(), RandomSource.Seeded(1), clock);
        var dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, Hold);
        var jobs = Enumerable.Range(0, 20).Select(_ => NewJob()).ToList();
        await dispatcher.AcceptAsync(jobs, default);
        var early = await TakeAsync(dispatcher, "early", 10);

        machine.ShiftWallClock(TimeSpan.FromHours(hours));
        await dispatcher.AcceptAsync([NewJob()], default);
        // Forward, the early leases are over at once; back, they last as long as they were given, and no longer.
        machine.Advance(Hold + TimeSpan.FromSeconds(1));
        var verdict = new Verdict();
        verdict.Expect(await dispatcher.ReapAsync(100, default) == 10, "leases outlived their time");
        foreach (var lease in early)
            verdict.Expect(!await dispatcher.FinishAsync(lease, Done(), default), "a lost lease's result was taken");
        machine.Advance(TimeSpan.FromSeconds(2));
        await dispatcher.SweepAsync(TimeSpan.Zero, 0, 100, default);
        foreach (var lease in await TakeAsync(dispatcher, "late", 21))
            verdict.Expect(await dispatcher.FinishAsync(lease, Done(), default), "a result was not taken");

        var counts = await backend.Jobs.CountAsync(null, default);
        if (counts.Succeeded != 21)
            verdict.Lost.Add($"{21 - counts.Succeeded} of 21 jobs did not end");
        FaultTable.ShouldSurvive(10, hours > 0 ? "the clock jumps an hour forward" : "the clock jumps an hour back", verdict);
    }

    private static async Task<List<Lease>> TakeAsync(Dispatcher dispatcher, string worker, int most)
    {
        var leases = new List<Lease>();
        while (leases.Count < most && await dispatcher.TakeAsync(worker, [QueueNames.Of(Engines.Detect, null)], TimeSpan.Zero, default) is { } started)
            leases.Add(started.Lease);
        return leases;
    }

    private static JobOutcome.Done Done() => new(new VisionResult { Width = 1, Height = 1 }, new JobTimings(), Output: null);

    private static NewJob NewJob()
    {
        var id = JobId.New(RandomSource.System);
        return new NewJob
        {
            Id = id,
            Engine = Engines.Detect,
            Options = new JobOptions(),
            Image = new ImageRef(BlobKey.Original(id), ImageFormat.Png, 1, new string('0', 64)),
        };
    }
}
