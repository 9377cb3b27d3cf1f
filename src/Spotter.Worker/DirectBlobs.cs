using System.Net;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>
/// A worker's way to the blob store past its gateway, by what the gateway signed for it. Whatever goes wrong, the gateway is asked
/// instead; a store that can't be reached is left alone for a while. Links are never logged.
/// </summary>
internal sealed partial class DirectBlobs : IDisposable
{
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private readonly HttpClient client;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private long restsUntil = long.MinValue;
    private int isAway; // 1 while the store can't be reached

    public DirectBlobs(TimeProvider time, ILogger log)
    {
        var handler = Outgoing.NewHandler();
        handler.UseProxy = true;
        handler.ConnectTimeout = TimeSpan.FromSeconds(3);
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        (this.time, this.log) = (time, log);
    }

    /// <summary>The bytes of an input; null when the gateway is to be asked.</summary>
    public async Task<Stream?> OpenAsync(string link, InputRef input, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, link);
        var response = await SendAsync(request, LongestAnswer, cancel);
        if (response is null)
            return null;
        if (response.IsSuccessStatusCode && response.Content.Headers.ContentLength == input.Bytes)
            return new NotedStream(await response.Content.ReadAsStreamAsync(cancel), this);
        // Whether it is gone only the gateway knows for sure; on its way a policy may refuse this worker, and would again.
        using (response)
        {
            if (response.StatusCode != HttpStatusCode.NotFound)
                Note();
        }
        return null;
    }

    /// <summary>Puts an output into the store; false when the gateway is to take it.</summary>
    public async Task<bool> PutAsync(BlobForm form, HttpContent content, TimeSpan longest, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Url) { Content = BlobFormContent.Of(form, content) };
        using var response = await SendAsync(request, longest, cancel);
        if (response is { IsSuccessStatusCode: false })
            Note();
        return response?.IsSuccessStatusCode == true;
    }

    /// <summary>False while the store is left alone.</summary>
    public bool IsOpen => time.GetTimestamp() >= Volatile.Read(ref restsUntil);

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage?> SendAsync(HttpRequestMessage request, TimeSpan longest, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(longest, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.IsSuccessStatusCode)
                Interlocked.Exchange(ref isAway, 0);
            return response;
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or IOException || (unreachable is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            Note();
            return null;
        }
    }

    private void Note()
    {
        Volatile.Write(ref restsUntil, time.GetTimestamp() + (long)(Rest.TotalSeconds * time.TimestampFrequency));
        if (Interlocked.Exchange(ref isAway, 1) == 0)
            LogAway();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The bucket of the pictures can't be used from here; they go through the gateway. If that is to be so, start the gateway with --no-worker-links")]
    private partial void LogAway();

    /// <summary>A store that breaks off in the middle is left alone as well: the next attempt goes through the gateway.</summary>
    private sealed class NotedStream(Stream content, DirectBlobs owner) : ForwardStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await content.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception)
            {
                owner.Note();
                throw;
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                content.Dispose();
            base.Dispose(disposing);
        }
    }
}
