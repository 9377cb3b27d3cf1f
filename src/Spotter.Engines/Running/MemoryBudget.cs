namespace Spotter.Engines.Running;

/// <summary>
/// Memory that the jobs of a worker share while they run. Each says beforehand how much it takes at most, and waits for its
/// turn until there is so much. Safe to use from many threads.
/// </summary>
/// <param name="bytes">How much there is.</param>
public sealed class MemoryBudget(long bytes)
{
    // Half of the machine: models, inputs, the gateway and the store are there as well.
    private const double Share = 0.5;

    private readonly object gate = new();

    // First come, first served: small jobs would else go ahead of a large one for ever.
    private readonly LinkedList<object> waiting = [];
    private long taken;

    /// <summary>How much there is, in bytes.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>What is taken of it now, in bytes.</summary>
    public long Taken
    {
        get
        {
            lock (gate)
                return taken;
        }
    }

    /// <summary>One of so many workers' part of this machine, or of the container that it runs in.</summary>
    public static MemoryBudget Default(int workers) => new((long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * Share / Math.Max(1, workers)));

    /// <summary>Waits until there is room, and takes it; dispose of it when the job has run. More than all is taken as all.</summary>
    /// <exception cref="OperationCanceledException">It was not wanted any more.</exception>
    public IDisposable Take(long wanted, CancellationToken cancel)
    {
        wanted = Math.Clamp(wanted, 0, Bytes);
        using var woken = cancel.Register(() =>
        {
            lock (gate)
                Monitor.PulseAll(gate);
        });
        lock (gate)
        {
            var place = waiting.AddLast(new object());
            try
            {
                while (waiting.First != place || taken + wanted > Bytes)
                {
                    cancel.ThrowIfCancellationRequested();
                    Monitor.Wait(gate);
                }
                taken += wanted;
                return new Room(this, wanted);
            }
            finally
            {
                waiting.Remove(place);
                Monitor.PulseAll(gate);
            }
        }
    }

    private void Release(long returned)
    {
        lock (gate)
        {
            taken -= returned;
            Monitor.PulseAll(gate);
        }
    }

    private sealed class Room(MemoryBudget budget, long bytes) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0)
                budget.Release(bytes);
        }
    }
}
