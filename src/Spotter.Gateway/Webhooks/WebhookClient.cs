using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Webhooks;

/// <summary>
/// Posts to strangers: dials only what the guard has looked at, follows nothing, keeps nothing, and waits and reads
/// no more than it was told to.
/// </summary>
internal sealed class WebhookClient : IDisposable
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(1);

    private readonly CallbackGuard guard;
    private readonly WebhookSettings settings;
    private readonly TimeProvider wallClock;
    private readonly HttpClient http;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="guard">Says where to.</param>
    /// <param name="settings">How.</param>
    /// <param name="wallClock">The time of day, as receivers have it: they refuse signatures that are minutes off.</param>
    public WebhookClient(CallbackGuard guard, WebhookSettings settings, TimeProvider wallClock)
    {
        (this.guard, this.settings, this.wallClock) = (guard, settings, wallClock);
        var handler = Outgoing.NewHandler();
        handler.ConnectCallback = ConnectAsync;
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

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var target = context.DnsEndPoint;
        var addresses = await guard.ResolveAsync(target.Host, target.Port, cancel);
        for (var i = 0; ; i++)
        {
#pragma warning disable RS0030 // The address has been looked at.
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
#pragma warning restore RS0030
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], target.Port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i < addresses.Count - 1)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static DeliveryOutcome Explain(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case CallbackBlockedException:
                    return new DeliveryOutcome.GivenUp(null, CallbackBlockedException.Detail);
                case AuthenticationException:
                    return WebhookAnswer.None("The endpoint has no certificate that can be trusted for its name.");
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return WebhookAnswer.None("The endpoint's name has no address.");
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return WebhookAnswer.None("The endpoint refused the connection.");
                case SocketException { SocketErrorCode: SocketError.ConnectionReset }:
                    return WebhookAnswer.None("The endpoint cut the connection.");
                case SocketException:
                    return WebhookAnswer.None("The endpoint can't be reached.");
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return WebhookAnswer.None("The endpoint's answer is not HTTP, or its headers are too long.");
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return WebhookAnswer.None("The endpoint cut the connection.");
            }
        }
        return WebhookAnswer.None("The delivery broke off.");
    }
}
