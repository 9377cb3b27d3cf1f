using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>What jobs and boots take: averages in which the latest count most.</summary>
public sealed record ScaleMeasures
{
    private const double ServiceWeight = 0.02;
    private const double BootWeight = 0.3;

    /// <summary>What a job takes, in seconds; null while none was seen.</summary>
    public double? ServiceSeconds { get; init; }

    /// <summary>The mean square of its deviations, in square seconds.</summary>
    public double ServiceVariance { get; init; }

    /// <summary>What a worker takes to join, in seconds; null while none was seen.</summary>
    public double? BootSeconds { get; init; }

    /// <summary>Standard deviation of what a job takes, over its mean.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double ServiceVariation => ServiceSeconds is > 0 and { } mean ? Math.Sqrt(ServiceVariance) / mean : 0;

    /// <summary>With more jobs.</summary>
    public ScaleMeasures WithService(ServedJobs served)
    {
        if (served.Jobs == 0)
            return this;
        // The variance is what the mean of the squares has more than the square of the mean.
        var squares = served with { Seconds = served.SquareSeconds };
        var mean = served.Move(ServiceSeconds ?? served.Mean, ServiceWeight);
        var square = squares.Move(ServiceSeconds is { } before ? ServiceVariance + (before * before) : squares.Mean, ServiceWeight);
        return this with { ServiceSeconds = mean, ServiceVariance = Math.Max(0, square - (mean * mean)) };
    }

    /// <summary>With one more boot.</summary>
    public ScaleMeasures WithBoot(double seconds) =>
        this with { BootSeconds = BootSeconds is { } mean ? mean + (BootWeight * (seconds - mean)) : seconds };
}
