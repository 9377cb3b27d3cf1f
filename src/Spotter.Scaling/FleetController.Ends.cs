using Microsoft.Extensions.Logging;

namespace Spotter.Scaling;

/// <summary>What becomes of a worker that has ended.</summary>
public sealed partial class FleetController
{
    private void End(WorkerExit exit)
    {
        Member? member;
        bool hasDied;
        lock (gate)
        {
            if (!ended.Add(exit.Worker))
                return;
            members.Remove(exit.Worker, out member);
            hasDied = Judge(member, exit);
        }
        roster.Leave(exit.Worker);
        if (hasDied && exit.Status is { } status)
            LogDied(exit.Worker, status);
        else if (hasDied)
            LogGone(exit.Worker);
        var farewell = ReleaseAsync(exit, member);
        lock (gate)
        {
            farewells.RemoveWhere(f => f.IsCompleted);
            farewells.Add(farewell);
        }
    }

    /// <summary>Who is to blame for an end that nobody ordered; true when the worker died.</summary>
    private bool Judge(Member? member, WorkerExit exit)
    {
        var wasOrdered = member?.EndingSince is not null || roster.IsDraining(exit.Worker);
        var hasDied = exit.Status is { } status ? status is not (0 or WorkerExit.StuckStatus) : !wasOrdered;
        if (member is { IsReady: true } || roster.ReadyFor(exit.Worker) is not null)
            crashes += hasDied && !roster.RunsAlone(exit.Worker) ? 1 : 0;
        else if (member?.EndingSince is null)
            failedBoots++;
        if (hasDied)
            backoff.Note(FreeDeaths);
        return hasDied;
    }

    private async Task ReleaseAsync(WorkerExit exit, Member? member)
    {
        try
        {
            await onExit(exit);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // Its leases run out instead.
            LogNotReleased(failed, exit.Worker);
        }
        finally
        {
            member?.Ended.TrySetResult();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} ended with status {Status}; its jobs go back into their queues")]
    private partial void LogDied(string worker, int status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} is gone; its jobs go back into their queues")]
    private partial void LogGone(string worker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The leases of {Worker} could not be taken back; they run out by themselves")]
    private partial void LogNotReleased(Exception exception, string worker);
}
