using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Overload;

/// <summary>A number of places for all, of which one client may take a part. Nobody waits for one.</summary>
internal sealed class Places : IDisposable
{
    private const string Unshared = "";

    private readonly PartitionedRateLimiter<HttpContext> limiter;

    /// <summary>Places, all of them free.</summary>
    /// <param name="most">How many there are.</param>
    /// <param name="part">One client may take one in so many.</param>
    public Places(int most, int part = 4)
    {
        (Most, Share) = (most, Math.Max(1, most / part));
        var all = new ConcurrencyLimiterOptions { PermitLimit = most };
        var share = new ConcurrencyLimiterOptions { PermitLimit = Share };
        limiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(http => ClientLimits.NameOf(http) is { } client
                ? RateLimitPartition.GetConcurrencyLimiter(client, _ => share)
                : RateLimitPartition.GetNoLimiter(Unshared)),
            PartitionedRateLimiter.Create<HttpContext, string>(_ => RateLimitPartition.GetConcurrencyLimiter(Unshared, _ => all)));
    }

    /// <summary>How many places there are.</summary>
    public int Most { get; }

    /// <summary>How many of them one client may take.</summary>
    public int Share { get; }

    /// <summary>A place, to be disposed of when it is left; null when all are taken, or all of this client's.</summary>
    public RateLimitLease? TryEnter(HttpContext http)
    {
        var lease = limiter.AttemptAcquire(http);
        if (lease.IsAcquired)
            return lease;
        lease.Dispose();
        return null;
    }

    /// <summary>How many places a client would find free at this moment.</summary>
    public long FreeFor(HttpContext http) => limiter.GetStatistics(http)?.CurrentAvailablePermits ?? Most;

    /// <inheritdoc/>
    public void Dispose() => limiter.Dispose();
}
