using Spotter.Scaling;

namespace Spotter.Backends.Local;

/// <summary>Controllers of one process: no other has the folder open.</summary>
internal sealed class LocalControllerLease(TimeProvider clock) : IControllerLease
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string Holder, DateTimeOffset Until)> leases = new(StringComparer.Ordinal);

    public Task<string> HoldAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            if (leases.TryGetValue(pool, out var lease) && lease.Holder != holder && lease.Until > now)
                return Task.FromResult(lease.Holder);
            leases[pool] = (holder, now + duration);
            return Task.FromResult(holder);
        }
    }

    public Task ReleaseAsync(string pool, string holder, CancellationToken cancel)
    {
        lock (gate)
        {
            if (leases.TryGetValue(pool, out var lease) && lease.Holder == holder)
                leases.Remove(pool);
        }
        return Task.CompletedTask;
    }
}
