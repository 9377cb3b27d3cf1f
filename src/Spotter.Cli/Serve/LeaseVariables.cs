using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Worker;

namespace Spotter.Cli.Serve;

/// <summary>
/// Lease settings from the environment, in seconds: <c>SPOTTER__LEASE__DURATIONSECONDS</c>,
/// <c>SPOTTER__LEASE__HEARTBEATSECONDS</c>, <c>SPOTTER__LEASE__SWEEPSECONDS</c>,
/// <c>SPOTTER__LEASE__ORPHANSECONDS</c>; and for workers <c>SPOTTER__WORKER__DECODESECONDS</c>, <c>SPOTTER__WORKER__JOBSECONDS</c>.
/// Not options, since nobody needs them to run Spotter: they are for slow networks, and for tests of what happens
/// when leases run out.
/// </summary>
internal static class LeaseVariables
{
    private const string Prefix = "SPOTTER__LEASE__";
    private const string WorkerPrefix = "SPOTTER__WORKER__";
    private const double LeastSeconds = 0.1;
    private const double MostSeconds = 3600;

    /// <summary>The defaults, with what the environment says instead.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static LeaseSettings Read()
    {
        var defaults = new LeaseSettings();
        return defaults with
        {
            Duration = Read("DURATIONSECONDS", defaults.Duration),
            Heartbeat = Read("HEARTBEATSECONDS", defaults.Heartbeat),
            Sweep = Read("SWEEPSECONDS", defaults.Sweep),
            OrphanAge = Read("ORPHANSECONDS", defaults.OrphanAge),
        };
    }

    /// <summary>A worker's settings, with what the environment says instead.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static WorkerSettings Read(WorkerSettings settings) => settings with
    {
        DecodeTimeout = Read("DECODESECONDS", settings.DecodeTimeout, WorkerPrefix),
        JobTimeout = Read("JOBSECONDS", settings.JobTimeout, WorkerPrefix),
    };

    private static TimeSpan Read(string name, TimeSpan otherwise, string prefix = Prefix)
    {
        if (Environment.GetEnvironmentVariable(prefix + name) is not { Length: > 0 } text)
            return otherwise;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= LeastSeconds and <= MostSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new SpotterException(ErrorCodes.InvalidSettings, $"{prefix}{name} is '{text}'; it takes seconds from {LeastSeconds} to {MostSeconds}.");
    }
}
