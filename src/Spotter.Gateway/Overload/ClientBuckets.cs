using System.Collections.Concurrent;

namespace Spotter.Gateway.Overload;

/// <summary>
/// Token buckets, one per client, kept as the one number that says when the bucket is full again. Clients whose bucket
/// is full are forgotten, so memory is bounded by those who came lately. Safe to use from many threads.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="mostClients">Beyond so many at a time, new ones share one bucket.</param>
internal sealed class ClientBuckets(TimeProvider time, int mostClients = 20_000)
{
    // Can't be the name of a client.
    private const string Others = "";

    private readonly ConcurrentDictionary<string, Bucket> buckets = new(StringComparer.Ordinal);
    private readonly long start = time.GetTimestamp();

    // Looking at all of them for each newcomer would be what an attacker wants.
    private const double ForgetEverySeconds = 1;

    private readonly Lock forgetting = new();
    private double nextForget;

    // Counting the entries of such a dictionary locks all of it.
    private int count;

    /// <summary>How many clients are remembered.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Takes from a client's bucket; null when there was enough in it, else the time until there is.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="cost">How much, in tokens.</param>
    /// <param name="perSecond">Tokens that come back each second.</param>
    /// <param name="burst">Tokens in a full bucket.</param>
    public TimeSpan? Take(string client, double cost, double perSecond, double burst)
    {
        var now = time.GetElapsedTime(start).TotalSeconds;
        return For(client, now).Take(now, cost / perSecond, burst / perSecond) is { } wait ? TimeSpan.FromSeconds(wait) : null;
    }

    private Bucket For(string client, double now)
    {
        if (buckets.TryGetValue(client, out var known))
            return known;
        if (Count >= mostClients)
        {
            Forget(now);
            if (Count >= mostClients)
                return buckets.GetOrAdd(Others, static _ => new Bucket());
        }
        var added = new Bucket();
        var bucket = buckets.GetOrAdd(client, added);
        if (bucket == added)
            Interlocked.Increment(ref count);
        return bucket;
    }

    private void Forget(double now)
    {
        lock (forgetting)
        {
            if (now < nextForget)
                return;
            nextForget = now + ForgetEverySeconds;
        }
        foreach (var (client, bucket) in buckets)
        {
            if (client != Others && bucket.IsFull(now) && buckets.TryRemove(client, out _))
                Interlocked.Decrement(ref count);
        }
    }

    /// <summary>The generic cell rate algorithm: instead of tokens, the moment at which the bucket is full.</summary>
    private sealed class Bucket
    {
        private readonly Lock gate = new();
        private double fullAt;

        public double? Take(double now, double cost, double depth)
        {
            lock (gate)
            {
                var then = Math.Max(now, fullAt) + cost;
                var wait = then - now - depth;
                // A rounding error sends nobody away.
                if (wait > 1e-9)
                    return wait;
                fullAt = then;
                return null;
            }
        }

        public bool IsFull(double now)
        {
            lock (gate)
                return fullAt <= now;
        }
    }
}
