using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>A job to be accepted. Its inputs are durable already.</summary>
public sealed record NewJob
{
    /// <summary>Its id.</summary>
    public required JobId Id { get; init; }

    /// <summary>What is to be done.</summary>
    public required JobSpec Spec { get; init; }

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

    /// <summary>Who is told how it ended.</summary>
    public IReadOnlyList<JobNotification> Notify { get; init; } = [];

    /// <summary>
    /// Hash of all that decides the result but the model's version: the inputs' bytes, the model, the parameters. Null for
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
public sealed record CachedResult(JobId From, RawJson Result, string ModelVersion)
{
    /// <summary>The files that it made besides. Their blobs pass to the job that takes over the result, which ends later.</summary>
    public IReadOnlyList<OutputRef> Outputs { get; init; } = [];
}
