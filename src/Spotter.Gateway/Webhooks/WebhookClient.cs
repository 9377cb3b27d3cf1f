using System.Net;
using System.Net.Http.Headers;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Jobs;

namespace Spotter.Gateway.Webhooks;

/// <summary>
/// Posts to strangers: dials only what the guard has looked at, follows nothing, keeps nothing, and waits and reads
/// no more than it was told to.
/// </summary>
internal sealed class WebhookClient : IDisposable
{
    /// <summary>What becomes known of a delivery that was kept from an address.</summary>
    public const string Blocked = "blocked: the endpoint's address is not one that webhook deliveries may go to.";

    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(1);

    private readonly WebhookSettings settings;
    private readonly TimeProvider wallClock;
    private readonly HttpClient http;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="guard">Says where to.</param>
    /// <param name="settings">How.</param>
    /// <param name="wallClock">The time of day, as receivers have it: they refuse signatures that are minutes off.</param>
    public WebhookClient(EgressGuard guard, WebhookSettings settings, TimeProvider wallClock)
    {
        (this.settings, this.wallClock) = (settings, wallClock);
        var handler = Outgoing.NewHandler();
        handler.ConnectCallback = guard.ConnectAsync;
        handler.AutomaticDecompression = DecompressionMethods.None;
        // The span of the delivery tells of it.
        handler.ActivityHeadersPropagator = null;
        handler.MaxConnectionsPerServer = settings.Delivery.PerEndpoint;
        handler.PooledConnectionLifetime = TimeSpan.FromSeconds(30);
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10);
        handler.MaxResponseHeadersLength = 32;
        // An answer that was not read to its end costs its connection.
        handler.MaxResponseDrainSize = 0;
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Makes one attempt.</summary>
    /// <param name="url">Where to; checked already.</param>
    /// <param name="id">The delivery's id.</param>
    /// <param name="body">What it says, as JSON.</param>
    /// <param name="secrets">What signs it.</param>
    /// <param name="cancel">Then nothing is known of what became of it.</param>
    /// <param name="headers">Headers that the endpoint wants besides; null for none.</param>
    public async Task<DeliveryOutcome> PostAsync(
        Uri url, string id, byte[] body, IReadOnlyList<WebhookSecret> secrets, CancellationToken cancel, IReadOnlyDictionary<string, string>? headers = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body),
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Spotter", null));
        foreach (var (name, value) in headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
            request.Headers.TryAddWithoutValidation(name, value);
        WebhookSignature.Sign(request.Headers, secrets, id, wallClock.GetUtcNow(), body);
        if (JobTracing.Context is { } trace)
            request.Headers.Add("traceparent", trace);
        return await SendAsync(request, cancel);
    }

    /// <summary>Makes one attempt to call an address that says all by itself.</summary>
    /// <param name="method">How it is called.</param>
    /// <param name="url">The address; checked already.</param>
    /// <param name="cancel">Then nothing is known of what became of it.</param>
    public async Task<DeliveryOutcome> CallAsync(HttpMethod method, Uri url, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Spotter", null));
        return await SendAsync(request, cancel);
    }

    public void Dispose() => http.Dispose();

    private async Task<DeliveryOutcome> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            var answer = WebhookAnswer.Of((int)response.StatusCode, response.Headers.RetryAfter, wallClock.GetUtcNow());
            await DrainAsync(response, cancel);
            return answer;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return Explain(failed);
        }
    }

    /// <summary>Reads what little an answer may say, so that the connection can be used again.</summary>
    private async Task DrainAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(LongestDrain, wallClock);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            await using var content = await response.Content.ReadAsStreamAsync(ended.Token);
            var buffer = new byte[8 * 1024];
            for (var left = settings.MaxAnswerBytes; left > 0;)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)), ended.Token);
                if (read == 0)
                    return;
                left -= read;
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            // The status came first, and it is all that counts.
        }
    }

    private static DeliveryOutcome Explain(Exception failed) => EgressFaults.IsBlocked(failed)
        ? new DeliveryOutcome.GivenUp(null, Blocked)
        : WebhookAnswer.None(EgressFaults.Explain(failed, "The endpoint") ?? "The delivery broke off.");
}
