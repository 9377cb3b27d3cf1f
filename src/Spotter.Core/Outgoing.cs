using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Spotter.Core;

/// <summary>
/// The one place that makes what opens connections to servers (an analyzer refuses any other, by src/BannedSymbols.txt). Nothing
/// made here connects anywhere but to the server it is given: a certificate names addresses where more certificates (AIA),
/// revocation lists (CRL) and their servers (OCSP) are to be found, and .NET would fetch from them, past every guard, whatever a
/// stranger's server had written there. So a server has to send its whole chain, and revocation is not looked up.
/// </summary>
public static class Outgoing
{
#pragma warning disable RS0030 // This is the one place.
    /// <summary>A handler that follows no redirect, keeps no cookie and uses no proxy, unless it is told otherwise.</summary>
    public static SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            // What a client sent of its trace (baggage, tracestate) is no business of other servers; who is to know of a trace is told.
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
        };
        KeepToServer(handler.SslOptions);
        return handler;
    }

    /// <summary>Has a certificate judged by what its server sends and this machine trusts, and by nothing from elsewhere.</summary>
    public static void KeepToServer(SslClientAuthenticationOptions tls) =>
        tls.CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
#pragma warning restore RS0030
}
