using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Spotter.Core;

/// <summary>
/// First in, first out, between threads. Whoever takes from it sleeps until there is something. <see cref="BlockingCollection{T}"/> spins
/// first, each time, and on a machine with few cores that takes time from the models.
/// </summary>
public sealed class BlockingQueue<T>
{
    // Not a Lock, on which nobody can wait.
    private readonly object gate = new();
    private readonly Queue<T> items = new();
    private bool isComplete;

    /// <summary>How many are in line.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return items.Count;
        }
    }

    /// <summary>Puts one in line; false once nothing more is taken.</summary>
    public bool TryAdd(T item)
    {
        lock (gate)
        {
            if (isComplete)
                return false;
            items.Enqueue(item);
            Monitor.Pulse(gate);
            return true;
        }
    }

    /// <summary>The next one, without waiting; false when there is none.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (gate)
            return items.TryDequeue(out item);
    }

    /// <summary>The next one; false when there is none and there will be no more.</summary>
    public bool Take([MaybeNullWhen(false)] out T item)
    {
        lock (gate)
        {
            item = default;
            return Wait(Timeout.InfiniteTimeSpan) && items.TryDequeue(out item);
        }
    }

    /// <summary>True once there is one, for whoever is the only one that takes; false when the time is over, or when there will be no more.</summary>
    public bool Wait(TimeSpan longest)
    {
        var begun = Stopwatch.GetTimestamp();
        lock (gate)
        {
            while (items.Count == 0)
            {
                var left = longest == Timeout.InfiniteTimeSpan ? longest : longest - Stopwatch.GetElapsedTime(begun);
                if (isComplete || (left != Timeout.InfiniteTimeSpan && left <= TimeSpan.Zero))
                    return false;
                Monitor.Wait(gate, left);
            }
            return true;
        }
    }

    /// <summary>Takes nothing more; what is there is still given out.</summary>
    public void Complete()
    {
        lock (gate)
        {
            isComplete = true;
            Monitor.PulseAll(gate);
        }
    }
}
