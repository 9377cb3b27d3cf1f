using System.Diagnostics;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Benchmarks.Queues;

/// <summary>What the queue alone can do: jobs taken and finished in this process, with nothing done in between.</summary>
internal static class QueueThroughput
{
    private const int JobsPerRequest = 500;
    private const string Model = "yolox_nano";

    /// <summary>Figures of one run.</summary>
    /// <param name="Loops">Loops that took and finished at the same time.</param>
    /// <param name="Jobs">Jobs finished.</param>
    /// <param name="JobsPerSecond">Their rate.</param>
    /// <param name="AcceptedPerSecond">The rate at which their rows were made beforehand, in requests of 500.</param>
    /// <param name="ProcessorMicroseconds">Processor time per job: what is left to compare on a machine that does other things too.</param>
    public sealed record Figures(int Loops, int Jobs, double JobsPerSecond, double AcceptedPerSecond, double ProcessorMicroseconds);

    /// <summary>Accepts jobs one by one for <paramref name="duration"/>; each call returns when its job is durable. Jobs per second.</summary>
    /// <param name="place">A place for jobs.</param>
    /// <param name="duration">How long.</param>
    /// <param name="callers">Calls at a time.</param>
    public static async Task<double> EnqueueAsync(QueuePlace place, TimeSpan duration, int callers)
    {
        await using var backend = place.Open();
        var begun = Stopwatch.GetTimestamp();
        var accepted = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var count = 0;
            for (; Stopwatch.GetElapsedTime(begun) < duration; count++)
                await backend.Jobs.AddAsync([WaitingJobs.New(Model)], CancellationToken.None);
            return count;
        })));
        var rate = accepted.Sum() / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var counts = await backend.Jobs.CountAsync(CancellationToken.None);
        return counts.Jobs.Queued == accepted.Sum() ? rate : throw new BenchmarkFailedException($"{accepted.Sum()} jobs were accepted, but {counts.Jobs.Queued} wait.");
    }

    /// <summary>Takes and finishes jobs for <paramref name="duration"/>, from a queue filled beforehand on a real disk.</summary>
    /// <param name="place">A place for jobs.</param>
    /// <param name="duration">How long.</param>
    /// <param name="loops">Loops that take and finish at the same time.</param>
    /// <param name="jobsPerSecondAtMost">So many jobs per second of the duration are there to be taken.</param>
    public static async Task<Figures> RunAsync(QueuePlace place, TimeSpan duration, int loops = 512, int jobsPerSecondAtMost = 70_000)
    {
        await using var backend = place.Open();
        await using var service = Serve(backend);
        var wanted = (int)(duration.TotalSeconds * jobsPerSecondAtMost);
        var begun = Stopwatch.GetTimestamp();
        await FillAsync(backend, wanted);
        var acceptedPerSecond = wanted / Stopwatch.GetElapsedTime(begun).TotalSeconds;

        var processor = Environment.CpuUsage.TotalTime;
        begun = Stopwatch.GetTimestamp();
        var done = await Task.WhenAll(Enumerable.Range(0, loops).Select(i => Task.Run(() => LoopAsync(service, $"w{i}", begun, duration))));
        var jobs = done.Sum();
        var rate = jobs / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var spent = Environment.CpuUsage.TotalTime - processor;
        var counts = await backend.Jobs.CountAsync(CancellationToken.None);
        if (counts.Jobs.Succeeded != jobs)
            throw new BenchmarkFailedException($"{jobs} jobs were finished, but {counts.Jobs.Succeeded} have a result.");
        if (counts.Jobs.Queued == 0)
            throw new BenchmarkFailedException("There were too few jobs to take.");
        return new Figures(loops, jobs, rate, acceptedPerSecond, spent.TotalMicroseconds / jobs);
    }

    /// <summary>
    /// Fills the queue with some jobs and has them taken and finished, again and again until that has taken
    /// <paramref name="duration"/>. The filling does not count, nor does the first time, when code is still being compiled. Jobs
    /// per second.
    /// </summary>
    /// <param name="place">A place for jobs.</param>
    /// <param name="duration">How long.</param>
    /// <param name="loops">Loops that take and finish at the same time.</param>
    /// <param name="round">Jobs at a time.</param>
    public static async Task<double> RoundsAsync(QueuePlace place, TimeSpan duration, int loops, int round)
    {
        await using var backend = place.Open();
        await using var service = Serve(backend);
        var (jobs, rounds, took) = (0, 0, TimeSpan.Zero);
        for (; took < duration; rounds++)
        {
            await FillAsync(backend, round);
            var begun = Stopwatch.GetTimestamp();
            var done = await Task.WhenAll(Enumerable.Range(0, loops).Select(i => Task.Run(() => LoopAsync(service, $"w{i}", begun, Timeout.InfiniteTimeSpan))));
            if (rounds > 0)
                took += Stopwatch.GetElapsedTime(begun);
            jobs += done.Sum();
        }
        var counts = await backend.Jobs.CountAsync(CancellationToken.None);
        return counts.Jobs.Succeeded == jobs && counts.Jobs.Queued == 0
            ? (rounds - 1) * round / took.TotalSeconds
            : throw new BenchmarkFailedException($"{jobs} jobs were finished, but {counts.Jobs.Succeeded} have a result and {counts.Jobs.Queued} wait.");
    }

    private static JobService Serve(Backend backend) => new(
        backend.Jobs, backend.Blobs, new WorkerRoster(TimeProvider.System), new ModelCatalogue((IReadOnlyList<CatalogueModel>)[]),
        new JobSettings { Leases = new LeaseSettings { Duration = TimeSpan.FromMinutes(5) } }, TimeProvider.System, RandomSource.System);

    private static async Task FillAsync(Backend backend, int jobs)
    {
        for (var accepted = 0; accepted < jobs; accepted += JobsPerRequest)
            await backend.Jobs.AddAsync([.. Enumerable.Range(0, JobsPerRequest).Select(_ => WaitingJobs.New(Model))], CancellationToken.None);
    }

    /// <summary>Takes and finishes until the time is over (an infinite one never is), or no job is left.</summary>
    private static async Task<int> LoopAsync(JobService service, string worker, long begun, TimeSpan duration)
    {
        var outcome = new JobOutcome.Done(
            RawJson.Of(
                new VisionResult
                {
                    Width = 810,
                    Height = 1080,
                    Detections = [new Detection("bus", 5, 0.87, new Box(22.3, 231.4, 805.0, 756.8))],
                },
                VisionJson.Default.VisionResult),
            new JobTimings { DecodeMs = 5, InferMs = 15 },
            Output: null);
        var done = 0;
        while (duration == Timeout.InfiniteTimeSpan || Stopwatch.GetElapsedTime(begun) < duration)
        {
            var job = await service.TakeAsync(worker, [QueueNames.Of(VisionTasks.Detect, Model)], TimeSpan.Zero, CancellationToken.None);
            if (job is null)
                break;
            if (await service.FinishAsync(job.Lease, outcome, CancellationToken.None))
                done++;
        }
        return done;
    }
}
