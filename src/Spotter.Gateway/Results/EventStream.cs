using System.Net.ServerSentEvents;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Results;

/// <summary>
/// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) that arrive as they happen, also behind
/// a proxy with its default settings.
/// </summary>
/// <param name="events">The events; the stream ends with the last.</param>
/// <param name="time">The clock.</param>
internal sealed class EventStream(IAsyncEnumerable<SseItem<string>> events, TimeProvider time) : IResult
{
    /// <summary>The id of the last event of a job. A browser that connects again shows it, and is told to stop.</summary>
    public const string LastId = "end";

    // Proxies close what is silent for a minute; and only a write shows that nobody is there any more.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    private static readonly byte[] Comment = Encoding.ASCII.GetBytes(":\n\n");

    /// <summary>True for a client that has seen the end and connects again, as browsers do by themselves.</summary>
    public static bool HasEnded(HttpRequest request) => request.Headers["Last-Event-ID"] == LastId;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, cancel) = (httpContext.Response, httpContext.RequestAborted);
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        if (HeadRequests.IsHead(httpContext))
            return;
        await SseFormatter.WriteAsync(WithSilenceBrokenAsync(response, cancel), response.Body, cancel);
    }

    /// <summary>The events; while none comes, a comment is written from time to time.</summary>
    private async IAsyncEnumerable<SseItem<string>> WithSilenceBrokenAsync(HttpResponse response, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        await using var each = events.GetAsyncEnumerator(cancel);
        while (true)
        {
            // What was written before goes out while the next event is waited for.
            await response.Body.FlushAsync(cancel);
            var next = each.MoveNextAsync().AsTask();
            while (!await IsDoneAsync(next))
                await CommentAsync(response, next, cancel);
            if (!await next)
                yield break;
            yield return each.Current;
        }
    }

    private static async Task CommentAsync(HttpResponse response, Task next, CancellationToken cancel)
    {
        try
        {
            await response.Body.WriteAsync(Comment, cancel);
            await response.Body.FlushAsync(cancel);
        }
        catch
        {
            // Nobody is there any more, which ends the events too. They can't be left before that.
            await Task.WhenAny(next);
            throw;
        }
    }

    private async Task<bool> IsDoneAsync(Task next)
    {
        using var spoken = new CancellationTokenSource();
        var first = await Task.WhenAny(next, Task.Delay(LongestSilence, time, spoken.Token));
        await spoken.CancelAsync();
        return first == next;
    }
}
