using System.Security.Cryptography;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What a lane does with jobs.</summary>
public interface IJobRunner
{
    /// <summary>How long a job may take, and how its inputs are wanted.</summary>
    EngineLimits LimitsOf(Job job);

    /// <summary>How many of so many waiting jobs of one engine and model are best run at once.</summary>
    int AtOnce(Job job, int waiting);

    /// <summary>Most jobs that are run at once.</summary>
    int MostAtOnce => 1;

    /// <summary>For how long the thread that calls this has been decoding a picture, for other threads to ask; always zero for what decodes none.</summary>
    Func<TimeSpan> DecodingOfThisThread() => static () => TimeSpan.Zero;

    /// <summary>Waits until there is memory for jobs beside those that run; dispose of it when they have run.</summary>
    /// <param name="jobs">The jobs, which are to be run at once.</param>
    /// <param name="cancel">They are not wanted any more; there is no room for them then, and they need none.</param>
    IDisposable? Enter(IReadOnlyList<JobInput> jobs, CancellationToken cancel) => null;

    /// <summary>Runs jobs of one engine and model; what came of each, in their order. Never throws.</summary>
    IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs);
}

/// <summary>A job with its inputs.</summary>
/// <param name="Job">The job.</param>
/// <param name="Inputs">Its inputs, in the order of <see cref="JobSpec.Inputs"/>.</param>
/// <param name="Progress">Told how far it is.</param>
/// <param name="Cancel">Its result is wanted no more.</param>
public sealed record JobInput(Job Job, IReadOnlyList<EngineInput> Inputs, IProgress<double> Progress, CancellationToken Cancel)
{
    /// <summary>Where the files go that it makes.</summary>
    public OutputFiles Outputs { get; init; } = OutputFiles.None;

    /// <summary>Refuses inputs that are not the bytes that were sent.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BlobCorrupt"/>.</exception>
    public void Verify()
    {
        foreach (var (sent, fetched) in Job.Spec.Inputs.Zip(Inputs))
        {
            if ((fetched.Sha256 ?? Convert.ToHexStringLower(SHA256.HashData(fetched.Bytes.Span))) != sent.Sha256)
                throw new SpotterException(ErrorCodes.BlobCorrupt, "The stored picture is not the one that was sent; send it again.");
        }
    }
}

/// <summary>What came of running a job. Dispose of it when the output has been handed in.</summary>
/// <param name="Outcome">How the attempt ended.</param>
/// <param name="Output">What was made; null for nothing.</param>
public sealed record JobRun(JobOutcome Outcome, EngineOutput? Output = null) : IDisposable
{
    /// <summary>The files that were made besides, which lie in the folder of the job.</summary>
    public IReadOnlyList<OutputFile> Files { get; init; } = [];

    /// <inheritdoc/>
    public void Dispose() => Output?.Dispose();
}
