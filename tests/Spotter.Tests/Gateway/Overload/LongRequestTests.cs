using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Overload;

namespace Spotter.Tests.Gateway.Overload;

/// <summary>Requests that hold a connection are few, and who finds no place is told, or served without.</summary>
public sealed class LongRequestTests
{
    [Fact]
    public void A_place_is_taken_and_left_once()
    {
        using var requests = new LongRequests(new GatewaySettings { WorkerToken = GatewayBench.Token, MaxStreams = 1 });
        var places = requests.Streams;
        var first = places.TryEnter();
        first.ShouldNotBeNull();
        places.TryEnter().ShouldBeNull();
        first.Dispose();
        first.Dispose();
        places.TryEnter().ShouldNotBeNull();
        places.TryEnter().ShouldBeNull();
    }

    [Fact]
    public async Task One_stream_too_many_is_refused_and_a_stream_that_ends_makes_room()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { MaxStreams = 1 });
        var job = await bench.SubmitAsync();
        var events = new Uri($"/v1/jobs/{job}/events", UriKind.Relative);
        var open = await bench.Client.GetAsync(events, HttpCompletionOption.ResponseHeadersRead);
        open.StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await bench.Client.GetAsync(events);
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 300);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe(ErrorCodes.Busy);

        using var cancelled = await bench.Client.DeleteAsync(new Uri($"/v1/jobs/{job}", UriKind.Relative));
        await open.Content.ReadAsStringAsync().WaitAsync(GatewayBench.Safety);
        open.Dispose();
        var again = new Uri($"/v1/jobs/{await bench.SubmitAsync()}/events", UriKind.Relative);
        // The server leaves the place a moment after the client has read the end.
        using var deadline = new CancellationTokenSource(GatewayBench.Safety);
        while (true)
        {
            using var next = await bench.Client.GetAsync(again, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (next.StatusCode == HttpStatusCode.OK)
                break;
        }
    }

    [Fact]
    public async Task Who_finds_no_place_to_wait_gets_the_job_as_it_stands()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { MaxWaits = 1 });
        using var leaves = new CancellationTokenSource();
        var waiting = bench.Client.SendAsync(Waiting(), leaves.Token);
        // Accepted, so it waits, or is about to.
        while ((await bench.Jobs.CountAsync(default)).Jobs.Queued == 0)
            await Task.Yield();

        HttpResponseMessage answer;
        do
        {
            using var patience = new CancellationTokenSource(GatewayBench.Safety);
            answer = await bench.Client.SendAsync(Waiting(seconds: 1), patience.Token);
        }
        while (answer.Headers.Contains("Preference-Applied"));

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        waiting.IsCompleted.ShouldBeFalse();
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    private static HttpRequestMessage Waiting(int seconds = 60)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = GatewayBench.Body(GatewayBench.Picture()) };
        request.Headers.Add("Prefer", $"wait={seconds}");
        return request;
    }
}
