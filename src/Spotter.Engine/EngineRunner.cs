using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Engine;

/// <summary>Runs jobs on engines of yours, and turns whatever happens into one of the three outcomes.</summary>
internal sealed partial class EngineRunner(IReadOnlyList<IJobEngine> engines, ILogger<EngineRunner> log) : IJobRunner
{
    /// <summary>Inputs above this are read from files.</summary>
    private const long LargeInput = 64L << 20;

    public EngineLimits LimitsOf(Job job) => Find(job)?.Declaration is { } declared
        ? new EngineLimits
        {
            RunTime = declared.RunSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            InputsAsFiles = job.Spec.Inputs.Sum(i => i.Bytes) > LargeInput,
            OutputBytes = declared.MaxOutputBytes ?? new EngineLimits().OutputBytes,
        }
        : new EngineLimits();

    public int AtOnce(Job job, int waiting) => 1;

    public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs) => [.. jobs.Select(Run)];

    private JobRun Run(JobInput input)
    {
        try
        {
            input.Verify();
            var engine = Find(input.Job) ?? throw new SpotterException(ErrorCodes.UnknownEngine, $"The worker that took the job has no engine '{input.Job.Engine}'.");
            byte[]? picture = null;
            var start = Stopwatch.GetTimestamp();
            // A lane is a thread that does nothing else.
            var result = engine.RunAsync(new EngineWork(input, made => picture = made), input.Cancel).GetAwaiter().GetResult();
            var timings = new JobTimings { InferMs = Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 2) };
            return new JobRun(
                new JobOutcome.Done(Write(result), timings, Output: null) { ModelVersion = engine.Declaration.Version },
                picture is null ? null : new EngineOutput(new Whole(picture)))
            { Files = input.Outputs.Made };
        }
        catch (JobRefusedException refused)
        {
            return new JobRun(refused.Again
                ? new JobOutcome.Retry(new JobError(refused.Code, refused.Message), SpendAttempt: true)
                : new JobOutcome.Reject(new JobError(refused.Code, refused.Message)));
        }
        catch (SpotterException refusal)
        {
            var error = new JobError(refusal.Code, refusal.Message);
            return new JobRun(refusal.Code is ErrorCodes.UnknownEngine or ErrorCodes.DiskFull or ErrorCodes.StoreUnavailable or ErrorCodes.Busy
                ? new JobOutcome.Retry(error, SpendAttempt: false)
                : new JobOutcome.Reject(error));
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
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.Internal, "Something went wrong inside the engine; its log says what."), SpendAttempt: true));
        }
    }

    private IJobEngine? Find(Job job) => engines.FirstOrDefault(e => e.Declaration.Name == job.Engine);

    private static RawJson Write(JsonObject result)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
            result.WriteTo(writer);
        return new RawJson(json.ToArray());
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed inside the engine")]
    private partial void LogFault(Exception exception, string job);

    /// <summary>Bytes that nobody has to give back.</summary>
    private sealed class Whole(byte[] bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory => bytes;

        public void Dispose()
        {
        }
    }
}
