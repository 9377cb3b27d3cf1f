using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Spotter.EndToEnd.Watch;

/// <summary>How a camera asks who somebody is.</summary>
internal enum CameraAccess
{
    Open,
    Basic,
    Digest,
}

/// <summary>A camera that answers with what it sees now. It can go away, and come back at its address.</summary>
internal sealed partial class HttpCamera : IAsyncDisposable
{
    public const string User = "viewer";
    public const string Password = "p@ss:wörd/1";

    private const string Nonce = "0a4f113b";

    private readonly CameraAccess access;
    private readonly int port;
    private WebApplication? web;
    private int asked;
    private int failed;

    private HttpCamera(CameraAccess access)
    {
        this.access = access;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>What it sees: the brightness of everything.</summary>
    public volatile byte Shade = 200;

    /// <summary>The status with which it answers in place of a picture; 0 for none.</summary>
    public volatile int Status;

    /// <summary>How many pictures it has given.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>How often it has answered with another status.</summary>
    public int Failed => Volatile.Read(ref failed);

    /// <summary>Its address.</summary>
    public string Url => $"http://127.0.0.1:{port}/snapshot.jpg?channel=1";

    /// <summary>Its address with user and password.</summary>
    public string UrlWithPassword => $"http://{User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{port}/snapshot.jpg?channel=1";

    public static async Task<HttpCamera> StartAsync(CameraAccess access = CameraAccess.Open)
    {
        var camera = new HttpCamera(access);
        await camera.ComeBackAsync();
        return camera;
    }

    public async Task GoAwayAsync()
    {
        if (web is null)
            return;
        await web.StopAsync();
        await web.DisposeAsync();
        web = null;
    }

    public async Task ComeBackAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{port}");
        web = builder.Build();
        web.Run(AnswerAsync);
        await web.StartAsync();
    }

    public async ValueTask DisposeAsync() => await GoAwayAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        if (!LetsIn(http.Request))
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = access == CameraAccess.Basic ? "Basic realm=\"camera\"" : $"Digest realm=\"camera\", nonce=\"{Nonce}\", qop=\"auth\", algorithm=MD5";
            return;
        }
        if (Status != 0)
        {
            http.Response.StatusCode = Status;
            Interlocked.Increment(ref failed);
            return;
        }
        http.Response.ContentType = "image/jpeg";
        await http.Response.Body.WriteAsync(Pictures.Jpeg(Shade));
        Interlocked.Increment(ref asked);
    }

    private bool LetsIn(HttpRequest request)
    {
        var given = request.Headers.Authorization.ToString();
        if (access == CameraAccess.Open)
            return true;
        if (access == CameraAccess.Basic)
            return given == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
        if (!given.StartsWith("Digest ", StringComparison.Ordinal))
            return false;
        var said = Field().Matches(given).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["value"].Value, StringComparer.Ordinal);
        var (one, two) = (Md5($"{User}:camera:{Password}"), Md5($"GET:{said["uri"]}"));
        return said["username"] == User && said["response"] == Md5($"{one}:{Nonce}:{said["nc"]}:{said["cnonce"]}:auth:{two}");
    }

#pragma warning disable CA5351 // What cameras have.
    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351

    [GeneratedRegex("""(?<name>\w+)="?(?<value>[^",]*)"?""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Field();
}
