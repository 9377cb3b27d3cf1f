using System.Net;
using System.Net.Http.Headers;
using Spotter.Core;
using Spotter.Gateway.Egress;

namespace Spotter.Gateway.Fetching;

/// <summary>
/// Fetches what strangers' URLs lead to: dials only what the guard has looked at, at each redirect anew, takes no cookie and sends
/// nothing but the URL.
/// </summary>
internal sealed class UrlFetcher : IDisposable
{
    private const int MostRedirects = 5;
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(10);

    private readonly FetchSettings settings;
    private readonly EgressGuard guard;
    private readonly TimeProvider clock;
    private readonly HttpClient http;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="settings">From where, and how long.</param>
    /// <param name="guard">Keeps it from where only this service can reach.</param>
    /// <param name="clock">Measures the time that a fetch takes.</param>
    public UrlFetcher(FetchSettings settings, EgressGuard guard, TimeProvider clock)
    {
        (this.settings, this.guard, this.clock) = (settings, guard, clock);
        var handler = Outgoing.NewHandler();
        handler.ConnectCallback = guard.ConnectAsync;
        handler.ConnectTimeout = LongestConnect;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.PooledConnectionLifetime = TimeSpan.FromSeconds(30);
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10);
        handler.MaxResponseHeadersLength = 32;
        handler.MaxResponseDrainSize = 0;
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Refuses a URL that can't be fetched, as far as can be seen from it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UrlForbidden"/>.</exception>
    public void Check(string url) => guard.Check(url);

    /// <summary>Asks for a URL, and returns when its content begins.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="tooLarge">The refusal of content that says itself that it is longer than <paramref name="mostBytes"/>.</param>
    /// <param name="mostBytes">Most bytes. Whoever reads has to count, as servers need not say it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UrlForbidden"/>, <see cref="ErrorCodes.UrlFailed"/>, or <paramref name="tooLarge"/>.</exception>
    public async Task<FetchedFile> OpenAsync(string url, long mostBytes, Func<SpotterException> tooLarge, CancellationToken cancel)
    {
        var at = guard.Check(url);
        var time = new FetchTime(settings.Timeout, clock);
        HttpResponseMessage? response = null;
        try
        {
            for (var redirects = 0; ; redirects++)
            {
                response = await AskAsync(at, time, cancel);
                if (LeadsOn(response) is not { } next)
                    break;
                if (redirects == MostRedirects)
                    throw new SpotterException(ErrorCodes.UrlFailed, $"The server {ServerOf(at)} leads on more than {MostRedirects} times; send the URL at which the picture is.");
                at = Follow(at, next);
                response.Dispose();
            }
            if (response.StatusCode != HttpStatusCode.OK)
                throw new SpotterException(ErrorCodes.UrlFailed, $"The server {ServerOf(at)} answered with status {(int)response.StatusCode}; check the URL, and whether it can be read without signing in.");
            if (response.Content.Headers.ContentLength > mostBytes)
                throw tooLarge();
            var content = await response.Content.ReadAsStreamAsync(cancel);
            var name = Uri.UnescapeDataString(at.Segments[^1]);
            return new FetchedFile(new FetchedContent(response, content, time, ServerOf(at)), name.EndsWith('/') ? null : name, response.Content.Headers.ContentType?.MediaType);
        }
        catch
        {
            response?.Dispose();
            time.Dispose();
            throw;
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<HttpResponseMessage> AskAsync(Uri at, FetchTime time, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, at);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Spotter", null));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("image/*"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*", 0.5));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancel);
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested && failed is HttpRequestException or IOException or OperationCanceledException)
        {
            throw time.Refusal(ServerOf(at), failed);
        }
    }

    private static Uri? LeadsOn(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.MovedPermanently
        or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        ? response.Headers.Location
        : null;

    private Uri Follow(Uri from, Uri location)
    {
        // As it is written, where it says all by itself: what Uri makes of it may be another host than others read in it.
        var written = location.OriginalString.Split('#')[0];
        if (written.StartsWith("//", StringComparison.Ordinal))
            written = $"{from.Scheme}:{written}";
        else if (!location.IsAbsoluteUri || written.StartsWith('/'))
            written = new Uri(from, written).AbsoluteUri;
        var to = guard.Check(written);
        return from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps
            ? throw new SpotterException(ErrorCodes.UrlForbidden, $"The server {ServerOf(from)} leads from https to http, where anybody on the way may change the picture; send the URL at which it is.")
            : to;
    }

    private static string ServerOf(Uri url) => StrictUrl.EndpointOf(url.AbsoluteUri);
}
