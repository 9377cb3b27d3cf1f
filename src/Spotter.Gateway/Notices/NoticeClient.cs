using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Spotter.Gateway.Notices;

/// <summary>
/// Posts notices to strangers: dials only what the guard has looked at, follows nothing, keeps nothing, and waits and reads
/// no more than it was told to.
/// </summary>
internal sealed class NoticeClient : IDisposable
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(1);

    private readonly CallbackGuard guard;
    private readonly NoticeSettings settings;
    private readonly TimeProvider time;
    private readonly HttpClient http;

    public NoticeClient(CallbackGuard guard, NoticeSettings settings, TimeProvider time)
    {
        (this.guard, this.settings, this.time) = (guard, settings, time);
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = settings.PerReceiver,
            PooledConnectionLifetime = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 32,
            // An answer that was not read to its end costs its connection.
            MaxResponseDrainSize = 0,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Sends one notice.</summary>
    /// <param name="url">Where to; checked already.</param>
    /// <param name="id">Its id.</param>
    /// <param name="body">What it says, as JSON.</param>
    /// <param name="secrets">What signs it.</param>
    /// <param name="cancel">Then nothing is known of what became of it.</param>
    public async Task<NoticeAnswer> PostAsync(Uri url, string id, byte[] body, IReadOnlyList<WebhookSecret> secrets, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(settings.Timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body),
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Spotter", null));
        WebhookSignature.Sign(request.Headers, secrets, id, time.GetUtcNow(), body);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ended.Token);
            var answer = NoticeAnswer.Of((int)response.StatusCode, response.Headers.RetryAfter, time.GetUtcNow());
            await DrainAsync(response, ended.Token);
            return answer;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return NoticeAnswer.None(string.Create(CultureInfo.InvariantCulture, $"The receiver did not answer within {settings.Timeout.TotalSeconds:0.#} s."));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return Explain(failed);
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>Reads what little an answer may say, so that the connection can be used again.</summary>
    private async Task DrainAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(LongestDrain, time);
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
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
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

    private static NoticeAnswer Explain(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case CallbackBlockedException:
                    return NoticeAnswer.Never(CallbackBlockedException.Detail);
                case AuthenticationException:
                    return NoticeAnswer.None("The receiver has no certificate that can be trusted for its name.");
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return NoticeAnswer.None("The receiver's name has no address.");
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return NoticeAnswer.None("The receiver refused the connection.");
                case SocketException { SocketErrorCode: SocketError.ConnectionReset }:
                    return NoticeAnswer.None("The receiver cut the connection.");
                case SocketException:
                    return NoticeAnswer.None("The receiver can't be reached.");
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return NoticeAnswer.None("The receiver's answer is not HTTP, or its headers are too long.");
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return NoticeAnswer.None("The receiver cut the connection.");
            }
        }
        return NoticeAnswer.None("The delivery broke off.");
    }
}
