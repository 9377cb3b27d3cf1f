using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Spotter.Tests.Worker;

/// <summary>The metadata service of an EC2 instance, as IMDSv2: without a token of its own it answers nothing, and what there is not is not found.</summary>
public sealed class MetadataService : IAsyncDisposable
{
    private readonly WebApplication host;
    private int tokens;

    private MetadataService()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        host = builder.Build();
        host.Urls.Add("http://127.0.0.1:0");
        host.MapPut("/latest/api/token", Token);
        host.MapGet("/latest/meta-data/{**what}", Answer);
    }

    public Uri Address { get; private set; } = null!;

    /// <summary>What it says, by the path below <c>/latest/meta-data/</c>.</summary>
    public ConcurrentDictionary<string, string> Says { get; } = new(StringComparer.Ordinal) { ["autoscaling/target-lifecycle-state"] = "InService" };

    /// <summary>What was asked, and how it was answered.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public static async Task<MetadataService> StartAsync()
    {
        var service = new MetadataService();
        await service.host.StartAsync();
        service.Address = new Uri(service.host.Urls.First());
        return service;
    }

    /// <summary>Amazon takes the instance back.</summary>
    public void Interrupt(DateTimeOffset at) => Says["spot/instance-action"] = $$"""{"action": "terminate", "time": "{{at.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}}"}""";

    /// <summary>From now on no token counts that it has given out.</summary>
    public void ForgetTokens() => Interlocked.Increment(ref tokens);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await host.StopAsync(now.Token);
        await host.DisposeAsync();
    }

    private IResult Token(HttpContext http) => int.TryParse(http.Request.Headers["X-aws-ec2-metadata-token-ttl-seconds"], System.Globalization.CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 21600
        ? Results.Text($"token{Interlocked.Increment(ref tokens)}") : Results.StatusCode(StatusCodes.Status400BadRequest);

    private IResult Answer(string what, HttpContext http)
    {
        var isKnown = http.Request.Headers["X-aws-ec2-metadata-token"] == $"token{Volatile.Read(ref tokens)}";
        var says = isKnown && Says.TryGetValue(what, out var text) ? text : null;
        Asked.Enqueue($"{what} {(isKnown ? says is null ? 404 : 200 : 401)}");
        return isKnown ? says is null ? Results.NotFound() : Results.Text(says) : Results.Unauthorized();
    }
}
