using Microsoft.Extensions.Logging;
using Spotter.Jobs;

namespace Spotter.Gateway.Operations;

/// <summary>Says once that jobs wait for a model that nobody has, and once that somebody has it or none wait any more.</summary>
internal sealed partial class UnservedMonitor(JobService jobs, TimeProvider time, ILogger<UnservedMonitor> log)
{
    // After a start the workers join within that.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (long Since, bool IsSaid)> queues = new(StringComparer.Ordinal);

    /// <summary>Looks at the newest reading of the backlog; by one caller at a time.</summary>
    public void Look()
    {
        if (jobs.Backlog.Latest is not { } reading)
            return;
        var now = jobs.Unserved.In(reading.Counts);
        foreach (var (queue, before) in queues.Where(q => now.All(n => n.Queue != q.Key)).ToList())
        {
            queues.Remove(queue);
            if (before.IsSaid)
                LogServed(queue);
        }
        foreach (var (queue, count, reason) in now)
        {
            if (!queues.TryGetValue(queue, out var known))
                queues[queue] = known = (time.GetTimestamp(), false);
            if (known.IsSaid || time.GetElapsedTime(known.Since) < Patience)
                continue;
            queues[queue] = known with { IsSaid = true };
            LogUnserved(count, queue, reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} jobs of the queue {Queue} wait and nobody takes them. {Reason}")]
    private partial void LogUnserved(long count, string queue, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "No job of the queue {Queue} waits in vain any more")]
    private partial void LogServed(string queue);
}
