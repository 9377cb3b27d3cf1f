using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The jobs that a fleet's workers take and end, without the workers.</summary>
internal static class FleetJobs
{
    /// <summary>So many jobs come in.</summary>
    public static Task AddAsync(IJobStore jobs, int count) => jobs.AddAsync([.. Enumerable.Range(0, count).Select(_ => SampleJobs.New())], default);

    /// <summary>As many idle workers take a job each.</summary>
    public static async Task<IReadOnlyList<StartedJob>> TakeAsync(IJobStore jobs, WorkerRoster roster, int count)
    {
        var workers = roster.List().Where(w => w.State == WorkerState.Idle).Select(w => w.Id).Take(count).ToList();
        var taken = await jobs.TakeAsync(new TakeRequest(["detect"], [JobPriority.Normal], workers, TimeSpan.FromHours(1)), default);
        taken.Jobs.Count.ShouldBe(count);
        workers.ForEach(w => roster.Took(w));
        return taken.Jobs;
    }

    /// <summary>Their workers hand in a result each.</summary>
    public static async Task EndAsync(IJobStore jobs, WorkerRoster roster, IReadOnlyList<StartedJob> ended)
    {
        foreach (var job in ended)
        {
            (await jobs.FinishAsync(job.Lease, new JobOutcome.Done(SampleJobs.Result(), new JobTimings { InferMs = 500 }, null), default)).ShouldNotBeNull();
            roster.Ended(job.Job.Worker!);
        }
    }
}
