using Spotter.Core.Jobs;
using Spotter.Core.Scaling;

namespace Spotter.Gateway.Results;

/// <summary>
/// Says how long a job will take from what recent ones took: an average of service times in which each new one
/// counts for a tenth.
/// </summary>
public sealed class Estimator(WorkerRoster roster, GatewaySettings settings)
{
    private const double Weight = 0.1;

    // Until something was measured: about what a small model takes on one core, and what a process needs to start.
    private const double FirstServiceSeconds = 0.1;
    private const double BootSeconds = 1.0;

    private readonly Lock gate = new();
    private double? serviceSeconds;

    /// <summary>A job has been running for so long.</summary>
    public void Served(TimeSpan time)
    {
        lock (gate)
        {
            serviceSeconds = serviceSeconds is { } average
                ? average + (Weight * (time.TotalSeconds - average))
                : time.TotalSeconds;
        }
    }

    /// <summary>Seconds until a job has ended that has <paramref name="ahead"/> jobs before it.</summary>
    public double EtaSeconds(JobState state, int ahead)
    {
        double service;
        lock (gate)
            service = serviceSeconds ?? FirstServiceSeconds;
        if (state == JobState.Running)
            return Math.Round(service, 1, MidpointRounding.ToPositiveInfinity);

        var lanes = roster.Lanes;
        var boot = lanes == 0 ? BootSeconds : 0;
        var rounds = (ahead / Math.Max(1, lanes == 0 ? settings.MaxWorkers : lanes)) + 1;
        return Math.Round(boot + (rounds * service), 1, MidpointRounding.ToPositiveInfinity);
    }
}
