using Spotter.Core;

namespace Spotter.Scaling;

/// <summary>Who scales a pool.</summary>
public enum ControllerRole
{
    /// <summary>This controller.</summary>
    Active,

    /// <summary>Another one.</summary>
    Standby,

    /// <summary>The store does not say, so nobody should do anything.</summary>
    Unknown,
}

/// <summary>Whether this controller is the one that scales its pool. For one caller at a time.</summary>
/// <param name="lease">Where that is settled.</param>
/// <param name="pool">The pool; when that changes, the lease on the one before is given back.</param>
/// <param name="holder">This controller's name, the same after a restart, so that it need not wait for itself.</param>
/// <param name="time">The clock.</param>
public sealed class ControllerTerm(IControllerLease lease, Func<string> pool, string holder, TimeProvider time)
{
    /// <summary>How long the lease lasts unless it is renewed: after a crash another controller takes over within this and a renewal's time.</summary>
    public TimeSpan Duration => 3 * lease.Pace;

    private string current = pool();
    private long? askedAt;
    private long? heldSince;

    /// <summary>The other controller that scales the pool; null when there is none, or it is not known.</summary>
    public string? Other { get; private set; }

    /// <summary>Renews the lease, or tries to take it, where it is time to. Who scales the pool now.</summary>
    public async Task<ControllerRole> RenewAsync(CancellationToken cancel)
    {
        if (pool() is var wanted && wanted != current)
        {
            await ReleaseAsync(cancel);
            (current, askedAt, Other) = (wanted, null, null);
        }
        var now = time.GetTimestamp();
        if (askedAt is not { } asked || time.GetElapsedTime(asked, now) >= lease.Pace)
        {
            askedAt = now;
            try
            {
                var active = await lease.HoldAsync(current, holder, Duration, cancel);
                heldSince = active == holder ? now : null;
                Other = active == holder ? null : active;
            }
            catch (SpotterException)
            {
                // As good as it was until it has run out: nobody else can have taken it.
                Other = null;
            }
        }
        if (heldSince is { } since && time.GetElapsedTime(since) < Duration)
            return ControllerRole.Active;
        return Other is null ? ControllerRole.Unknown : ControllerRole.Standby;
    }

    /// <summary>Lets another controller take over at once.</summary>
    public async Task ReleaseAsync(CancellationToken cancel)
    {
        if (heldSince is null)
            return;
        (heldSince, askedAt) = (null, null);
        try
        {
            await lease.ReleaseAsync(current, holder, cancel);
        }
        catch (SpotterException)
        {
            // It runs out.
        }
    }
}
