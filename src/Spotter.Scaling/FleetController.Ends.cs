using Microsoft.Extensions.Logging;
using Spotter.Jobs;

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
        var farewell = ReleaseAsync(exit, member, hasDied);
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

    private async Task ReleaseAsync(WorkerExit exit, Member? member, bool hasDied)
    {
        try
        {
            var lost = await onExit(exit);
            if (hasDied)
                Tell(exit, Words(lost));
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            if (hasDied)
                Tell(exit, "its leases run out by themselves");
            LogNotReleased(failed, exit.Worker);
        }
        finally
        {
            member?.Ended.TrySetResult();
        }
    }

    private void Tell(WorkerExit exit, string jobs)
    {
        if (exit.Status is { } status)
            LogDied(exit.Worker, status, jobs);
        else
            LogGone(exit.Worker, jobs);
    }

    private static string Words(LostLeases lost)
    {
        var queued = lost.Queued switch { 0 => "", 1 => "its job goes back into its queue", var n => $"{n} of its jobs go back into their queues" };
        var dead = lost.Dead switch { 0 => "", 1 => "one job has used up its attempts and is dead", var n => $"{n} jobs have used up their attempts and are dead" };
        return lost.All == 0 ? "it had no job" : queued.Length > 0 && dead.Length > 0 ? $"{queued}, {dead}" : queued + dead;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} ended with status {Status}; {Jobs}")]
    private partial void LogDied(string worker, int status, string jobs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} is gone; {Jobs}")]
    private partial void LogGone(string worker, string jobs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The leases of {Worker} could not be taken back; they run out by themselves")]
    private partial void LogNotReleased(Exception exception, string worker);
}
