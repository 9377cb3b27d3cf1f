using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;

namespace Spotter.Jobs;

/// <summary>Where a job stands. The last four are terminal: a row in one of them never changes again.</summary>
public enum JobState
{
    /// <summary>Accepted and waiting, perhaps for its next attempt.</summary>
    Queued,

    /// <summary>A worker holds its lease.</summary>
    Running,

    /// <summary>Has a result.</summary>
    Succeeded,

    /// <summary>Can't succeed: the picture or the request is at fault.</summary>
    Failed,

    /// <summary>Used up its attempts; waits for someone to look and redrive it.</summary>
    Dead,

    /// <summary>Withdrawn by its sender.</summary>
    Cancelled,
}

/// <summary>Which jobs go first. None starves: of every sixteen turns one begins with the lowest level.</summary>
public enum JobPriority
{
    /// <summary>Before all others.</summary>
    High,

    /// <summary>What most jobs are.</summary>
    Normal,

    /// <summary>When there is nothing else to do, and a little besides.</summary>
    Low,
}

/// <summary>What to know about states.</summary>
public static class JobStates
{
    /// <summary>True for the four states that never change.</summary>
    public static bool IsTerminal(this JobState state) => state >= JobState.Succeeded;
}

/// <summary>Why a job failed, died or is tried again.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Detail">One sentence.</param>
public sealed record JobError(string Code, string Detail);

/// <summary>A job to be accepted.</summary>
public sealed record NewJob
{
    /// <summary>Its id.</summary>
    public required JobId Id { get; init; }

    /// <summary>The engine that is to run it.</summary>
    public required string Engine { get; init; }

    /// <summary>The model that is to run it.</summary>
    public string? Model { get; init; }

    /// <summary>What its sender calls the picture: a file name, for people to read and never a path.</summary>
    public string? Name { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobOptions Options { get; init; }

    /// <summary>The picture; its blob is durable already.</summary>
    public required ImageRef Image { get; init; }

    /// <summary>At most one job exists per key.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Hash of all that was sent, to tell a repeated request from another one under the same key.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Made by Spotter for itself: not listed or counted among the users' jobs.</summary>
    public bool Internal { get; init; }

    /// <summary>Whose job it is; empty where nobody is told apart. Others don't see it.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Who sent it, for people to read.</summary>
    public string? By { get; init; }

    /// <summary>Which jobs it goes before.</summary>
    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>It is not started before this; null for at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>If it has not been started by then, it fails with <see cref="ErrorCodes.Expired"/>; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Who is told how it ended.</summary>
    public IReadOnlyList<JobNotification> Notify { get; init; } = [];

    /// <summary>
    /// Hash of all that decides the result but the model's version: the pictures' bytes, the model, the options. Null for
    /// work whose result may not be used again.
    /// </summary>
    public string? ResultCacheKey { get; init; }

    /// <summary>The result of an earlier job with the same <see cref="ResultCacheKey"/>, which then is this one's from the start; null when it is to be run.</summary>
    public CachedResult? Cached { get; init; }
}

/// <summary>A result that is there already.</summary>
/// <param name="From">The job that was run.</param>
/// <param name="Result">Its result.</param>
/// <param name="ModelVersion">Which version of the model made it.</param>
public sealed record CachedResult(JobId From, VisionResult Result, string ModelVersion);

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

/// <summary>The row of a job: the truth about it.</summary>
public sealed record Job
{
    /// <summary>Its id.</summary>
    public required JobId Id { get; init; }

    /// <summary>The engine that runs it.</summary>
    public required string Engine { get; init; }

    /// <summary>The model that runs it.</summary>
    public string? Model { get; init; }

    /// <summary>See <see cref="NewJob.Name"/>.</summary>
    public string? Name { get; init; }

    /// <summary>The queue in which it waits for a worker (<see cref="QueueNames"/>).</summary>
    [JsonIgnore]
    public string Queue => QueueNames.Of(Engine, Model);

    /// <summary>What was asked for.</summary>
    public required JobOptions Options { get; init; }

    /// <summary>The picture.</summary>
    public required ImageRef Image { get; init; }

    /// <summary>All of its pictures, in their order: one, but for filters that take several.</summary>
    [JsonIgnore]
    public IEnumerable<ImageRef> Images => Options.Others is { } others ? others.Prepend(Image) : [Image];

    /// <summary>True once the picture as sent has been deleted because of its age.</summary>
    public bool OriginalExpired { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>Attempts begun that count against the limit.</summary>
    public int Attempts { get; init; }

    /// <summary>Rises with every lease; a result is only taken from the lease of this epoch.</summary>
    public int FencingToken { get; init; }

    /// <summary>Its last attempt died with its worker, so it runs with no neighbours.</summary>
    public bool Isolated { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When its last attempt began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it became terminal.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>The result of a job that succeeded.</summary>
    public VisionResult? Result { get; init; }

    /// <summary>Timings of the attempt that succeeded.</summary>
    public JobTimings? Timings { get; init; }

    /// <summary>Why it failed or died, or why its last attempt did not succeed.</summary>
    public JobError? Error { get; init; }

    /// <summary>Key of the annotated picture, when one was made.</summary>
    public string? Output { get; init; }

    /// <summary>See <see cref="NewJob.IdempotencyKey"/>.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>See <see cref="NewJob.Fingerprint"/>.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>See <see cref="NewJob.Internal"/>.</summary>
    public bool Internal { get; init; }

    /// <summary>See <see cref="NewJob.Tenant"/>.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>See <see cref="NewJob.By"/>.</summary>
    public string? By { get; init; }

    /// <summary>See <see cref="NewJob.Priority"/>.</summary>
    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>See <see cref="NewJob.NotBefore"/>.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>See <see cref="NewJob.Expires"/>.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>See <see cref="NewJob.Notify"/>. Not shown to workers.</summary>
    [JsonIgnore]
    public IReadOnlyList<JobNotification> Notify { get; init; } = [];

    /// <summary>Which version of the model made the result; null until there is one, and when no model did.</summary>
    public string? ModelVersion { get; init; }

    /// <summary>The job whose result was taken over, as it was the same work; null when this one was run itself.</summary>
    public JobId? CachedFrom { get; init; }

    /// <summary>How often it was dead and put into its queue again.</summary>
    public int Redrives { get; init; }

    /// <summary>Who has its lease, or had the last one.</summary>
    public string? Worker { get; init; }

    /// <summary>What happened besides the usual, oldest first.</summary>
    public IReadOnlyList<JobEvent> History { get; init; } = [];
}
