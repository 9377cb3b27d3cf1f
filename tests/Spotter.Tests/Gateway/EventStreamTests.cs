using System.Net.ServerSentEvents;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Spotter.Gateway.Results;

namespace Spotter.Tests.Gateway;

public sealed class EventStreamTests
{
    private readonly ManualClock clock = new();
    private readonly Channel<SseItem<string>> events = Channel.CreateUnbounded<SseItem<string>>();
    private readonly DefaultHttpContext http = new();
    private readonly MemoryStream body = new();

    public EventStreamTests() => http.Response.Body = body;

    private string Text => Encoding.UTF8.GetString(body.ToArray());

    [Fact]
    public async Task Silence_is_broken_by_a_comment_every_fifteen_seconds_and_events_come_through()
    {
        var running = new EventStream(events.Reader.ReadAllAsync(), clock).ExecuteAsync(http);
        for (var i = 1; i <= 2; i++)
        {
            await clock.WaitForTimersAsync();
            clock.Advance(TimeSpan.FromSeconds(14));
            Text.ShouldBe(string.Concat(Enumerable.Repeat(":\n\n", i - 1)));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        await clock.WaitForTimersAsync();
        events.Writer.TryWrite(new SseItem<string>("{}", "job") { EventId = EventStream.LastId });
        events.Writer.Complete();
        await running.WaitAsync(GatewayBench.Safety);

        Text.ShouldBe(":\n\n:\n\nevent: job\ndata: {}\nid: end\n\n");
        http.Response.ContentType.ShouldBe("text/event-stream");
    }

    [Fact]
    public async Task A_client_that_is_gone_ends_it_without_a_fault_of_ours()
    {
        using var aborted = new CancellationTokenSource();
        http.RequestAborted = aborted.Token;
        var running = new EventStream(events.Reader.ReadAllAsync(aborted.Token), clock).ExecuteAsync(http);
        await clock.WaitForTimersAsync();

        await aborted.CancelAsync();
        clock.Advance(TimeSpan.FromSeconds(15));

        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(GatewayBench.Safety));
    }
}
