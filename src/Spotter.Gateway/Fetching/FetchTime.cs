using System.Globalization;
using Spotter.Core;
using Spotter.Gateway.Egress;

namespace Spotter.Gateway.Fetching;

/// <summary>The time that one URL may take, and what is said when that is over or its server fails.</summary>
internal sealed class FetchTime(TimeSpan longest, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource over = new(longest, clock);

    /// <summary>Cancelled when the time is over.</summary>
    public CancellationToken Token => over.Token;

    /// <summary>The refusal of a job whose picture could not be had.</summary>
    /// <param name="server">Scheme, host and port: the rest of a URL may hold a secret.</param>
    /// <param name="failed">What happened.</param>
    public SpotterException Refusal(string server, Exception failed) => over.IsCancellationRequested
        ? new(ErrorCodes.UrlFailed, string.Create(CultureInfo.InvariantCulture, $"The server {server} took longer than {longest.TotalSeconds:0.#} s; send the picture itself, or its URL again later."), failed)
        : EgressFaults.IsBlocked(failed)
            ? new(ErrorCodes.UrlForbidden, $"The address of {server} is not one that pictures may be fetched from; send the picture itself, or have the address allowed with {EgressUse.Pictures.Flag}.", failed)
            : new(ErrorCodes.UrlFailed, EgressFaults.Explain(failed, $"The server {server}") ?? $"The answer of the server {server} broke off.", failed);

    public void Dispose() => over.Dispose();
}
