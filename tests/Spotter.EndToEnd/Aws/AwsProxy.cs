using System.Collections.Concurrent;
using System.Net;
using System.Text;
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

/// <summary>Stands before a server that speaks as Amazon's do: notes each request, and has some of them fail.</summary>
internal sealed class AwsProxy : IAsyncDisposable
{
    private readonly WebApplication web;
    private readonly Uri server;
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None }) { Timeout = TimeSpan.FromMinutes(2) };
    private readonly ConcurrentQueue<(DateTimeOffset At, AwsCall Call)> calls = new();

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
        using var content = new MemoryStream();
        await http.Request.Body.CopyToAsync(content, http.RequestAborted);
        var body = content.ToArray();
        // The path as it was sent: keys of objects may have escapes.
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var call = AwsCall.Of(http.Request.Method, http.Request.Path, http.Request.Headers["X-Amz-Target"], body);
        calls.Enqueue((TimeProvider.System.GetUtcNow(), call));
        var fault = Fault(call);
        if (fault is AwsFault.Error or AwsFault.Throttled)
        {
            await RefuseAsync(http, call, fault == AwsFault.Throttled);
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

    private static async Task RefuseAsync(HttpContext http, AwsCall call, bool isThrottled)
    {
        var (status, type) = (isThrottled, call.Service) switch
        {
            (true, "dynamodb") => (400, call.IsWrite ? "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException" : "com.amazon.coral.availability#ThrottlingException"),
            (true, _) => (403, "com.amazonaws.sqs#RequestThrottled"),
            _ => (500, "InternalServerError"),
        };
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/x-amz-json-1.0";
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($$"""{"__type":"{{type}}","message":"as the test wants it"}"""));
    }
}
