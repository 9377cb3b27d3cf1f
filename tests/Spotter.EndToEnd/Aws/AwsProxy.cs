using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Spotter.EndToEnd.Aws;

/// <summary>What becomes of a request instead of an answer.</summary>
internal enum AwsFault
{
    /// <summary>The service has an error of its own.</summary>
    Error,

    /// <summary>The service takes no more for now.</summary>
    Throttled,

    /// <summary>The connection breaks before the service has heard of it.</summary>
    CutBefore,

    /// <summary>The service does it, and the connection breaks before the answer.</summary>
    CutAfter,
}

/// <summary>An answer of the proxy's own, as the service would give it.</summary>
/// <param name="Code">The error's code.</param>
/// <param name="Message">What it says.</param>
/// <param name="Status">The HTTP status.</param>
internal sealed record AwsRefusal(string Code, string Message, int Status = 400);

/// <summary>Stands before a server that speaks as Amazon's do: notes each request, and has some of them fail.</summary>
internal sealed class AwsProxy : IAsyncDisposable
{
    private readonly WebApplication web;
    private readonly Uri server;
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None }) { Timeout = TimeSpan.FromMinutes(2) };
    private readonly ConcurrentQueue<(DateTimeOffset At, AwsCall Call)> calls = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> keys = new(StringComparer.Ordinal);
    private int given;
    private int keysRefused;

    private AwsProxy(Uri server)
    {
        this.server = server;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        web = builder.Build();
        web.Run(ServeAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(web.Urls.First());

    /// <summary>Says what becomes of a request; null for the server's own answer.</summary>
    public Func<AwsCall, AwsFault?> Fault { get; set; } = _ => null;

    /// <summary>Says what is refused for good; null for the server's own answer.</summary>
    public Func<AwsCall, AwsRefusal?> Refuse { get; set; } = _ => null;

    /// <summary>How far the service's clock is ahead of this machine's. Signatures that are not of its time are refused, as Amazon does after five minutes.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>How long keys hold that are fetched from <see cref="Keys"/>; null where any key will do.</summary>
    public TimeSpan? KeysHold { get; set; }

    /// <summary>Where a process gets keys, as one in a container does.</summary>
    public Uri Keys => new(Address, "/keys");

    /// <summary>How many keys were given.</summary>
    public int KeysGiven => given;

    /// <summary>How many requests were refused because of their key.</summary>
    public int KeysRefused => keysRefused;

    /// <summary>The requests that have come, and when.</summary>
    public IReadOnlyList<(DateTimeOffset At, AwsCall Call)> Calls => [.. calls];

    /// <summary>Starts one before a server.</summary>
    public static async Task<AwsProxy> StartAsync(Uri server)
    {
        var proxy = new AwsProxy(server);
        await proxy.web.StartAsync();
        return proxy;
    }

    /// <summary>Forgets what has come.</summary>
    public void Clear() => calls.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await web.StopAsync(now.Token);
        await web.DisposeAsync();
        client.Dispose();
    }

    private async Task ServeAsync(HttpContext http)
    {
        http.Response.Headers.Date = (TimeProvider.System.GetUtcNow() + Ahead).ToString("r", CultureInfo.InvariantCulture);
        if (http.Request.Path == "/keys")
        {
            await GiveKeyAsync(http);
            return;
        }
        using var content = new MemoryStream();
        await http.Request.Body.CopyToAsync(content, http.RequestAborted);
        var body = content.ToArray();
        // The path as it was sent: keys of objects may have escapes.
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var call = AwsCall.Of(http.Request.Method, http.Request.Path, http.Request.Headers["X-Amz-Target"], body);
        calls.Enqueue((TimeProvider.System.GetUtcNow(), call));
        var fault = Fault(call);
        if ((fault is AwsFault.Error or AwsFault.Throttled ? RefusalOf(call, fault == AwsFault.Throttled) : Refuse(call) ?? JudgeSignature(http, call)) is { } refusal)
        {
            await RefuseAsync(http, call, refusal);
            return;
        }
        if (fault == AwsFault.CutBefore)
        {
            http.Abort();
            return;
        }
        try
        {
            await PassAsync(http, path, body, isAnswered: fault != AwsFault.CutAfter);
        }
        catch (Exception gone) when (gone is OperationCanceledException or HttpRequestException or IOException)
        {
            http.Abort();
        }
    }

    private async Task PassAsync(HttpContext http, string path, byte[] body, bool isAnswered)
    {
        using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri(server, path));
        if (body.Length > 0 || http.Request.Method is "PUT" or "POST")
            request.Content = new ByteArrayContent(body);
        foreach (var header in http.Request.Headers.Where(h => h.Key is not ("Content-Length" or "Connection" or "Transfer-Encoding" or "Expect")))
        {
            // The host, too: queues have addresses that begin with it.
            if (!request.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value))
                request.Content?.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
        }
        using var response = await client.SendAsync(request, http.RequestAborted);
        var answer = await response.Content.ReadAsByteArrayAsync(http.RequestAborted);
        if (!isAnswered)
        {
            http.Abort();
            return;
        }
        http.Response.StatusCode = (int)response.StatusCode;
        foreach (var header in response.Headers.Concat(response.Content.Headers).Where(h => h.Key is not ("Connection" or "Transfer-Encoding" or "Server" or "Date")))
            http.Response.Headers[header.Key] = header.Value.ToArray();
        if (http.Request.Method != "HEAD")
            await http.Response.Body.WriteAsync(answer, http.RequestAborted);
    }

    private async Task GiveKeyAsync(HttpContext http)
    {
        var (name, until) = ($"key-{Interlocked.Increment(ref given)}", TimeProvider.System.GetUtcNow() + KeysHold!.Value);
        keys[name] = until;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync($$"""{"AccessKeyId":"{{name}}","SecretAccessKey":"secret-of-{{name}}","Token":"token-of-{{name}}","Expiration":"{{until:yyyy-MM-ddTHH:mm:ssZ}}"}""");
    }

    private AwsRefusal? JudgeSignature(HttpContext http, AwsCall call)
    {
        var signed = http.Request.Headers.Authorization.ToString();
        if (KeysHold is not null)
        {
            var name = signed.Split("Credential=") is [_, var rest] ? rest.Split('/')[0] : "";
            if (!(keys.TryGetValue(name, out var until) && TimeProvider.System.GetUtcNow() <= until))
            {
                Interlocked.Increment(ref keysRefused);
                return new(call.Service == "s3" ? "ExpiredToken" : "ExpiredTokenException", "The security token included in the request is expired");
            }
        }
        if (Ahead != default && DateTimeOffset.TryParseExact(
            http.Request.Headers["X-Amz-Date"], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && (TimeProvider.System.GetUtcNow() + Ahead - at).Duration() > TimeSpan.FromMinutes(5))
        {
            return call.Service == "s3"
                ? new("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403)
                : new("InvalidSignatureException", "Signature expired.", call.Service == "sqs" ? 403 : 400);
        }
        return null;
    }

    private static AwsRefusal RefusalOf(AwsCall call, bool isThrottled) => (isThrottled, call.Service) switch
    {
        (true, "dynamodb") => new(call.IsWrite ? "ProvisionedThroughputExceededException" : "ThrottlingException", AsWanted),
        (true, _) => new("RequestThrottled", AsWanted, 403),
        _ => new("InternalServerError", AsWanted, 500),
    };

    private const string AsWanted = "as the test wants it";

    private static async Task RefuseAsync(HttpContext http, AwsCall call, AwsRefusal refusal)
    {
        http.Response.StatusCode = refusal.Status;
        var isXml = call.Service == "s3";
        http.Response.ContentType = isXml ? "application/xml" : "application/x-amz-json-1.0";
        await http.Response.WriteAsync(isXml
            ? $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{refusal.Code}</Code><Message>{refusal.Message}</Message></Error>"
            : $$"""{"__type":"com.amazonaws#{{refusal.Code}}","message":"{{refusal.Message}}"}""");
    }
}
