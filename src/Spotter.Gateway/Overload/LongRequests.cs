using System.Threading.RateLimiting;

namespace Spotter.Gateway.Overload;

/// <summary>
/// Who may hold on to a connection while nothing is moved: few enough that there are always connections for workers, and
/// for those who ask something quick. Nobody waits for a place.
/// </summary>
internal sealed class LongRequests(GatewaySettings settings) : IDisposable
{
    /// <summary>Event streams.</summary>
    public RateLimiter Streams { get; } = Places(settings.MaxStreams);

    /// <summary>Requests that wait for a result.</summary>
    public RateLimiter Waits { get; } = Places(settings.MaxWaits);

    /// <summary>Requests that wait for a drawing.</summary>
    public RateLimiter Drawings { get; } = Places(settings.MaxDrawings);

    public void Dispose()
    {
        Streams.Dispose();
        Waits.Dispose();
        Drawings.Dispose();
    }

    private static ConcurrencyLimiter Places(int most) => new(new ConcurrencyLimiterOptions { PermitLimit = most });
}

/// <summary>Taking a place.</summary>
internal static class PlaceExtensions
{
    /// <summary>A place, to be disposed of when it is left; null when all are taken.</summary>
    public static RateLimitLease? TryEnter(this RateLimiter places)
    {
        var lease = places.AttemptAcquire();
        return lease.IsAcquired ? lease : null;
    }
}
