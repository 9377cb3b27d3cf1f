using System.Diagnostics;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Benchmarks.Queues;

/// <summary>Jobs made in this process, without pictures: nobody runs them.</summary>
internal static class WaitingJobs
{
    private const int PerRequest = 500;

    // Requests under way at a time: the next ones are made while one waits for the disk.
    private const int Requests = 8;

    /// <summary>A job for the model; its picture does not exist.</summary>
    public static NewJob New(string model)
    {
        var parameters = RawJson.Of(new VisionParameters(), VisionJson.Default.VisionParameters);
        var input = new InputRef(BlobKey.NewInput(RandomSource.System, TimeProvider.System), "image/jpeg", 480_000, new string('0', 64));
        return new NewJob
        {
            Id = JobId.New(RandomSource.System, TimeProvider.System),
            Spec = new JobSpec { Engine = VisionTasks.Detect, Model = model, Inputs = [input], Parameters = parameters },
        };
    }

    /// <summary>Fills a place with jobs that wait; how many per second were made.</summary>
    public static async Task<double> MakeAsync(QueuePlace place, string model, int count)
    {
        await using var backend = place.Open();
        var begun = Stopwatch.GetTimestamp();
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => Task.Run(async () =>
        {
            int before;
            while ((before = Interlocked.Add(ref left, -PerRequest) + PerRequest) > 0)
            {
                var jobs = Enumerable.Range(0, Math.Min(before, PerRequest)).Select(_ => New(model)).ToList();
                await backend.Jobs.AddAsync(jobs, CancellationToken.None);
            }
        })));
        return count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
