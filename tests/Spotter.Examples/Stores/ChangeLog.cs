using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>Tells whoever listens what has changed. Who reads too slowly misses some, and is told so.</summary>
internal sealed class ChangeLog
{
    private const int Longest = 1000;

    private readonly Lock gate = new();
    private readonly List<Reader> readers = [];

    public void Tell(JobChange change)
    {
        lock (gate)
        {
            foreach (var reader in readers)
                reader.Missed |= !reader.Changes.Writer.TryWrite(change);
        }
    }

    public async IAsyncEnumerable<JobChange> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new Reader();
        lock (gate)
            readers.Add(reader);
        try
        {
            await foreach (var change in reader.Changes.Reader.ReadAllAsync(cancel))
            {
                yield return change;
                if (!reader.Missed)
                    continue;
                reader.Missed = false;
                yield return JobChange.Missed;
            }
        }
        finally
        {
            lock (gate)
                readers.Remove(reader);
        }
    }

    private sealed class Reader
    {
        private volatile bool missed;

        public Channel<JobChange> Changes { get; } = Channel.CreateBounded<JobChange>(Longest);

        public bool Missed
        {
            get => missed;
            set => missed = value;
        }
    }
}
