using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What happened to a job besides the usual: it was accepted, started, ended.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Attempt">The attempt that ended by it; 0 when none did.</param>
/// <param name="Worker">Who had that attempt.</param>
/// <param name="By">Who did it, when a person or a program outside did.</param>
/// <param name="Error">Why.</param>
public sealed record JobEvent(DateTimeOffset At, JobEventKind Kind, int Attempt, string? Worker, string? By, JobError? Error)
{
    /// <summary>No more events are kept of a job; the oldest go first.</summary>
    public const int Most = 50;
}

/// <summary>The kinds of <see cref="JobEvent"/>.</summary>
[JsonConverter(typeof(LowerCaseEnumConverter<JobEventKind>))]
public enum JobEventKind
{
    /// <summary>An attempt failed, or was given back.</summary>
    Retried,

    /// <summary>The lease was taken from a worker that was gone or silent.</summary>
    Lost,

    /// <summary>It was withdrawn.</summary>
    Cancelled,

    /// <summary>It was dead and put into its queue again.</summary>
    Redriven,
}
