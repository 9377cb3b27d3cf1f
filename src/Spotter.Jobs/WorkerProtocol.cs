using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

// What workers and the gateway say to each other over HTTP (`/v1/workers`). The worker's name is part of the path.

/// <summary>A worker introduces itself.</summary>
/// <param name="Lanes">Jobs it runs at a time.</param>
/// <param name="Models">The models it has, and those that it could not load.</param>
public sealed record WorkerJoin(int Lanes, IReadOnlyList<WorkerModel> Models)
{
    /// <summary>A worker of engines of its own, which has no models.</summary>
    [JsonConstructor]
    public WorkerJoin(int lanes)
        : this(lanes, [])
    {
    }

    /// <summary>The models it has, and those that it could not load; a worker without any need not say so.</summary>
    public IReadOnlyList<WorkerModel> Models { get; init => field = value ?? []; } = Models;

    /// <summary>The engines that it brings itself.</summary>
    public IReadOnlyList<EngineDeclaration> Engines { get; init => field = value ?? []; } = [];

    /// <summary>The newest <see cref="WorkerOrders.Order"/> that it knows, for a gateway that has forgotten it; 0 when there was none.</summary>
    public int Order { get; init; }

    /// <summary>True once it takes no more jobs and ends when it has handed in those that it has, whatever is ordered now.</summary>
    public bool IsLeaving { get; init; }
}

/// <summary>A model in a worker.</summary>
/// <param name="Id">The model's id.</param>
/// <param name="Version">Which version of it runs there (the version of its file); null when none does.</param>
public sealed record WorkerModel(string Id, string? Version)
{
    /// <summary>True when both say the same of how a model stands; what it is depends on its version alone.</summary>
    public static bool SaySame(IReadOnlyList<WorkerModel> some, IReadOnlyList<WorkerModel> others) =>
        some.Select(m => m with { Info = null }).SequenceEqual(others.Select(m => m with { Info = null }));

    /// <summary>Why the newest version could not be loaded; null when it was.</summary>
    public JobError? Error { get; init; }

    /// <summary>What it is, for a gateway that has no such file itself; null when it is not loaded.</summary>
    public ModelInfo? Info { get; init; }

    /// <summary>What it runs on there, as <c>cuda</c>; null when it is not loaded, or the worker does not say.</summary>
    public string? Device { get; init; }

    /// <summary>True while it is being loaded, or waits for its turn to be; an earlier version may run all the while.</summary>
    public bool IsLoading { get; init; }

    /// <summary>True while it only waits for its turn to be loaded.</summary>
    public bool IsNext { get; init; }
}

/// <summary>What the gateway tells a worker that joins.</summary>
/// <param name="HeartbeatSeconds">How often to send a <see cref="WorkerHeartbeat"/>.</param>
public sealed record WorkerWelcome(double HeartbeatSeconds)
{
    /// <summary>True when the gateway knows <see cref="WorkerExchange"/>; those of earlier versions don't.</summary>
    public bool Exchanges { get; init; }

    /// <summary>The queues of the engines that it brings, to take from; null when it brings none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Queues { get; init; }
}

/// <summary>A worker asks for one job.</summary>
/// <param name="Queues">The queues to take from (<see cref="QueueNames"/>).</param>
/// <param name="WaitSeconds">How long to wait for one to come.</param>
public sealed record WorkerTake(IReadOnlyList<string> Queues, double WaitSeconds)
{
    /// <summary>How many jobs it has room for, in a <see cref="WorkerExchange"/>; null for one.</summary>
    public int? Most { get; init; }

    /// <summary>True to get jobs for two models too, of those whose queues are named; a worker of an earlier version would run the first only.</summary>
    public bool Pairs { get; init; }

    /// <summary>True to get links to the inputs (<see cref="StartedJob.Links"/>), where there are any.</summary>
    public bool WantsLinks { get; init; }

    /// <summary>True to get files with the inputs (<see cref="StartedJob.Files"/>), where they are on the worker's machine too.</summary>
    public bool WantsFiles { get; init; }
}

/// <summary>A sign of life.</summary>
/// <param name="Leases">The leases to prolong.</param>
public sealed record WorkerHeartbeat(IReadOnlyList<Lease> Leases)
{
    /// <summary>As in <see cref="WorkerJoin"/>, since models come and go while a worker runs; null when nothing is said of them.</summary>
    public IReadOnlyList<WorkerModel>? Models { get; init; }

    /// <summary>Processor time that the worker has used since its start, in seconds; null when it does not know.</summary>
    public double? CpuSeconds { get; init; }

    /// <summary>As in <see cref="WorkerJoin"/>.</summary>
    public bool IsLeaving { get; init; }
}

/// <summary>The answer to a sign of life.</summary>
/// <param name="Lost">Jobs whose lease is lost: stop working on them.</param>
/// <param name="Drain">Take no more jobs; finish and leave.</param>
public sealed record WorkerOrders(IReadOnlyList<JobId> Lost, bool Drain)
{
    /// <summary>True when another worker has a lane free for jobs like those that this one holds: what only waits here had better be given back.</summary>
    public bool OthersAreFree { get; init; }

    /// <summary>Rises whenever the gateway changes its mind about <see cref="Drain"/>: orders may overtake each other. 0 while it never has.</summary>
    public int Order { get; init; }
}

/// <summary>A worker hands in how an attempt ended.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Outcome">How it ended.</param>
public sealed record WorkerFinish(Lease Lease, JobOutcome Outcome)
{
    /// <summary>Most bytes of a result: it stands in the job's row, and goes with each answer about the job.</summary>
    public const int MostResultBytes = 16 * 1024 * 1024;
}

/// <summary>A worker hands in how attempts ended and takes the next jobs, in one call.</summary>
/// <param name="Finished">The attempts that ended; empty when there are none.</param>
/// <param name="Take">What it takes, null for nothing. It is waited for only when nothing is handed in.</param>
public sealed record WorkerExchange(IReadOnlyList<WorkerFinish> Finished, WorkerTake? Take)
{
    /// <summary>Most attempts in one call.</summary>
    public const int MostFinished = 64;

    /// <summary>Most bytes of all results in one call, unless it hands in a single one.</summary>
    public const int MostResultBytes = 1024 * 1024;

    /// <summary>Most jobs that one call takes.</summary>
    public const int MostTaken = 256;
}

/// <summary>The answer to a <see cref="WorkerExchange"/>.</summary>
/// <param name="Refused">For each attempt that was handed in why it does not count, in the same order; null when it does.</param>
/// <param name="Jobs">The jobs that it got.</param>
public sealed record WorkerExchanged(IReadOnlyList<JobError?> Refused, IReadOnlyList<StartedJob> Jobs);

/// <summary>The key under which an annotated picture was stored.</summary>
/// <param name="Key">Its key.</param>
public sealed record WorkerOutput(string Key);

/// <summary>A worker that got links asks for a form that puts an output into the blob store.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Bytes">The output's length.</param>
public sealed record WorkerOutputAsk(Lease Lease, long Bytes);

/// <summary>Where a worker puts an output by itself.</summary>
/// <param name="Key">Its key, made for this output alone.</param>
/// <param name="Form">What puts it there.</param>
public sealed record WorkerOutputForm(string Key, BlobForm Form);
