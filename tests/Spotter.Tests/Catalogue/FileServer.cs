using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Spotter.Tests.Catalogue;

/// <summary>What a request asked for.</summary>
public sealed record Asked(string Path, string? Range, string? IfRange);

/// <summary>A real web server in the test's process that has one file and can be told how to give it away.</summary>
public sealed class FileServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<RequestDelegate> turns = new();
    private readonly ConcurrentQueue<Asked> asked = new();

    private FileServer(WebApplication app) => this.app = app;

    /// <summary>Its file.</summary>
    public byte[] Content { get; set; } = Bytes(200_000, seed: 1);

    /// <summary>The tag of the file's version.</summary>
    public string Tag { get; set; } = "\"one\"";

    /// <summary>False when it does not know ranges.</summary>
    public bool Ranges { get; set; } = true;

    public Uri Address { get; private set; } = null!;

    /// <summary>The requests so far, and forgets them.</summary>
    public IReadOnlyList<Asked> Requests()
    {
        List<Asked> all = [];
        while (asked.TryDequeue(out var one))
            all.Add(one);
        return all;
    }

    /// <param name="certificate">Serves over HTTPS with it; null for HTTP.</param>
    public static async Task<FileServer> StartAsync(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            if (certificate is not null)
                endpoint.UseHttps(certificate);
        }));
        var server = new FileServer(builder.Build());
        server.app.Run(server.AnswerAsync);
        await server.app.StartAsync();
        server.Address = new(server.app.Urls.Single());
        return server;
    }

    /// <summary>A certificate for <paramref name="host"/> that nobody vouches for but itself.</summary>
    public static X509Certificate2 Certificate(string host)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    /// <summary>Bytes that say nothing.</summary>
    public static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        Core.RandomSource.Seeded(seed).Fill(bytes);
        return bytes;
    }

    /// <summary>How the next requests are answered, one each; after that the file is given.</summary>
    public void Next(params RequestDelegate[] answers)
    {
        foreach (var answer in answers)
            turns.Enqueue(answer);
    }

    /// <summary>Gives the beginning of the file, then breaks the connection.</summary>
    public RequestDelegate CutAfter(int bytes) => async http =>
    {
        http.Response.ContentLength = Content.Length;
        http.Response.Headers.ETag = Tag;
        await http.Response.Body.WriteAsync(Content.AsMemory(0, bytes));
        await http.Response.Body.FlushAsync();
        // What has been sent but not read by the other side may be lost with the connection.
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        http.Abort();
    };

    /// <summary>Gives the file with all that belongs to it.</summary>
    public async Task GiveAsync(HttpContext http)
    {
        var from = 0;
        http.Response.Headers.ETag = Tag;
        var range = http.Request.GetTypedHeaders().Range;
        var tag = http.Request.Headers.IfRange.ToString();
        var unchanged = tag.Length == 0 || tag == Tag;
        if (Ranges && unchanged && range?.Ranges.Single().From is { } start)
        {
            if (start >= Content.Length)
            {
                http.Response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                return;
            }
            from = (int)start;
            http.Response.StatusCode = StatusCodes.Status206PartialContent;
            http.Response.Headers.ContentRange = $"bytes {from}-{Content.Length - 1}/{Content.Length}";
        }
        http.Response.ContentLength = Content.Length - from;
        await http.Response.Body.WriteAsync(Content.AsMemory(from));
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private Task AnswerAsync(HttpContext http)
    {
        static string? Header(Microsoft.Extensions.Primitives.StringValues values) => values.Count == 0 ? null : values.ToString();
        asked.Enqueue(new(
            http.Features.Get<IHttpRequestFeature>()!.RawTarget, Header(http.Request.Headers.Range), Header(http.Request.Headers.IfRange)));
        return turns.TryDequeue(out var answer) ? answer(http) : GiveAsync(http);
    }
}
