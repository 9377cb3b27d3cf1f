using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Jobs;

/// <summary>What is let in, how much of it, and how long things are held and kept.</summary>
public sealed record JobSettings
{
    /// <summary>Most workers that may run; 0 when they are started by others.</summary>
    public int MaxWorkers { get; init; } = 1;

    /// <summary>Jobs that one of them runs at a time.</summary>
    public int LanesPerWorker { get; init; } = 1;

    /// <summary>Largest input, in bytes.</summary>
    public long MaxInputBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>Most inputs in one submission.</summary>
    public int MaxInputsPerSubmission { get; init; } = 100;

    /// <summary>Uploads read at one time; more wait for their turn.</summary>
    public int MaxUploads { get; init; } = 64;

    /// <summary>Beyond so many waiting jobs new ones are refused.</summary>
    public int MaxQueued { get; init; } = 50_000;

    /// <summary>Once a job that somebody could run has waited for longer than this, new ones are refused.</summary>
    public TimeSpan MaxQueueAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The same input, model and parameters again get the cached result, unless the request says no.</summary>
    public bool Reuse { get; init; } = true;

    /// <summary>How large a picture may be in pixels.</summary>
    public ImageLimits ImageLimits { get; init; } = new();

    /// <summary>How long things are held and kept.</summary>
    public LeaseSettings Leases { get; init; } = new();

    /// <summary>Checks all settings together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: which one is wrong, and what it may be.</exception>
    public void Validate()
    {
        if (MaxInputBytes < 1024)
            throw Invalid($"The largest body, {MaxInputBytes} bytes, leaves no room for a picture.");
        if (MaxQueued < 1 || MaxUploads < 1 || MaxInputsPerSubmission < 1)
            throw Invalid("A limit on jobs, uploads or pictures is less than 1, so nothing could come in.");
        if (MaxQueueAge <= TimeSpan.Zero)
            throw Invalid($"No job may wait for {MaxQueueAge.TotalSeconds} s; the longest queue age is more than 0.");
        if (Leases.Heartbeat >= Leases.Duration)
            throw Invalid($"Heartbeats every {Leases.Heartbeat.TotalSeconds} s can't keep a lease of {Leases.Duration.TotalSeconds} s.");
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
