using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>A job as the API shows it.</summary>
public sealed record JobView
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>What its sender calls the picture; null when it came without a name.</summary>
    public required string? Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>The engine that runs it.</summary>
    public required string Engine { get; init; }

    /// <summary>The model that runs it.</summary>
    public required string? Model { get; init; }

    /// <summary>Which version of the model made the result, as in GET /v1/models; null until there is one.</summary>
    public required string? ModelVersion { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When its last attempt began.</summary>
    public required DateTimeOffset? Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset? Finished { get; init; }

    /// <summary>Attempts begun.</summary>
    public required int Attempts { get; init; }

    /// <summary>Which jobs it goes before.</summary>
    public required JobPriority Priority { get; init; }

    /// <summary>It is not started before this; null when nobody asked for that.</summary>
    public required DateTimeOffset? NotBefore { get; init; }

    /// <summary>It fails when it has not been started by then; null when nobody asked for that.</summary>
    public required DateTimeOffset? Expires { get; init; }

    /// <summary>Who sent it; null when nobody is told apart.</summary>
    public required string? By { get; init; }

    /// <summary>The job whose stored result is given here, as it was the same work; null when it was run itself.</summary>
    public required string? CachedFrom { get; init; }

    /// <summary>What happened besides the usual (attempts that failed, cancelling, redriving), oldest first.</summary>
    public required IReadOnlyList<JobEvent> History { get; init; }

    /// <summary>Jobs ahead of it in its queue; null unless it is queued.</summary>
    public required long? Position { get; init; }

    /// <summary>Expected time until it has ended, in seconds; null once it has ended, and when nobody knows.</summary>
    public required double? EtaSeconds { get; init; }

    /// <summary>How far it is, 0 to 1; null unless it runs and takes long enough for its engine to say.</summary>
    public required double? Progress { get; init; }

    /// <summary>Why it waits although there are workers; null when it is only not its turn.</summary>
    public required string? WaitsFor { get; init; }

    /// <summary>Its result; null until it has succeeded.</summary>
    public required RawJson? Result { get; init; }

    /// <summary>The files that it made, for engines that make any; empty once they have been deleted because of their age.</summary>
    public IReadOnlyList<OutputView> Outputs { get; init; } = [];

    /// <summary>Where the time went; null until it has succeeded.</summary>
    public required JobTimings? Timings { get; init; }

    /// <summary>Why it did not succeed, or why its last attempt did not.</summary>
    public required Problem? Error { get; init; }

    /// <summary>How its webhook delivery stands; null when nobody asked for one, and in the delivery itself.</summary>
    public CallbackView? Callback { get; init; }

    /// <summary>Where to find more.</summary>
    public required JobLinks Links { get; init; }

    /// <summary>The view of a job that has ended.</summary>
    public static JobView Of(Job job) => Of(new JobStatus(job, null, null, null));

    /// <summary>The view of a job at this moment.</summary>
    public static JobView Of(JobStatus status) => Of(status.Job, status);

    private static JobView Of(Job job, JobStatus status) => new()
    {
        Id = job.Id.Value,
        Name = job.Name,
        State = job.State,
        Engine = job.Engine,
        Model = job.Model,
        ModelVersion = job.ModelVersion,
        Created = job.Created,
        Started = job.Started,
        Finished = job.Finished,
        Attempts = job.Attempts,
        Priority = job.Priority,
        NotBefore = job.Spec.NotBefore,
        Expires = job.Expires,
        By = job.By,
        CachedFrom = job.CachedFrom?.Value,
        History = job.History,
        Position = status.Position,
        EtaSeconds = status.EtaSeconds,
        Progress = status.Progress,
        WaitsFor = status.WaitsFor,
        Result = job.Result,
        Outputs = job.InputsExpired ? [] : [.. job.Outputs.Select(o => new OutputView(o.Name, o.MediaType, o.Bytes, $"{JobLinks.Of(job.Id).Self}/outputs/{o.Name}"))],
        Timings = job.Timings,
        Error = Problems.Of(job.Error),
        Links = JobLinks.Of(job.Id),
    };
}

/// <summary>A file that a job made.</summary>
/// <param name="Name">What its engine calls it.</param>
/// <param name="Type">Its media type.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Url">Where it can be fetched.</param>
public sealed record OutputView(string Name, string Type, long Bytes, string Url);

/// <summary>The calls that belong to one job.</summary>
/// <param name="Self">The job.</param>
/// <param name="Image">The annotated picture.</param>
/// <param name="Original">The picture as sent.</param>
/// <param name="Events">Its changes as they happen.</param>
/// <param name="Output">Its result as one line of text.</param>
public sealed record JobLinks(string Self, string Image, string Original, string Events, string Output)
{
    /// <summary>The links of a job.</summary>
    public static JobLinks Of(JobId id)
    {
        var self = $"/v1/jobs/{id.Value}";
        return new JobLinks(self, self + "/image", self + "/original", self + "/events", self + "/output");
    }
}

/// <summary>The calls of one job that open without a key.</summary>
/// <param name="Self">The job.</param>
/// <param name="Image">The annotated picture.</param>
/// <param name="Original">The picture as sent.</param>
/// <param name="Output">The result as one line of text.</param>
/// <param name="Expires">Until when.</param>
public sealed record LinkView(string Self, string Image, string Original, string Output, DateTimeOffset Expires);

/// <summary>The jobs of one request that carried several pictures, in its order.</summary>
/// <param name="Jobs">The jobs.</param>
public sealed record JobViews(IReadOnlyList<JobView> Jobs);

/// <summary>One page of the list of jobs.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Next">Pass it as <c>after</c> for the next page; null on the last.</param>
public sealed record JobPage(IReadOnlyList<JobView> Jobs, string? Next);
