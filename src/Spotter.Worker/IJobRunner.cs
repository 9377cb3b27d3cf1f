using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>What a lane does with jobs.</summary>
public interface IJobRunner
{
    /// <summary>How many of so many waiting jobs of one engine and model are best run at once.</summary>
    int AtOnce(Job job, int waiting);

    /// <summary>Runs jobs of one engine and model; what came of each, in their order. Never throws.</summary>
    IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs);
}

/// <summary>A job with the bytes of its pictures.</summary>
/// <param name="Job">The job.</param>
/// <param name="Pictures">Its pictures, in the order of <see cref="Job.Images"/>.</param>
public sealed record JobInput(Job Job, IReadOnlyList<ReadOnlyMemory<byte>> Pictures);
