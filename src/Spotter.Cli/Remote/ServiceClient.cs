using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;

namespace Spotter.Cli.Remote;

/// <summary>Talks to a running service, and says in one sentence what is wrong when that fails.</summary>
internal sealed class ServiceClient : IDisposable
{
    /// <summary>No request waits longer for its answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Of a refusal; what is longer is none of ours.
    private const int LongestProblem = 64 * 1024;

    private readonly HttpClient http;

    /// <param name="url">The service.</param>
    /// <param name="key">An API key; null for none.</param>
    /// <param name="connections">Most connections at a time.</param>
    public ServiceClient(Uri url, string? key, int connections)
    {
        Url = url;
        var handler = Outgoing.NewHandler();
        handler.MaxConnectionsPerServer = connections;
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        http = new HttpClient(handler) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Where the service is.</summary>
    public Uri Url { get; }

    /// <summary>Who says that it is there, for those who are to correct it; null for the command line.</summary>
    public string? From { get; init; }

    /// <summary>What makes its requests, for a protocol that has a client of its own.</summary>
    public HttpClient Http => http;

    /// <summary>Sends a request; the answer's body may still be on its way.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel) =>
        http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);

    /// <summary>What is at a path.</summary>
    /// <exception cref="SpotterException">The service can't be reached, refuses, or is none of ours.</exception>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) =>
        CallAsync(HttpMethod.Get, path, body: null, type, cancel);

    /// <summary>Makes a call whose answer is JSON.</summary>
    /// <exception cref="SpotterException">The service can't be reached, refuses, or is none of ours.</exception>
    public async Task<T> CallAsync<T>(HttpMethod method, string path, string? body, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
                request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var response = await SendAsync(request, limit.Token);
            if (!response.IsSuccessStatusCode)
                throw Refusal(response.StatusCode, await ProblemOfAsync(response, limit.Token));
            await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
            return await JsonSerializer.DeserializeAsync(content, type, limit.Token) ?? throw new JsonException("the answer is null");
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException
            || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"{Url} can't be reached ({Why(failed)}); {Check}, or start it with `spotter serve`.", failed);
        }
        catch (JsonException failed)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"{Url} does not answer {path} as a Spotter service does; {Check}.", failed);
        }
    }

    /// <summary>What a refusal says; with no code when it is none of ours.</summary>
    public static async Task<ServiceProblem> ProblemOfAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var text = new byte[LongestProblem];
        await using var content = await response.Content.ReadAsStreamAsync(cancel);
        var length = await content.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, cancel);
        try
        {
            return JsonSerializer.Deserialize(text.AsSpan(0, length), ServiceJson.Default.ServiceProblem) ?? new(null, null);
        }
        catch (JsonException)
        {
            return new(null, null);
        }
    }

    /// <summary>Why no answer came, in a few words.</summary>
    public static string Why(Exception failed) => failed switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "no such host",
        HttpRequestException { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionRefused } } => "connection refused",
        OperationCanceledException => "no answer in time",
        _ => (failed.InnerException ?? failed).Message.TrimEnd('.'),
    };

    public void Dispose() => http.Dispose();

    private string Check => From is null ? "check --url" : $"check {From}, or name another one with --url";

    /// <summary>A refusal as an error for people.</summary>
    public SpotterException Refusal(HttpStatusCode status, ServiceProblem problem) => (status, problem) switch
    {
        (HttpStatusCode.Unauthorized, _) => new(ErrorCodes.Unauthorized,
            $"{Url} asks for an API key ({problem.Detail?.TrimEnd('.') ?? "none was accepted"}); give one with --key-file FILE or {RemoteOptions.KeyVariable}."),
        (_, { Code: { } code, Detail: { } detail }) => new(code, detail),
        (HttpStatusCode.NotFound, _) => new(ErrorCodes.NotFound, $"{Url} does not know this call; {Check}, or the service is older than this program."),
        _ => new(ErrorCodes.StoreUnavailable, $"{Url} answers {(int)status} and no reason; {Check}."),
    };
}
