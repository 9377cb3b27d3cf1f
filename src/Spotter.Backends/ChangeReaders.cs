using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>Tells readers in this process what has changed.</summary>
internal sealed class ChangeReaders
{
    /// <summary>Changes that a slow reader may be behind before it misses some.</summary>
    private const int MostBehind = 4096;

    private readonly Lock gate = new();
    private Reader[] readers = [];

    /// <summary>True while somebody reads.</summary>
    public bool HasReaders => Volatile.Read(ref readers).Length > 0;

    /// <summary>Tells what was made durable.</summary>
    public void Publish(IReadOnlyList<JobChange> changes)
    {
        foreach (var reader in Volatile.Read(ref readers))
        {
            foreach (var change in changes)
            {
                if (!reader.Changes.Writer.TryWrite(change))
                    reader.Missed = true;
            }
        }
    }

    /// <summary>What is told from now on.</summary>
    public async IAsyncEnumerable<JobChange> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new Reader();
        lock (gate)
            readers = [.. readers, reader];
        try
        {
            await foreach (var change in reader.Changes.Reader.ReadAllAsync(cancel))
            {
                yield return change;
                if (!reader.Missed)
                    continue;
                // What is missed comes after this is told, or is in the channel by now.
                reader.Missed = false;
                yield return JobChange.Missed;
            }
        }
        finally
        {
            lock (gate)
                readers = [.. readers.Where(r => r != reader)];
        }
    }

    private sealed class Reader
    {
        private volatile bool missed;

        // A full channel refuses what is new: what was refused is told as missed.
        public Channel<JobChange> Changes { get; } = Channel.CreateBounded<JobChange>(
            new BoundedChannelOptions(MostBehind) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

        public bool Missed
        {
            get => missed;
            set => missed = value;
        }
    }
}
