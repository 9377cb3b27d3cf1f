using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
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

    /// <summary>A connection for a protocol that is not HTTP, over TLS or bare; disposing of the stream closes it.</summary>
    /// <param name="host">The server's name or address, which its certificate has to be for.</param>
    /// <param name="port">The port.</param>
    /// <param name="isSecure">True for TLS.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="SocketException">The server can't be reached.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">Its certificate is not trusted.</exception>
    public static async Task<Stream> ConnectAsync(string host, int port, bool isSecure, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(host, port, cancel);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (!isSecure)
                return stream;
            var secure = new SslStream(stream);
            stream = secure;
            var tls = new SslClientAuthenticationOptions { TargetHost = host };
            KeepToServer(tls);
            await secure.AuthenticateAsClientAsync(tls, cancel);
            return secure;
        }
        catch
        {
            if (stream is not null)
                await stream.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }
#pragma warning restore RS0030
}
