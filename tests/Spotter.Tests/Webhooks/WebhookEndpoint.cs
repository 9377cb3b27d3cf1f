using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Spotter.Tests.Webhooks;

/// <summary>Somebody's server that receives webhooks, on a free port of this machine.</summary>
internal sealed class WebhookEndpoint : IAsyncDisposable
{
    private readonly WebApplication web;
    private readonly Func<HttpContext, int, Task> answer;
    private readonly ConcurrentQueue<ReceivedWebhook> deliveries = new();
    private readonly SemaphoreSlim arrived = new(0);
    private int count;
    private int open;
    private int mostOpen;

    private WebhookEndpoint(Func<HttpContext, int, Task> answer)
    {
        this.answer = answer;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        web = builder.Build();
        web.Run(ReceiveAsync);
    }

    /// <summary>What came, in its order.</summary>
    public IReadOnlyList<ReceivedWebhook> Deliveries => [.. deliveries];

    /// <summary>Most deliveries that were open at one time.</summary>
    public int MostOpen => mostOpen;

    /// <summary>Its address.</summary>
    public Uri Address => new(web.Urls.First());

    /// <summary>Where webhooks are to go.</summary>
    public string Url => new Uri(Address, "/hook?key=hidden").ToString();

    /// <summary>Starts one that answers with a status.</summary>
    public static Task<WebhookEndpoint> StartAsync(int status = 200) => StartAsync((http, _) =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    /// <summary>Starts one.</summary>
    /// <param name="answer">Answers a delivery; the number says which one, from 1.</param>
    public static async Task<WebhookEndpoint> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var endpoint = new WebhookEndpoint(answer);
        await endpoint.web.StartAsync();
        return endpoint;
    }

    /// <summary>
    /// Whether a signature is good, by the text of the specification and nothing of the service's own: HMAC-SHA256 with the
    /// Base64 after <c>whsec_</c> over id, timestamp and body with dots between.
    /// </summary>
    public static bool Verify(string secret, string id, string timestamp, string header, byte[] body)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        byte[] content = [.. Encoding.ASCII.GetBytes(id), (byte)'.', .. Encoding.ASCII.GetBytes(timestamp), (byte)'.', .. body];
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, content));
        return header.Split(' ').Contains(expected, StringComparer.Ordinal);
    }

    /// <summary>Waits for the next delivery.</summary>
    public async Task<ReceivedWebhook> NextAsync()
    {
        (await arrived.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue("no webhook came");
        return deliveries.ElementAt(Interlocked.Increment(ref count) - 1);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await web.StopAsync(now.Token);
        await web.DisposeAsync();
        arrived.Dispose();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        var now = Interlocked.Increment(ref open);
        InterlockedMax(ref mostOpen, now);
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            int number;
            lock (deliveries)
            {
                deliveries.Enqueue(new ReceivedWebhook(
                    http.Request.Method, http.Request.Path + http.Request.QueryString,
                    http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray()));
                number = deliveries.Count;
            }
            arrived.Release();
            await answer(http, number);
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; value > seen;)
            seen = Interlocked.CompareExchange(ref target, value, seen) is var was && was == seen ? value : was;
    }
}

/// <summary>A request that an endpoint got.</summary>
internal sealed record ReceivedWebhook(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];

    public DateTimeOffset Timestamp => DateTimeOffset.FromUnixTimeSeconds(long.Parse(Headers["webhook-timestamp"], CultureInfo.InvariantCulture));

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public bool IsSignedBy(string secret) => WebhookEndpoint.Verify(secret, Id, Headers["webhook-timestamp"], Headers["webhook-signature"], Body);
}
