using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>Everything that a policy may look at, at one moment.</summary>
public sealed record ScaleObservation
{
    /// <summary>Time on a clock that never goes back.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Jobs waiting; null when unknown. Unknown is never zero.</summary>
    public required int? Queued { get; init; }

    /// <summary>Jobs running; null when unknown.</summary>
    public required int? Running { get; init; }

    /// <summary>Jobs that have arrived since the start.</summary>
    public long Arrived { get; init; }

    /// <summary>The fleet as it stands.</summary>
    public required IReadOnlyList<WorkerView> Workers { get; init; }

    /// <summary>Jobs that workers have done since the last observation.</summary>
    public ServedJobs Served { get; init; }

    /// <summary>Boot times of the workers that joined since the last observation, in seconds.</summary>
    public IReadOnlyList<double> BootedSeconds { get; init; } = [];

    /// <summary>Mean share of its processors that a worker used of late, 0 to 1; null when unknown.</summary>
    public double? CpuLoad { get; init; }
}
