using Microsoft.Extensions.Logging;
using Spotter.Core;

namespace Spotter.Gateway;

/// <summary>
/// Says once that a store is away, and once that it is back. Meanwhile every request, and every loop once a second, would say
/// the same.
/// </summary>
internal sealed partial class StoreMonitor(TimeProvider time, ILogger<StoreMonitor> log)
{
    // One that answers some calls and refuses others has not come back.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private long? since;
    private long latest;

    /// <summary>Takes note of a failure; false when it is none of a store's, and somebody else has to log it.</summary>
    public bool Note(Exception failure)
    {
        // Whoever is merely turned away has no cause.
        if (failure is not SpotterException { Code: ErrorCodes.StoreUnavailable or ErrorCodes.DiskFull or ErrorCodes.Busy } refusal
            || (refusal.Code == ErrorCodes.Busy && refusal.InnerException is null))
        {
            return false;
        }
        bool isFirst;
        lock (gate)
        {
            latest = time.GetTimestamp();
            isFirst = since is null;
            since ??= latest;
        }
        if (isFirst)
            LogAway(failure);
        else
            LogStillAway(failure);
        return true;
    }

    /// <summary>The job store has answered.</summary>
    public void Answered()
    {
        TimeSpan away;
        lock (gate)
        {
            if (since is not { } begun || time.GetElapsedTime(latest) < Quiet)
                return;
            since = null;
            away = time.GetElapsedTime(begun, latest);
        }
        LogBack(away.TotalSeconds);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A store can't be used. What was accepted is kept, and everything is tried again; it is said here when that works")]
    private partial void LogAway(Exception failure);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A store still can't be used")]
    private partial void LogStillAway(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stores can be used again; calls failed for {Seconds:0.0} s")]
    private partial void LogBack(double seconds);
}
