using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;

namespace Spotter.Fleets.Kubernetes;

/// <summary>One call of the API server: what a Role allows by verb and resource.</summary>
/// <param name="Verb">As RBAC calls it, as <c>get</c>.</param>
/// <param name="Resource">As RBAC calls it, as <c>deployments/scale</c>.</param>
/// <param name="Namespace">Where the object is.</param>
/// <param name="Path">Its path, with the query.</param>
/// <param name="Missing">What to say when there is no such object.</param>
internal sealed record ClusterCall(string Verb, string Resource, string Namespace, string Path, string Missing);

/// <summary>
/// The API server's client for the four calls that are made of it. The package for Kubernetes is not used: it makes connections
/// of its own, past <see cref="Outgoing"/>, and has 12 MB.
/// </summary>
internal sealed class ClusterClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private const int LongestWords = 300;

    private readonly ClusterAccess access;
    private readonly HttpClient http;

    public ClusterClient(ClusterAccess access)
    {
        this.access = access;
        var handler = Outgoing.NewHandler();
        handler.ConnectTimeout = Patience;
        // A load balancer before the API servers may have gone on to others.
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        if (access.Authorities.Count > 0)
        {
            var chain = handler.SslOptions.CertificateChainPolicy!;
            chain.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.CustomTrustStore.AddRange(access.Authorities);
        }
        if (access.Certificate is { } certificate)
            handler.SslOptions.ClientCertificates = [certificate];
        http = new HttpClient(handler) { BaseAddress = access.Server, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Reads an object.</summary>
    /// <exception cref="SpotterException">That failed; the message says why in one sentence.</exception>
    public Task<T> GetAsync<T>(ClusterCall call, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class =>
        SendAsync<T>(call, HttpMethod.Get, body: null, async (content, limit) => await JsonSerializer.DeserializeAsync(content, type, limit) ?? throw new JsonException("null"), cancel);

    /// <summary>Changes an object.</summary>
    /// <exception cref="SpotterException">That failed; the message says why in one sentence.</exception>
    public Task PatchAsync<T>(ClusterCall call, T change, JsonTypeInfo<T> type, CancellationToken cancel) =>
        SendAsync(call, HttpMethod.Patch, JsonSerializer.SerializeToUtf8Bytes(change, type), (_, _) => Task.FromResult(true), cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        access.Certificate?.Dispose();
    }

    private async Task<T> SendAsync<T>(ClusterCall call, HttpMethod method, byte[]? body, Func<Stream, CancellationToken, Task<T>> read, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(Patience);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        using var request = new HttpRequestMessage(method, new Uri(call.Path, UriKind.Relative));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (await access.Token(cancel) is { Length: > 0 } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/merge-patch+json") } };
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
            if (!response.IsSuccessStatusCode)
                throw Refusal(call, response.StatusCode, await WordsAsync(content, limit.Token));
            return await read(content, limit.Token);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or JsonException || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, Say(failed), failed);
        }
    }

    private static SpotterException Refusal(ClusterCall call, HttpStatusCode status, string words) => new(ErrorCodes.StoreUnavailable, status switch
    {
        HttpStatusCode.Forbidden =>
            $"Kubernetes lets Spotter not {call.Verb} {call.Resource} in the namespace '{call.Namespace}'; give its service account a Role with the verb '{call.Verb}' on '{call.Resource}' there (docs/scaling.md).",
        HttpStatusCode.Unauthorized => "The API server of Kubernetes does not know the token; give the pod a service account, or correct the kubeconfig file.",
        HttpStatusCode.NotFound => call.Missing,
        HttpStatusCode.TooManyRequests => "The API server of Kubernetes takes no more requests at the moment; it is tried again.",
        >= HttpStatusCode.InternalServerError => $"The API server of Kubernetes failed ({(int)status}); it is tried again.",
        _ => $"The API server of Kubernetes refused to {call.Verb} {call.Resource} ({(int)status}{words}).",
    });

    /// <summary>What a Status object says, if it is one.</summary>
    private static async Task<string> WordsAsync(Stream content, CancellationToken cancel)
    {
        try
        {
            using var status = await JsonDocument.ParseAsync(content, default, cancel);
            return status.RootElement.TryGetProperty("message", out var message) && message.GetString() is { Length: > 0 and <= LongestWords } words ? $": {words.TrimEnd('.')}" : "";
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return "";
        }
    }

    private string Say(Exception failed)
    {
        var server = access.Server.GetLeftPart(UriPartial.Authority);
        return failed switch
        {
            OperationCanceledException => $"The API server of Kubernetes at {server} did not answer within {Patience.TotalSeconds:0} s; it is tried again.",
            JsonException => $"What answered at {server} is no API server of Kubernetes; correct the address.",
            HttpRequestException { InnerException: AuthenticationException wrong } => $"The certificate of the API server at {server} is not signed by the cluster's authority: {wrong.Message}",
            HttpRequestException { InnerException: SocketException socket } => $"The API server of Kubernetes at {server} can't be reached ({socket.SocketErrorCode}); it is tried again.",
            _ => $"The API server of Kubernetes at {server} can't be reached ({failed.Message.TrimEnd('.')}); it is tried again.",
        };
    }
}
