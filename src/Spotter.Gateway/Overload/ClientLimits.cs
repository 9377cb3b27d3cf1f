using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Overload;

/// <summary>Keeps one client from taking what is there for all: a token bucket for each, in tenths of a submission.</summary>
internal sealed class ClientLimits : PartitionedRateLimiter<HttpContext>
{
    /// <summary>Addresses share so many buckets, by a hash that nobody can foresee: no flood of addresses fills the memory.</summary>
    public const int AddressBuckets = 1 << 16;

    private const string Unlimited = "";

    private readonly PartitionedRateLimiter<HttpContext> buckets;
    private readonly GatewaySettings settings;

    public ClientLimits(GatewaySettings settings)
    {
        this.settings = settings;
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1 / Math.Max(settings.ClientRate * CallCost.Submission.Permits, 1e-3)),
            TokenLimit = settings.ClientBurst * CallCost.Submission.Permits,
        };
        // One timer fills all buckets, and forgets those that were full for ten seconds.
        buckets = PartitionedRateLimiter.Create<HttpContext, string>(http => settings.ClientRate > 0 && ClientOf(http) is { } client
            ? RateLimitPartition.GetTokenBucketLimiter(client, _ => bucket)
            : RateLimitPartition.GetNoLimiter(Unlimited));
    }

    /// <summary>
    /// Takes what a call turns out to cost besides what it has paid. Never more than the bucket holds in all: a client that
    /// has paused may send anything that is let in.
    /// </summary>
    /// <param name="http">The call.</param>
    /// <param name="cost">What it costs in all.</param>
    /// <param name="paid">What it has paid already.</param>
    /// <returns>What it has paid now.</returns>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.RateLimited"/>.</exception>
    public int Charge(HttpContext http, int cost, int paid)
    {
        cost = Math.Min(cost, settings.ClientBurst * CallCost.Submission.Permits);
        if (cost <= paid)
            return paid;
        using var lease = buckets.AttemptAcquire(http, cost - paid);
        return lease.IsAcquired ? cost : throw Refused(lease, string.Create(CultureInfo.InvariantCulture,
            $"The pictures of this request are as much work as {cost / (double)CallCost.Submission.Permits:0.#} submissions, and one client may make {settings.ClientRate:0.##} a second; send it more slowly, or smaller pictures."));
    }

    /// <summary>The refusal of a call that its client has not enough left for.</summary>
    public SpotterException Refused(RateLimitLease lease, string? why = null) => new(ErrorCodes.RateLimited, why ?? string.Create(CultureInfo.InvariantCulture,
        $"More than {settings.ClientRate:0.##} submissions a second came from one client; send them more slowly."))
    {
        RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : null,
    };

    public override RateLimiterStatistics? GetStatistics(HttpContext resource) => buckets.GetStatistics(resource);

    /// <summary>Who asks; null for what costs nothing, and for this machine itself without keys, as its programs are not strangers to each other.</summary>
    internal static string? ClientOf(HttpContext http) => CostOf(http) == 0 ? null : NameOf(http);

    /// <summary>A name for the client of a call; null for this machine itself without keys.</summary>
    internal static string? NameOf(HttpContext http)
    {
        if (Caller.Find(http) is { Key: { } key })
            return $"key {key}";
        var address = http.Connection.RemoteIpAddress;
        if (ClientAddress.IsLocal(address))
            return null;
        var hash = (uint)ClientAddress.NameOf(address).GetHashCode(StringComparison.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"addresses {hash % AddressBuckets}");
    }

    /// <summary>Takes what the call costs: the middleware asks for one permit, whatever is called.</summary>
    protected override RateLimitLease AttemptAcquireCore(HttpContext resource, int permitCount) => buckets.AttemptAcquire(resource, CostOf(resource));

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(HttpContext resource, int permitCount, CancellationToken cancellationToken) =>
        buckets.AcquireAsync(resource, CostOf(resource), cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            buckets.Dispose();
        base.Dispose(disposing);
    }

    private static int CostOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<CallCost>()?.Permits ?? 0;
}

/// <summary>Registers what keeps one client, or one kind of request, from taking everything.</summary>
internal static class LimitRegistration
{
    /// <summary>Adds the limits.</summary>
    public static IServiceCollection AddLimits(this IServiceCollection services)
    {
        services.AddSingleton<LongRequests>().AddSingleton<ClientLimits>().AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<ClientLimits>((limits, clients) =>
        {
            limits.GlobalLimiter = clients;
            limits.OnRejected = (refused, _) => throw clients.Refused(refused.Lease);
        });
        return services;
    }
}
