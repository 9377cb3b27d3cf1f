using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>The right to run a job and to write its result, until it runs out or a later lease takes its place.</summary>
/// <param name="Job">The job.</param>
/// <param name="Queue">The queue it came from (<see cref="QueueNames"/>).</param>
/// <param name="FencingToken">The fence: the store takes a result only from the latest token.</param>
/// <param name="Attempt">Which attempt this is, from 1.</param>
/// <param name="Worker">Who holds it.</param>
public sealed record Lease(JobId Job, string Queue, int FencingToken, int Attempt, string Worker)
{
    /// <summary>What a store that only delivers ids needs to know the delivery again; null for others.</summary>
    public string? Receipt { get; init; }

    /// <summary>In a heartbeat: how far the job is, 0 to 1; null while its engine does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Progress { get; init; }

    /// <summary>What the end of the attempt is traced with; null for a job that nobody traces.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LeaseTrace? Trace { get; init; }
}

/// <summary>Where an attempt belongs in a trace.</summary>
/// <param name="Parent">The span in which the job was accepted (<see cref="JobSpec.Trace"/>).</param>
/// <param name="Taken">When the lease was given.</param>
public sealed record LeaseTrace(string Parent, DateTimeOffset Taken);

/// <summary>How an attempt ended. There is no fourth way.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Done), "done")]
[JsonDerivedType(typeof(Retry), "retry")]
[JsonDerivedType(typeof(Reject), "reject")]
public abstract record JobOutcome
{
    private JobOutcome()
    {
    }

    /// <summary>It has a result.</summary>
    /// <param name="Result">The result.</param>
    /// <param name="Timings">Where the time went; the store fills in <see cref="JobTimings.QueuedMs"/>.</param>
    /// <param name="Output">Key of the annotated picture, whose bytes are durable already.</param>
    public sealed record Done(RawJson Result, JobTimings Timings, string? Output) : JobOutcome
    {
        /// <summary>Which version of the model ran (<see cref="ModelInfo.Version"/>); null when none did.</summary>
        public string? ModelVersion { get; init; }

        /// <summary>The files that it made besides, whose bytes are durable already. A worker that knows of none doesn't say so.</summary>
        public IReadOnlyList<OutputRef> Outputs { get; init => field = value ?? []; } = [];
    }

    /// <summary>It may succeed another time.</summary>
    /// <param name="Error">What went wrong.</param>
    /// <param name="SpendAttempt">False when neither the job nor the worker is at fault (a drain, an outage).</param>
    public sealed record Retry(JobError Error, bool SpendAttempt) : JobOutcome
    {
        /// <summary>The worker ends with it, or could have: as if it had died, the job runs isolated from then on (<see cref="RetrySchedule.MaxDeaths"/>).</summary>
        public bool TakesWorker { get; init; }
    }

    /// <summary>It never can succeed.</summary>
    /// <param name="Error">Why.</param>
    public sealed record Reject(JobError Error) : JobOutcome;
}
