using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Spotter.Core;

namespace Spotter.Cli.Catalogue;

/// <summary>
/// Fetches over HTTP, by way of the proxy that the environment names: follows redirects that lose no security, waits
/// with a bound for everything, and tries again what may pass.
/// </summary>
internal sealed class Transfer : IDisposable
{
    private const int MaxRedirects = 5;

    // An attempt that brought at least this much was worth it: a line that breaks every few megabytes still gets a large file.
    private const long Progress = 64 << 10;

    private readonly HttpMessageInvoker http;
    private readonly TimeProvider clock;
    private readonly RandomSource random;
    private readonly Action<string> note;

    /// <summary>Makes ready for transfers.</summary>
    /// <param name="limits">How patient it is.</param>
    /// <param name="clock">For waits.</param>
    /// <param name="random">For the waits before another attempt.</param>
    /// <param name="note">Is told what went wrong before another attempt, in a sentence.</param>
    public Transfer(TransferLimits limits, TimeProvider clock, RandomSource random, Action<string> note)
    {
        (Limits, this.clock, this.random, this.note) = (limits, clock, random, note);
        var handler = Outgoing.NewHandler();
        handler.UseProxy = true;
        handler.ConnectTimeout = limits.Connect;
        http = new(handler);
    }

    /// <summary>How patient it is.</summary>
    public TransferLimits Limits { get; }

    /// <summary>The clock of all waits.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Tells the user what happens, where that is not the result.</summary>
    public void Note(string sentence) => note(sentence);

    /// <summary>Reads something small as a whole.</summary>
    /// <param name="address">Where it lies.</param>
    /// <param name="maxBytes">More is refused.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="cancel">Ends the transfer.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.DownloadFailed"/>.</exception>
    public async Task<byte[]> ReadAsync(Uri address, int maxBytes, string what, CancellationToken cancel)
    {
        using var content = new MemoryStream();
        await RetryAsync(what, address, () => content.Length, AttemptAsync, cancel);
        return content.ToArray();

        async Task AttemptAsync()
        {
            content.SetLength(0);
            using var response = await GetAsync(address, range: null, cancel);
            await foreach (var bytes in BytesAsync(response, maxBytes, cancel))
            {
                if (content.Length + bytes.Length > maxBytes)
                    throw new TransferFault($"it has more than {maxBytes} bytes", again: false) { Advice = "name another address" };
                content.Write(bytes.Span);
            }
        }
    }

    /// <summary>Makes attempts until one comes to its end.</summary>
    /// <param name="what">What is fetched, for messages.</param>
    /// <param name="address">Where from.</param>
    /// <param name="position">How many bytes are there.</param>
    /// <param name="attempt">One attempt; says by a <see cref="TransferFault"/> that it failed.</param>
    /// <param name="cancel">Ends the waits.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.DownloadFailed"/>.</exception>
    public async Task RetryAsync(string what, Uri address, Func<long> position, Func<Task> attempt, CancellationToken cancel)
    {
        for (var failures = 0; ;)
        {
            var before = position();
            try
            {
                await attempt();
                return;
            }
            catch (TransferFault fault)
            {
                failures = position() - before >= Progress ? 1 : failures + 1;
                var wait = fault.Again ? Limits.Retries.DelayAfter(failures, random) : null;
                if (wait is null)
                {
                    throw new SpotterException(
                        ErrorCodes.DownloadFailed, $"Can't download {what} from {address}: {fault.Message}; {fault.Advice}.", fault);
                }
                var asked = fault.RetryAfter < Limits.LongestRetryAfter ? fault.RetryAfter : Limits.LongestRetryAfter;
                if (asked > wait)
                    wait = asked;
                note($"{fault.Message}; trying again in {wait.Value.TotalSeconds:0.#} s");
                await Task.Delay(wait.Value, clock, cancel);
            }
        }
    }

