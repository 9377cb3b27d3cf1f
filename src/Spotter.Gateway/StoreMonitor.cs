using Microsoft.Extensions.Logging;
using Spotter.Core;

namespace Spotter.Gateway;

/// <summary>
/// Says once that a store is away, once for each other reason that is heard meanwhile, and once that it is back. Every request, and
/// every loop once a second, would say the same.
/// </summary>
internal sealed partial class StoreMonitor(TimeProvider time, ILogger<StoreMonitor> log)
{
    // One that answers some calls and refuses others has not come back.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    // Words that differ each time are no reason of their own.
    private const int MostReasons = 5;

    private readonly Lock gate = new();
    private readonly HashSet<string> reasons = new(StringComparer.Ordinal);
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
        bool isFirst, isOther;
        lock (gate)
        {
            latest = time.GetTimestamp();
            isFirst = since is null;
            since ??= latest;
            if (isFirst)
                reasons.Clear();
            isOther = reasons.Count < MostReasons && reasons.Add(failure.Message) && !isFirst;
        }
        if (isFirst)
            LogAway(failure);
        else if (isOther)
            LogOther(failure);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "A store still can't be used, for another reason now")]
    private partial void LogOther(Exception failure);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A store still can't be used")]
    private partial void LogStillAway(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stores can be used again; calls failed for {Seconds:0.0} s")]
    private partial void LogBack(double seconds);
}
