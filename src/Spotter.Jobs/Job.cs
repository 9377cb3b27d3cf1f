using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Why a job failed, died or is tried again.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Detail">One sentence.</param>
public sealed record JobError(string Code, string Detail);

/// <summary>The row of a job: the truth about it.</summary>
public sealed record Job
{
    /// <summary>Its id.</summary>
    public required JobId Id { get; init; }

    /// <summary>What is to be done.</summary>
    public required JobSpec Spec { get; init; }

    /// <summary>The engine that runs it.</summary>
    [JsonIgnore]
    public string Engine => Spec.Engine;

    /// <summary>The model that runs it.</summary>
    [JsonIgnore]
    public string? Model => Spec.Model;

    /// <summary>See <see cref="JobSpec.Name"/>.</summary>
    [JsonIgnore]
    public string? Name => Spec.Name;

    /// <summary>The queue in which it waits for a worker (<see cref="QueueNames"/>).</summary>
    [JsonIgnore]
    public string Queue => Spec.Queue;

    /// <summary>See <see cref="JobSpec.Priority"/>.</summary>
    [JsonIgnore]
    public JobPriority Priority => Spec.Priority;

    /// <summary>Its place in the line of its queue and priority: how many had entered it by then, this one included; 0 where the store does not say.</summary>
    public long Ticket { get; init; }

    /// <summary>True once the inputs have been deleted because of its age.</summary>
    public bool InputsExpired { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>Attempts begun that count against the limit.</summary>
    public int Attempts { get; init; }

    /// <summary>Rises with every lease; a result is only taken from the lease that holds this token.</summary>
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
    public RawJson? Result { get; init; }

    /// <summary>Timings of the attempt that succeeded.</summary>
    public JobTimings? Timings { get; init; }

    /// <summary>Why it failed or died, or why its last attempt did not succeed.</summary>
    public JobError? Error { get; init; }

    /// <summary>Key of the annotated picture, when one was made.</summary>
    public string? Output { get; init; }

    /// <summary>The files that it made besides.</summary>
    public IReadOnlyList<OutputRef> Outputs { get; init; } = [];

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

    /// <summary>See <see cref="JobSpec.Expires"/>; null after a redrive.</summary>
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
