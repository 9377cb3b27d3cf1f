using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Engines.Running;

/// <summary>
/// Runs jobs on their engines, and turns whatever happens into one of the three outcomes. Synchronous: a lane
/// gives it a core. Safe to call from many lanes.
/// </summary>
/// <param name="host">What engines work with. It belongs to the caller.</param>
/// <param name="memory">What jobs may take while they run.</param>
/// <param name="log">Told of failures that are our fault.</param>
/// <param name="engines">Finds engines by name; null for those that come with Spotter.</param>
public sealed partial class JobRunner(EngineHost host, MemoryBudget memory, ILogger<JobRunner> log, Func<string, IEngine?>? engines = null) : IJobRunner
{
    private readonly Func<string, IEngine?> find = engines ?? EngineCatalogue.BuiltIn.Find;

    /// <inheritdoc/>
    public int MostAtOnce => VisionModel.MostAtOnce;

    /// <inheritdoc/>
    public Func<TimeSpan> DecodingOfThisThread()
    {
        var stage = RunStage.OfThisThread;
        return () => stage.DecodingFor;
    }

    /// <inheritdoc/>
    public EngineLimits LimitsOf(Job job) => find(job.Engine)?.Limits ?? new EngineLimits();

    /// <inheritdoc/>
    public int AtOnce(Job job, int waiting) => find(job.Engine) is IBatchEngine engine ? engine.AtOnce(job.Spec, waiting, host) : 1;

    /// <inheritdoc/>
    public IDisposable? Enter(IReadOnlyList<JobInput> jobs, CancellationToken cancel)
    {
        try
        {
            // What can never fit is refused when it runs, and takes nothing.
            return memory.Take(jobs.Select(MemoryOf).Where(bytes => bytes <= memory.Bytes).Sum(), cancel);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs)
    {
        if (jobs.Count == 1 || find(jobs[0].Job.Engine) is not IBatchEngine engine)
        {
            return [.. jobs.Select(input => Guard(input, () =>
            {
                Verify(input);
                CheckMemory(input);
                return RunAlone(input);
            })!)];
        }
        // What is not what was sent is answered already, and what goes with no other; the rest run together.
        var runs = jobs.Select(input => Guard(input, () =>
        {
            Verify(input);
            CheckMemory(input);
            return engine.RunsAlone(input.Job.Spec) ? RunAlone(input) : null;
        })).ToArray();
        var sound = Enumerable.Range(0, runs.Length).Where(i => runs[i] is null).ToList();
        if (sound.Count > 0)
        {
            var together = RunTogether(engine, sound.ConvertAll(i => jobs[i]));
            for (var i = 0; i < sound.Count; i++)
                runs[sound[i]] = together[i];
        }
        return runs!;
    }

    private JobRun RunAlone(JobInput input)
    {
        Failpoint.Subject = input.Job.Name;
        var engine = find(input.Job.Engine)
            ?? throw new SpotterException(ErrorCodes.UnknownEngine, $"The worker that took the job has no engine '{input.Job.Engine}'.");
        return DoneBy(engine.Run(JobOf(input), input.Progress, input.Cancel), input);
    }

    private List<JobRun> RunTogether(IBatchEngine engine, List<JobInput> jobs)
    {
        try
        {
            var answers = engine.Run(jobs.ConvertAll(JobOf));
            return [.. answers.Zip(jobs, (answer, input) => answer.Result is { } result ? DoneBy(result, input) : new JobRun(OutcomeOf(input.Job, answer.Refusal!)))];
        }
#pragma warning disable CA1031 // Each of them may still be run alone, where it is told who is at fault.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogFault(fault, jobs[0].Job.Id.Value);
            return jobs.ConvertAll(input => Guard(input, () => RunAlone(input))!);
        }
    }

    /// <summary>Turns whatever is thrown into an outcome; else what was returned.</summary>
    private JobRun? Guard(JobInput input, Func<JobRun?> run)
    {
        try
        {
            return run();
        }
        catch (SpotterException refusal)
        {
            return new JobRun(OutcomeOf(input.Job, refusal));
        }
        catch (OutOfMemoryException)
        {
            return new JobRun(OutOfMemory(input.Job));
        }
        catch (OperationCanceledException) when (input.Cancel.IsCancellationRequested)
        {
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.LeaseLost, "The job was taken away from the worker."), SpendAttempt: false));
        }
#pragma warning disable CA1031 // Whatever it is, the lane goes on, and the job's attempts are bounded.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogFault(fault, input.Job.Id.Value);
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.Internal, "Something went wrong inside the worker; its log says what."), SpendAttempt: true));
        }
    }

    /// <summary>What a job says that it takes; nothing for one that can't be asked, and fails for that when it runs.</summary>
    private long MemoryOf(JobInput input)
    {
        try
        {
            return find(input.Job.Engine)?.MemoryOf(JobOf(input)) ?? 0;
        }
#pragma warning disable CA1031 // Whatever it is, it is met again where it becomes an outcome.
        catch (Exception)
#pragma warning restore CA1031
        {
            return 0;
        }
    }

    private void CheckMemory(JobInput input)
    {
        if (MemoryOf(input) is var needed && needed > memory.Bytes)
        {
            throw new SpotterException(ErrorCodes.ImageTooComplex,
                $"The job would take {needed >> 20} MiB of memory, but a worker here has {memory.Bytes >> 20} MiB for pictures; send a smaller picture, or save it anew as a JPEG that is not progressive.");
        }
    }

    private EngineJob JobOf(JobInput input) => new(input.Job.Spec, input.Inputs, host) { Outputs = input.Outputs };

    private static JobRun DoneBy(EngineResult result, JobInput input) =>
        new(new JobOutcome.Done(result.Result, result.Timings, Output: null) { ModelVersion = result.ModelVersion }, result.Output) { Files = input.Outputs.Made };

    private static void Verify(JobInput input)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("hash-unchecked"))
            return;
#endif
        input.Verify();
    }

    private static JobOutcome OutcomeOf(Job job, SpotterException refusal)
    {
        if (refusal.InnerException is OutOfMemoryException)
            return OutOfMemory(job);
        var error = new JobError(refusal.Code, refusal.Message);
        return refusal.Code switch
        {
            // Another worker may have what this one lacks.
            ErrorCodes.UnknownModel or ErrorCodes.UnknownEngine => new JobOutcome.Retry(error, SpendAttempt: false),
            ErrorCodes.DiskFull or ErrorCodes.StoreUnavailable or ErrorCodes.Busy => new JobOutcome.Retry(error, SpendAttempt: false),
            ErrorCodes.Internal => new JobOutcome.Retry(error, SpendAttempt: true),
            _ => new JobOutcome.Reject(error),
        };
    }

    /// <summary>A neighbour may have taken the memory, so only a job that ran alone is itself at fault.</summary>
    private static JobOutcome OutOfMemory(Job job) => job.Isolated
        ? new JobOutcome.Reject(new JobError(ErrorCodes.ImageTooComplex, "Decoding the picture takes more memory than there is."))
        : new JobOutcome.Retry(new JobError(ErrorCodes.ImageTooComplex, "There was not enough memory beside the worker's other jobs; it is tried again alone."), SpendAttempt: true) { TakesWorker = true };

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed inside the worker")]
    private partial void LogFault(Exception exception, string job);
}
