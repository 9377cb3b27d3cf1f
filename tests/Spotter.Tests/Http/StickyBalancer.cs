using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Spotter.Tests.Http;

/// <summary>
/// A load balancer as Amazon's: a client that shows its cookie goes where it was before, any other to the next target. One that can't
/// be reached is a 502.
/// </summary>
public sealed class StickyBalancer : IAsyncDisposable
{
    private const string Name = "AWSALB";

    // An answer of any length, and a long poll; nothing but the test ends them.
    private readonly HttpClient client = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly WebApplication host;
    private readonly IReadOnlyList<Uri> targets;
    private int next;

    private StickyBalancer(IReadOnlyList<Uri> targets)
    {
        this.targets = targets;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        host = builder.Build();
        host.Urls.Add("http://127.0.0.1:0");
        host.Run(ForwardAsync);
    }

    public Uri Address { get; private set; } = null!;

    /// <summary>Where each request went and how it was answered, as <c>1 POST /v1/workers/w/take 200</c>.</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    /// <summary>Starts one; the first request without a cookie goes to the first target.</summary>
    public static async Task<StickyBalancer> StartAsync(params IReadOnlyList<Uri> targets)
    {
        var balancer = new StickyBalancer(targets);
        await balancer.host.StartAsync();
        balancer.Address = new Uri(balancer.host.Urls.First());
        return balancer;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await host.StopAsync(now.Token);
        await host.DisposeAsync();
        client.Dispose();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var target = int.TryParse(http.Request.Cookies[Name], CultureInfo.InvariantCulture, out var before) ? before : (Interlocked.Increment(ref next) - 1) % targets.Count;
        http.Response.Headers.SetCookie = $"{Name}={target}; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Path=/";
        using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri(targets[target], http.Request.Path + http.Request.QueryString));
        if (http.Request.ContentLength is > 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(http.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        }
        request.Headers.TryAddWithoutValidation("Authorization", http.Request.Headers.Authorization.ToString());
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            Seen.Enqueue($"{target} {request.Method} {http.Request.Path} {http.Response.StatusCode}");
            await answer.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
        }
        catch (HttpRequestException)
        {
            http.Response.StatusCode = StatusCodes.Status502BadGateway;
            Seen.Enqueue($"{target} {request.Method} {http.Request.Path} {http.Response.StatusCode}");
        }
    }
}