    /// <summary>Asks for a file, or for the rest of it.</summary>
    /// <param name="address">Where it lies.</param>
    /// <param name="range">From which byte on, and the tag of the version of which the bytes before are; null for all of it.</param>
    /// <param name="cancel">Ends the transfer.</param>
    /// <returns>An answer with status 200, 206 or 416, whose content has not been read.</returns>
    /// <exception cref="TransferFault">There is none.</exception>
    public async Task<HttpResponseMessage> GetAsync(Uri address, (long From, string? Tag)? range, CancellationToken cancel)
    {
        var at = address;
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendAsync(at, range, cancel);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
                return response;
            using (response)
            {
                var next = IsRedirect(response.StatusCode) ? response.Headers.Location : null;
                if (next is null)
                    throw Refusal(response, at);
                var target = new Uri(at, next);
                if (redirects == MaxRedirects)
                    throw new TransferFault($"it is redirected more than {MaxRedirects} times", again: false) { Advice = "the server is set up wrongly" };
                // Never from a secure address to an open one, nor from one open host to another.
                var sameHost = target.Scheme == at.Scheme && string.Equals(target.Authority, at.Authority, StringComparison.OrdinalIgnoreCase);
                if (target.Scheme != Uri.UriSchemeHttps && !sameHost)
                {
                    throw new TransferFault($"it is redirected to {target}, which is neither secure nor the same server", again: false)
                    {
                        Advice = "name the final address in the catalogue if it is to be trusted",
                    };
                }
                at = target;
            }
        }
    }

    /// <summary>What an answer holds, piece by piece; each piece is valid until the next.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="expected">How many bytes are expected, for the time that is given.</param>
    /// <param name="cancel">Ends the transfer.</param>
    /// <exception cref="TransferFault">It broke off.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> BytesAsync(
        HttpResponseMessage response, long expected, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        using var total = new CancellationTokenSource(Limits.LongestFor(expected), clock);
        using var silence = new CancellationTokenSource(Limits.Silence, clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancel, total.Token, silence.Token);
        await using var content = await response.Content.ReadAsStreamAsync(any.Token);
        var piece = new byte[128 << 10];
        while (true)
        {
            int read;
            try
            {
                read = await content.ReadAsync(piece, any.Token);
            }
            catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
            {
                throw total.IsCancellationRequested
                    ? new TransferFault("the server is slower than is waited for", again: false, e)
                    : new TransferFault($"the server fell silent for {Limits.Silence.TotalSeconds:0.#} s", again: true, e);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw new TransferFault("the connection broke off", again: true, e);
            }
            if (read == 0)
                yield break;
            silence.CancelAfter(Limits.Silence);
            yield return piece.AsMemory(0, read);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri address, (long From, string? Tag)? range, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.UserAgent.Add(new("spotter", typeof(Transfer).Assembly.GetName().Version?.ToString(3)));
        if (range is { } rest)
        {
            request.Headers.Range = new(rest.From, null);
            if (EntityTagHeaderValue.TryParse(rest.Tag, out var tag) && !tag.IsWeak)
                request.Headers.IfRange = new(tag);
        }
        using var silence = new CancellationTokenSource(Limits.Silence, clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancel, silence.Token);
        try
        {
            return await http.SendAsync(request, any.Token);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new TransferFault($"{Way(address)} gives no answer", again: true, e) { Advice = OfflineAdvice };
        }
        catch (HttpRequestException e)
        {
            throw Explain(e, address);
        }
    }

    private const string OfflineAdvice = "check the network, or name a proxy in HTTPS_PROXY";

    private static TransferFault Explain(HttpRequestException error, Uri address)
    {
        var socket = (error.InnerException as SocketException)?.SocketErrorCode;
        return error.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError =>
                new($"the name of {Way(address)} is not known here", again: false, error) { Advice = OfflineAdvice },
            HttpRequestError.SecureConnectionError when error.InnerException is AuthenticationException =>
                new($"{address.Authority} can't prove who it is ({Inner(error)})", again: false, error)
                {
                    Advice = "something between may be reading along: add its certificate to those that this machine trusts, or use another network",
                },
            HttpRequestError.ProxyTunnelError =>
                new($"{Way(address)} does not let through to {address.Authority} ({Inner(error)})", again: false, error)
                {
                    Advice = "allow it there, or name another proxy in HTTPS_PROXY",
                },
            HttpRequestError.ConnectionError when socket is SocketError.ConnectionRefused =>
                new($"{Way(address)} takes no connections", again: false, error) { Advice = OfflineAdvice },
            HttpRequestError.ConnectionError when socket is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown =>
                new($"there is no way to {Way(address)}", again: false, error) { Advice = OfflineAdvice },
            _ => new($"the connection to {Way(address)} broke off", again: true, error) { Advice = OfflineAdvice },
        };
    }

    private static string Inner(HttpRequestException error)
    {
        Exception inner = error;
        while (inner.InnerException is { } next)
            inner = next;
        return inner.Message.ReplaceLineEndings(" ").TrimEnd('.');
    }

    /// <summary>Whom the connection goes to: the server, or the proxy before it.</summary>
    private static string Way(Uri address) =>
        HttpClient.DefaultProxy.GetProxy(address) is { } proxy && proxy != address ? $"the proxy {proxy.Authority}" : address.Authority;

    private TransferFault Refusal(HttpResponseMessage response, Uri address)
    {
        var status = (int)response.StatusCode;
        var passing = status is 408 or 425 or 429 or >= 500;
        return new($"{address.Authority} answers {status} {response.ReasonPhrase}".TrimEnd(), passing)
        {
            Advice = status switch
            {
                404 or 410 => "it is no longer there: update Spotter, or the catalogue",
                407 => "name the proxy's user and password in HTTPS_PROXY",
                _ => "try again later",
            },
            RetryAfter = response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date - clock.GetUtcNow(),
                _ => TimeSpan.Zero,
            },
        };
    }

    private static bool IsRedirect(HttpStatusCode status) => status is
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
