using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Spotter.Tests.Http;

/// <summary>
/// A server whose certificate says where its issuer's certificate (AIA), its revocation list (CRL) and its state (OCSP) are to be
/// had, all of it at a listener that counts who comes. It speaks TLS at once, or after PostgreSQL's question for it.
/// </summary>
internal sealed class PointingServer : IAsyncDisposable
{
    private const int SslRequest = 80877103;

    private readonly TcpListener server = new(IPAddress.Loopback, 0);
    private readonly TcpListener pointedAt = new(IPAddress.Loopback, 0);
    private readonly SslStreamCertificateContext certificate;
    private readonly CancellationTokenSource ended = new();
    private readonly ConcurrentQueue<string> fetches = new();
    private readonly SemaphoreSlim handshakes = new(0);
    private readonly Task[] serving;

    public PointingServer()
    {
        server.Start();
        pointedAt.Start();
        // Offline, or this process would fetch what it points at itself.
        certificate = SslStreamCertificateContext.Create(NewCertificate(), additionalCertificates: null, offline: true);
        serving = [AcceptAsync(server, ServeAsync), AcceptAsync(pointedAt, CountAsync)];
    }

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port => PortOf(server);

    /// <summary>Its address.</summary>
    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{Port}/"));

    /// <summary>Where its certificate points.</summary>
    public int PointedAtPort => PortOf(pointedAt);

    /// <summary>What was asked for where its certificate points.</summary>
    public IReadOnlyList<string> Fetches => [.. fetches];

    /// <summary>Waits until a client has made up its mind about the certificate.</summary>
    public async Task JudgedAsync() => (await handshakes.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue("nobody came");

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        server.Stop();
        pointedAt.Stop();
        await Task.WhenAll(serving);
        ended.Dispose();
        handshakes.Dispose();
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private async Task AcceptAsync(TcpListener listener, Func<TcpClient, Task> serve)
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(serve(await listener.AcceptTcpClientAsync(ended.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var held = client;
        try
        {
            await using var stream = client.GetStream();
            var first = new byte[8];
            while (await client.Client.ReceiveAsync(first.AsMemory(0, 1), SocketFlags.Peek, ended.Token) == 1 && first[0] == 0)
            {
                await stream.ReadExactlyAsync(first, ended.Token);
                var asksForTls = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(first.AsSpan(4)) == SslRequest;
                await stream.WriteAsync(asksForTls ? "S"u8.ToArray() : "N"u8.ToArray(), ended.Token);
            }
            await using var tls = new SslStream(stream);
            try
            {
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate }, ended.Token);
                // With TLS 1.3 a client that has refused says so only now.
                _ = await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, ended.Token);
            }
            finally
            {
                handshakes.Release();
            }
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException or OperationCanceledException or SocketException)
        {
        }
    }

    private async Task CountAsync(TcpClient client)
    {
        using var held = client;
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        fetches.Enqueue(await reader.ReadLineAsync(ended.Token) ?? "");
        await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    }

    private X509Certificate2 NewCertificate()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuing = new CertificateRequest("CN=Nobody's CA", issuerKey, HashAlgorithmName.SHA256);
        issuing.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var issuer = issuing.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var place = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{PointedAtPort}");
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([$"{place}/ocsp"], [$"{place}/issuer.cer"]));
        request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"{place}/revoked.crl"]));
        using var signed = request.Create(issuer, now.AddHours(-1), now.AddDays(1), [1, 2, 3, 4]);
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), password: null);
    }
}
