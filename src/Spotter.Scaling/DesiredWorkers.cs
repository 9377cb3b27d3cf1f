namespace Spotter.Scaling;

/// <summary>How many workers a pool is to have, for whoever starts them outside Spotter.</summary>
/// <param name="Workers">How many; null while that is not known. Unknown is never zero.</param>
/// <param name="IsActive">Whether there is to be any; null while that is not known. May be known before the number is.</param>
/// <param name="Why">Why the number is not known, and when to ask again; null when it is.</param>
public sealed record DesiredCount(int? Workers, bool? IsActive, string? Why)
{
    /// <summary>True when this gateway doesn't scale the pool, so another one has to be asked.</summary>
    public bool IsElsewhere { get; init; }

    /// <summary>That number.</summary>
    public static DesiredCount Of(int workers) => new(workers, workers > 0, Why: null);
}

/// <summary>The latest <see cref="DesiredCount"/> of a pool, for many readers.</summary>
public sealed class DesiredWorkers
{
    private readonly Lock gate = new();
    private DesiredCount now = new(Workers: null, IsActive: null, "The gateway has not looked at its workers yet; ask again in a second.");
    private TaskCompletionSource changed = NewSource();

    /// <summary>As it is now.</summary>
    public DesiredCount Now
    {
        get
        {
            lock (gate)
                return now;
        }
    }

    /// <summary>Waits until it is other than <paramref name="seen"/>; as it is then.</summary>
    public async Task<DesiredCount> OtherThanAsync(DesiredCount seen, CancellationToken cancel)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (now != seen)
                    return now;
                next = changed.Task;
            }
            await next.WaitAsync(cancel);
        }
    }

    /// <summary>Notes how it is now.</summary>
    internal void Set(DesiredCount count)
    {
        TaskCompletionSource before;
        lock (gate)
        {
            if (count == now)
                return;
            now = count;
            (before, changed) = (changed, NewSource());
        }
        before.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
