namespace Spotter.Gateway.Operations;

/// <summary>Who makes a request, and what that may be.</summary>
/// <param name="Name">The name of the key; without keys from where the request came: <c>local</c>, <c>network</c>, <c>internet</c>.</param>
/// <param name="Tenant">Whose jobs it sees; <c>*</c> for those of all, null without keys.</param>
/// <param name="Scopes">What it may do: <c>submit</c>, <c>read</c>, <c>operate</c>.</param>
public sealed record CallerView(string Name, string? Tenant, IReadOnlyList<string> Scopes);

/// <summary>The service at this moment.</summary>
public sealed record StatsView
{
    /// <summary>Jobs waiting.</summary>
    public required long Queued { get; init; }

    /// <summary>Jobs running.</summary>
    public required long Running { get; init; }

    /// <summary>Jobs with a result.</summary>
    public required long Succeeded { get; init; }

    /// <summary>Jobs refused while running.</summary>
    public required long Failed { get; init; }

    /// <summary>Jobs out of attempts.</summary>
    public required long Dead { get; init; }

    /// <summary>Jobs withdrawn.</summary>
    public required long Cancelled { get; init; }

    /// <summary>Those of the waiting jobs whose model no worker has, and which wait until one has.</summary>
    public required long Unserved { get; init; }

    /// <summary>Workers, booting and loading ones included, without those that drain: they are being replaced already, or not needed.</summary>
    public required int Workers { get; init; }

    /// <summary>Workers wanted.</summary>
    public required int DesiredWorkers { get; init; }

    /// <summary>Most workers there may be.</summary>
    public required int MaxWorkers { get; init; }

    /// <summary>Jobs that the workers can run at a time.</summary>
    public required int Lanes { get; init; }

    /// <summary>Age of the oldest waiting job in seconds; 0 when none waits.</summary>
    public required double OldestSeconds { get; init; }

    /// <summary>Workers that have been launched and not joined yet.</summary>
    public required int Booting { get; init; }

    /// <summary>Workers that have joined and load their first model.</summary>
    public required int Loading { get; init; }

    /// <summary>Workers without a job.</summary>
    public required int Idle { get; init; }

    /// <summary>Workers with a job.</summary>
    public required int Busy { get; init; }

    /// <summary>Workers that finish what they have and end.</summary>
    public required int Draining { get; init; }

    /// <summary>Workers by what their models run on, as <c>{"cpu": 2, "cuda": 1}</c>; one with models on two counts for both.</summary>
    public IReadOnlyDictionary<string, int> Devices { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>The pools, where there are several.</summary>
    public IReadOnlyList<PoolView> Pools { get; init; } = [];

    /// <summary>Jobs ended per second over the last half minute (<see cref="Jobs.DrainRate"/>).</summary>
    public required double JobsPerSecond { get; init; }
}

/// <summary>A pool of workers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Workers">Its workers, booting and loading ones included, draining ones not. One from elsewhere that serves several pools counts in each.</param>
/// <param name="MaxWorkers">Most workers that it may have.</param>
/// <param name="Booting">Those that have been launched and not joined yet.</param>
/// <param name="Loading">Those that have joined and load their first model.</param>
/// <param name="Idle">Those without a job.</param>
/// <param name="Busy">Those with a job.</param>
/// <param name="Draining">Those that finish what they have and end.</param>
public sealed record PoolView(string Name, int Workers, int MaxWorkers, int Booting, int Loading, int Idle, int Busy, int Draining);

/// <summary>Whether the service works.</summary>
/// <param name="Status"><c>healthy</c>, <c>ready</c>, or what is wrong.</param>
public sealed record HealthView(string Status);
