using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Overload;

/// <summary>Requests that hold a connection are few, and who finds no place is told, or served without.</summary>
public sealed class LongRequestTests
{
    [Fact]
    public void A_place_is_taken_and_left_once()
    {
        using var places = new Places(1);
        var caller = Call("203.0.113.9");
        var first = places.TryEnter(caller);
        first.ShouldNotBeNull();
        places.TryEnter(caller).ShouldBeNull();
        first.Dispose();
        first.Dispose();
        places.TryEnter(caller).ShouldNotBeNull();
        places.TryEnter(caller).ShouldBeNull();
    }

    [Fact]
    public void One_client_gets_a_quarter_and_this_machine_itself_all()
    {
        using var places = new Places(8);
        int Take(string address) => Enumerable.Range(0, 20).Count(_ => places.TryEnter(Call(address)) is not null);

        Take("203.0.113.9").ShouldBe(2);
        Take("203.0.113.10").ShouldBe(2);
        Take("127.0.0.1").ShouldBe(4, "all that is left");
        Take("203.0.113.11").ShouldBe(0);
    }

    [Fact]
    public async Task A_stream_ends_after_a_while_and_its_client_goes_on_with_another()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { LongestStream = TimeSpan.FromMilliseconds(300) });
        var job = await bench.SubmitAsync();
        var events = new Uri($"/v1/jobs/{job}/events", UriKind.Relative);

        var first = await bench.Client.GetStringAsync(events).WaitAsync(GatewayBench.Safety);
        first.ShouldContain("event: job");
        first.ShouldNotContain("id: end");

        await bench.Jobs.CancelAsync(job, null, default);
        (await bench.Client.GetStringAsync(events).WaitAsync(GatewayBench.Safety)).ShouldContain("id: end");
    }

    [Fact]
    public async Task Uploads_of_which_nothing_comes_keep_no_other_out()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { Jobs = settings.Jobs with { MaxUploads = 2 } });
        using var leaves = new CancellationTokenSource();
        var slow = new List<SlowContent>();
        var sending = new List<Task>();
        for (var i = 0; i < 10; i++)
        {
            slow.Add(new SlowContent(GatewayBench.Picture(bytes: 200_000), first: 100_000));
            sending.Add(bench.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = slow[i] }, leaves.Token));
            await slow[i].Begun.WaitAsync(GatewayBench.Safety);
        }

        using var answer = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture(bytes: 100_000))).WaitAsync(GatewayBench.Safety);
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);

        // They are none the worse for it.
        slow.ForEach(s => s.GoOn());
        await Task.WhenAll(sending).WaitAsync(GatewayBench.Safety);
        (await bench.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(11);
    }

    [Fact]
    public async Task An_upload_has_its_time()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { LongestUpload = TimeSpan.FromSeconds(-0.9), Jobs = settings.Jobs with { MaxInputBytes = 256 * 1024 } });
        // HttpClient would not look at the answer before all is sent.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, bench.Address.Port);
        await client.GetStream().WriteAsync("POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 200000\r\n\r\n"u8.ToArray());
        await client.GetStream().WriteAsync(GatewayBench.Picture(bytes: 100_000));

        using var reader = new StreamReader(client.GetStream());
        (await reader.ReadLineAsync().WaitAsync(GatewayBench.Safety)).ShouldBe("HTTP/1.1 408 Request Timeout");
        var line = await reader.ReadLineAsync().WaitAsync(GatewayBench.Safety);
        while (line?.Contains("came too slowly", StringComparison.Ordinal) == false)
            line = await reader.ReadLineAsync().WaitAsync(GatewayBench.Safety);
        line.ShouldNotBeNull();
    }

    [Fact]
    public async Task One_upload_too_many_is_refused()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { MaxUploads = 1 });
        var slow = new SlowContent(GatewayBench.Picture(bytes: 200_000), first: 100_000);
        var sending = bench.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = slow });
        await slow.Begun.WaitAsync(GatewayBench.Safety);

        await UntilFreeAsync(bench, 0);
        using var refused = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("Too many uploads are under way (1 of one client, 1 of all)");

        slow.GoOn();
        (await sending.WaitAsync(GatewayBench.Safety)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task An_upload_that_is_here_in_full_leaves_its_place_while_it_waits_for_its_turn()
    {
        await using var bench = await GatewayBench.StartAsync(settings => settings with { MaxUploads = 1, Jobs = settings.Jobs with { MaxUploads = 1 } });
        var turn = await bench.Service.BeginAsync(JobCaller.Self, null, default);
        var small = new SlowContent(GatewayBench.Picture(bytes: 10_000), first: 5_000);
        var sending = bench.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = small });
        await small.Begun.WaitAsync(GatewayBench.Safety);
        await UntilFreeAsync(bench, 0);

        small.GoOn();
        await UntilFreeAsync(bench, 1);
        sending.IsCompleted.ShouldBeFalse();

        // Those that wait for their turn have a bound of their own.
        using var refused = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await turn.DisposeAsync();
        (await sending.WaitAsync(GatewayBench.Safety)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
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

    [Fact]
    public async Task A_thousand_requests_wait_at_once_also_of_one_client()
    {
        const int Clients = 1000;
        await using var bench = await GatewayBench.StartAsync();
        // This machine's own requests have no share; those of others do.
        bench.Host.Services.GetRequiredService<LongRequests>().Waits.Share.ShouldBeGreaterThanOrEqualTo(Clients);
        using var deadline = new CancellationTokenSource(2 * GatewayBench.Safety);
        var waiting = Enumerable.Range(0, Clients).Select(_ => bench.Client.SendAsync(Waiting(), deadline.Token)).ToList();
        while ((await bench.Jobs.CountAsync(deadline.Token)).Jobs.Queued < Clients)
            await Task.Yield();

        foreach (var job in await bench.Jobs.ListAsync(new JobFilter { Limit = Clients }, deadline.Token))
            await bench.Jobs.CancelAsync(job.Id, null, deadline.Token);

        foreach (var answer in await Task.WhenAll(waiting))
        {
            using (answer)
            {
                answer.StatusCode.ShouldBe(HttpStatusCode.OK);
                answer.Headers.GetValues("Preference-Applied").ShouldHaveSingleItem();
            }
        }
    }

    [Fact]
    public async Task One_export_too_many_is_refused_and_one_that_ends_makes_room()
    {
        await using var bench = await GatewayBench.StartAsync();
        var job = await bench.SubmitAsync();
        await bench.Jobs.CancelAsync(job, null, default);
        var places = bench.Host.Services.GetRequiredService<LongRequests>().Exports;
        var taken = Enumerable.Range(0, places.Most).Select(_ => places.TryEnter(Call("127.0.0.1")).ShouldNotBeNull()).ToList();

        using var refused = await ExportAsync();
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe(ErrorCodes.Busy);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        taken[0].Dispose();

        // Twice: one that was answered has left its place.
        for (var i = 0; i < 2; i++)
        {
            using var answer = await ExportAsync();
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            while (places.FreeFor(Call("127.0.0.1")) == 0)
                await Task.Yield();
        }

        Task<HttpResponseMessage> ExportAsync() => bench.Client.PostAsJsonAsync(new Uri("/v1/results", UriKind.Relative), new { format = "csv", jobs = new[] { job.Value } });
    }

    /// <summary>Waits until so many of the places for uploads on their way are free: sent is not come.</summary>
    private static async Task UntilFreeAsync(GatewayBench bench, int free)
    {
        var places = bench.Host.Services.GetRequiredService<LongRequests>().Uploads;
        using var safety = new CancellationTokenSource(GatewayBench.Safety);
        while (places.FreeFor(Call("127.0.0.1")) != free)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, safety.Token);
    }

    private static HttpRequestMessage Waiting(int seconds = 60)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = GatewayBench.Body(GatewayBench.Picture()) };
        request.Headers.Add("Prefer", $"wait={seconds}");
        return request;
    }

    private static DefaultHttpContext Call(string address)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(address);
        return http;
    }

    /// <summary>A picture of which some comes, and the rest when it is told to.</summary>
    private sealed class SlowContent : HttpContent
    {
        private readonly byte[] bytes;
        private readonly int first;
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SlowContent(byte[] bytes, int first)
        {
            (this.bytes, this.first) = (bytes, first);
            Headers.TryAddWithoutValidation("Content-Type", "image/png");
        }

        public Task Begun => begun.Task;

        public void GoOn() => goOn.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, first));
            await stream.FlushAsync();
            begun.TrySetResult();
            await goOn.Task;
            await stream.WriteAsync(bytes.AsMemory(first));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
