using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;
using Spotter.Tests.Gateway;

namespace Spotter.Tests.Webhooks;

/// <summary>A whole gateway and real endpoints.</summary>
public sealed class WebhookDeliveryTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static readonly WebhookSecret Own = WebhookSecret.New(RandomSource.System);

    [Fact]
    public async Task A_delivery_is_signed_and_says_what_asking_for_the_job_says()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var bench = await StartAsync();
        var id = await SubmitAsync(bench, endpoint.Url, Secret);
        await FinishAsync(bench, id, SampleJobs.Done());

        var delivery = await endpoint.NextAsync();

        (delivery.Method, delivery.Target, delivery.Id).ShouldBe(("POST", "/hook?key=hidden", id.Value));
        delivery.Headers["Content-Type"].ShouldBe("application/json");
        delivery.IsSignedBy(Secret).ShouldBeTrue();
        delivery.IsSignedBy(Own.For(StrictUrl.EndpointOf(endpoint.Url)).Reveal()).ShouldBeFalse();
        (TimeProvider.System.GetUtcNow() - delivery.Timestamp).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
        delivery.Headers.Keys.ShouldBe(
            ["Host", "User-Agent", "Content-Type", "Content-Length", "webhook-id", "webhook-timestamp", "webhook-signature"], ignoreOrder: true);
        var job = await JobAsync(bench, id);
        delivery.Json.GetProperty("type").GetString().ShouldBe("job.succeeded");
        delivery.Json.GetProperty("timestamp").GetString().ShouldBe(job.GetProperty("finished").GetString());
        // All of it but the state of this delivery.
        Without(delivery.Json.GetProperty("data"), "callback").ShouldBe(Without(job, "callback"));
        delivery.Json.GetProperty("data").GetProperty("callback").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("dead")]
    [InlineData("cancelled")]
    public async Task Every_end_is_delivered(string end)
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var bench = await StartAsync();
        var id = await SubmitAsync(bench, endpoint.Url);
        switch (end)
        {
            case "failed":
                await FinishAsync(bench, id, SampleJobs.Reject());
                break;
            case "cancelled":
                (await bench.Client.DeleteAsync(new Uri($"/v1/jobs/{id}", UriKind.Relative))).Dispose();
                break;
            default:
                while ((await bench.Jobs.FindAsync(id, default))!.State != JobState.Dead)
                    await FinishAsync(bench, id, SampleJobs.Retry());
                break;
        }

        var delivery = await endpoint.NextAsync();

        delivery.Json.GetProperty("type").GetString().ShouldBe("job." + end);
        delivery.Json.GetProperty("data").GetProperty("state").GetString().ShouldBe(end);
        // Without a secret of the job's own, the one that was made for this endpoint.
        delivery.IsSignedBy(Own.For(StrictUrl.EndpointOf(endpoint.Url)).Reveal()).ShouldBeTrue();
    }

    [Fact]
    public async Task A_job_shows_how_its_delivery_stands_and_nothing_shows_the_secret_or_the_query()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) => AnswerAsync(http, number == 1 ? 500 : 204));
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(0.2)] });
        using var submitted = await PostAsync(bench, endpoint.Url, Secret);
        var answer = await submitted.Content.ReadAsStringAsync();
        var id = JobId.Parse(JsonDocument.Parse(answer).RootElement.GetProperty("id").GetString()!);
        var waiting = JsonDocument.Parse(answer).RootElement.GetProperty("callback");
        (waiting.GetProperty("url").GetString(), waiting.GetProperty("state").GetString(), waiting.GetProperty("attempts").GetInt32())
            .ShouldBe((new Uri(endpoint.Address, "/hook").ToString(), "pending", 0));

        await CancelAsync(bench, id);
        var done = await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "delivered");

        (done.GetProperty("attempts").GetInt32(), done.GetProperty("status").GetInt32(), done.GetProperty("nextAt").ValueKind).ShouldBe((2, 204, JsonValueKind.Null));
        var everything = string.Concat(answer, await bench.Client.GetStringAsync(new Uri("/v1/jobs", UriKind.Relative)), await bench.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), string.Join('\n', bench.Log));
        everything.ShouldNotContain(Secret[6..]);
        everything.ShouldNotContain(Own.Reveal()[6..]);
        everything.ShouldNotContain("hidden");
        everything.ShouldContain("spotter_deliveries_total{channel=\"webhook\",outcome=\"sent\"} 1");
        everything.ShouldContain("spotter_deliveries_total{channel=\"webhook\",outcome=\"failed\"} 1");
        everything.ShouldContain("spotter_deliveries_pending{} 0");
    }

    [Fact]
    public async Task Every_attempt_has_the_same_id_and_body_and_a_signature_of_its_own_time()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) => AnswerAsync(http, number < 3 ? 500 : 200));
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(1.3), TimeSpan.FromSeconds(0.1)] });
        var id = await SubmitAsync(bench, endpoint.Url, Secret);
        await CancelAsync(bench, id);

        ReceivedWebhook[] all = [await endpoint.NextAsync(), await endpoint.NextAsync(), await endpoint.NextAsync()];

        all.ShouldAllBe(d => d.Id == id.Value && d.IsSignedBy(Secret) && d.Body.SequenceEqual(all[0].Body));
        all[1].Timestamp.ShouldBeGreaterThan(all[0].Timestamp);
        (all[1].Headers["webhook-signature"] == all[0].Headers["webhook-signature"]).ShouldBeFalse();
    }

    [Fact]
    public async Task It_is_signed_with_the_time_of_day_whatever_the_clock_of_leases_says()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        // As after the machine's clock was hours ahead and was set right: leases go on from there, so as never to last too long.
        await using var bench = await StartAsync(time: new AheadClock(TimeSpan.FromHours(3)));
        await CancelAsync(bench, await SubmitAsync(bench, endpoint.Url, Secret));

        var delivery = await endpoint.NextAsync();

        delivery.IsSignedBy(Secret).ShouldBeTrue();
        (TimeProvider.System.GetUtcNow() - delivery.Timestamp).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task After_the_last_attempt_it_is_given_up()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync(500);
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(0.05), TimeSpan.FromSeconds(0.05)] });
        var id = await SubmitAsync(bench, endpoint.Url);
        await CancelAsync(bench, id);

        var callback = await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "givenUp");

        (callback.GetProperty("attempts").GetInt32(), callback.GetProperty("status").GetInt32()).ShouldBe((3, 500));
        endpoint.Deliveries.Count.ShouldBe(3);
        (await bench.Jobs.FindAsync(id, default))!.State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public async Task Gone_ends_it_at_once()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync(410);
        await using var bench = await StartAsync();
        var id = await SubmitAsync(bench, endpoint.Url);
        await CancelAsync(bench, id);

        var callback = await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "givenUp");

        (callback.GetProperty("attempts").GetInt32(), callback.GetProperty("status").GetInt32()).ShouldBe((1, 410));
    }

    [Fact]
    public async Task An_endpoint_that_is_busy_is_left_alone_for_as_long_as_it_asks()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) =>
        {
            if (number == 1)
                http.Response.Headers.RetryAfter = "2";
            return AnswerAsync(http, number == 1 ? 429 : 200);
        });
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(0.1)] });
        var id = await SubmitAsync(bench, endpoint.Url);
        var other = await SubmitAsync(bench, endpoint.Url, picture: 65);
        await CancelAsync(bench, id);
        await endpoint.NextAsync();
        var start = TimeProvider.System.GetTimestamp();
        await CancelAsync(bench, other);

        ReceivedWebhook[] later = [await endpoint.NextAsync(), await endpoint.NextAsync()];

        TimeProvider.System.GetElapsedTime(start).ShouldBeGreaterThan(TimeSpan.FromSeconds(1.8));
        later.Select(d => d.Id).ShouldBe([id.Value, other.Value], ignoreOrder: true);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_nobody_follows_it()
    {
        await using var target = await WebhookEndpoint.StartAsync();
        await using var endpoint = await WebhookEndpoint.StartAsync((http, _) =>
        {
            http.Response.Headers.Location = target.Url;
            return AnswerAsync(http, 307);
        });
        await using var bench = await StartAsync();
        var id = await SubmitAsync(bench, endpoint.Url);
        await CancelAsync(bench, id);

        var callback = await CallbackAsync(bench, id, c => c.GetProperty("attempts").GetInt32() == 1);

        (callback.GetProperty("state").GetString(), callback.GetProperty("status").GetInt32()).ShouldBe(("pending", 307));
        target.Deliveries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Cookies_are_not_kept()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) =>
        {
            http.Response.Headers.SetCookie = "who=you; Path=/";
            return AnswerAsync(http, number == 1 ? 500 : 200);
        });
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(0.1)] });
        await CancelAsync(bench, await SubmitAsync(bench, endpoint.Url));

        await endpoint.NextAsync();

        (await endpoint.NextAsync()).Headers.ContainsKey("Cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_is_cut_off_and_one_that_answers_without_end_has_answered()
    {
        await using var slow = await WebhookEndpoint.StartAsync((http, _) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted));
        await using var endless = await WebhookEndpoint.StartAsync(async (http, _) =>
        {
            while (!http.RequestAborted.IsCancellationRequested)
                await http.Response.Body.WriteAsync(new byte[8192], http.RequestAborted);
        });
        await using var dripping = await WebhookEndpoint.StartAsync(async (http, _) =>
        {
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.Body.WriteAsync("."u8.ToArray(), http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(TimeSpan.FromSeconds(0.1), TimeProvider.System, http.RequestAborted);
            }
        });
        await using var bench = await StartAsync(d => d with { Timeout = TimeSpan.FromSeconds(2), Lease = TimeSpan.FromSeconds(10) });
        JobId[] ids = [await SubmitAsync(bench, slow.Url), await SubmitAsync(bench, endless.Url, picture: 65), await SubmitAsync(bench, dripping.Url, picture: 66)];
        foreach (var id in ids)
            await CancelAsync(bench, id);

        var cut = await CallbackAsync(bench, ids[0], c => c.GetProperty("attempts").GetInt32() == 1);
        (cut.GetProperty("state").GetString(), cut.GetProperty("status").ValueKind).ShouldBe(("pending", JsonValueKind.Null));
        cut.GetProperty("detail").GetString().ShouldBe("The endpoint did not answer within 2 s.");
        await CallbackAsync(bench, ids[1], c => c.GetProperty("state").GetString() == "delivered");
        await CallbackAsync(bench, ids[2], c => c.GetProperty("state").GetString() == "delivered");
    }

    [Theory]
    [InlineData("garbage", "not HTTP")]
    [InlineData("headers", "not HTTP")]
    [InlineData("reset", "cut the connection")]
    [InlineData("closed", "cut the connection")]
    [InlineData("refused", "refused the connection")]
    public async Task What_is_no_answer_is_a_failure(string how, string detail)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        if (how == "refused")
            listener.Stop();
        var serving = how == "refused" ? Task.CompletedTask : ServeBadlyAsync(listener, how);
        await using var bench = await StartAsync();
        var id = await SubmitAsync(bench, $"http://127.0.0.1:{port}/");
        await CancelAsync(bench, id);

        var callback = await CallbackAsync(bench, id, c => c.GetProperty("attempts").GetInt32() == 1);

        callback.GetProperty("state").GetString().ShouldBe("pending");
        callback.GetProperty("detail").GetString()!.ShouldContain(detail);
        listener.Stop();
        await serving;
    }

    [Fact]
    public async Task One_that_hangs_does_not_hold_back_another()
    {
        await using var hanging = await WebhookEndpoint.StartAsync((http, _) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted));
        await using var good = await WebhookEndpoint.StartAsync();
        await using var bench = await StartAsync(d => d with { PerEndpoint = 2, AtOnce = 64 });
        var ids = new List<JobId>();
        // The bad one's are due first, and more than are sent at once.
        for (var i = 0; i < 40; i++)
            ids.Add(await SubmitAsync(bench, i < 30 ? hanging.Url : good.Url, picture: 70 + i));
        foreach (var id in ids)
            await CancelAsync(bench, id);

        for (var i = 0; i < 10; i++)
            await good.NextAsync();

        good.Deliveries.Select(d => d.Id).ShouldBe(ids.Skip(30).Select(i => i.Value), ignoreOrder: true);
        hanging.MostOpen.ShouldBe(2);

    }

    [Fact]
    public async Task An_endpoint_that_fails_is_left_alone_and_gets_everything_once_it_works_again()
    {
        var works = false;
        await using var endpoint = await WebhookEndpoint.StartAsync((http, _) => AnswerAsync(http, Volatile.Read(ref works) ? 200 : 503));
        await using var bench = await StartAsync(d => d with
        {
            Delays = [.. Enumerable.Repeat(TimeSpan.FromSeconds(0.1), 50)], FirstOpen = TimeSpan.FromSeconds(0.5), LongestOpen = TimeSpan.FromSeconds(1), Lease = TimeSpan.FromSeconds(3), Timeout = TimeSpan.FromSeconds(1),
        });
        var ids = new List<JobId>();
        for (var i = 0; i < 8; i++)
            ids.Add(await SubmitAsync(bench, endpoint.Url, picture: 70 + i));
        foreach (var id in ids)
            await CancelAsync(bench, id);
        await WaitAsync(() => bench.Log.Any(line => line.Contains("keeps failing", StringComparison.Ordinal)));
        // While the circuit is open little comes: single tries.
        var before = endpoint.Deliveries.Count;
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
        (endpoint.Deliveries.Count - before).ShouldBeLessThan(10);

        Volatile.Write(ref works, true);

        foreach (var id in ids)
            await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "delivered");
        endpoint.Deliveries.Select(d => d.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(8);
    }

    [Fact]
    public async Task Many_deliveries_all_arrive_once_and_no_more_than_a_few_at_a_time()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        // Nobody looks by himself: it is told that jobs have ended, and that there is room for more.
        await using var bench = await StartAsync(d => d with { Poll = TimeSpan.FromMinutes(10) });
        var ids = new List<JobId>();
        for (var i = 0; i < 100; i++)
            ids.Add((await bench.Jobs.AddAsync([SampleJobs.New() with { Notify = [new JobNotification("webhook", endpoint.Url, Secret)] }], default))[0].Job.Id);
        await Task.WhenAll(ids.Select(id => bench.Jobs.CancelAsync(id, by: null, default)));

        await WaitAsync(() => endpoint.Deliveries.Count >= 100);
        await WaitAsync(async () => await bench.Backend.Outbox.PendingAsync(default) == 0);

        endpoint.Deliveries.Select(d => d.Id).ShouldBe(ids.Select(i => i.Value), ignoreOrder: true);
        endpoint.MostOpen.ShouldBeLessThanOrEqualTo(4);
    }

    [Fact]
    public async Task What_was_under_way_when_the_gateway_ended_is_sent_by_the_next_one_with_the_same_id()
    {
        var release = new TaskCompletionSource();
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) => number == 1 ? release.Task.WaitAsync(http.RequestAborted) : AnswerAsync(http, 200));
        await using var bench = await StartAsync(d => d with { Timeout = TimeSpan.FromSeconds(2), Lease = TimeSpan.FromSeconds(3) });
        var id = await SubmitAsync(bench, endpoint.Url, Secret);
        await CancelAsync(bench, id);
        var first = await endpoint.NextAsync();

        await bench.RestartAsync();
        var second = await endpoint.NextAsync();

        second.Id.ShouldBe(first.Id);
        second.Body.ShouldBe(first.Body);
        await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "delivered" && c.GetProperty("attempts").GetInt32() == 1);
        release.SetResult();
    }

    [Fact]
    public async Task A_job_that_was_redriven_tells_its_new_end_and_no_longer_its_old_one()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) => AnswerAsync(http, number == 1 ? 500 : 200));
        await using var bench = await StartAsync(d => d with { Delays = [TimeSpan.FromSeconds(1)] });
        var id = await SubmitAsync(bench, endpoint.Url);
        while ((await bench.Jobs.FindAsync(id, default))!.State != JobState.Dead)
            await FinishAsync(bench, id, SampleJobs.Retry());
        var first = await endpoint.NextAsync();

        await bench.Jobs.RedriveAsync(new RedriveFilter { Ids = [id] }, by: null, default);
        await FinishAsync(bench, id, SampleJobs.Done());
        var second = await endpoint.NextAsync();

        (first.Id, first.Json.GetProperty("type").GetString()).ShouldBe((id.Value, "job.dead"));
        (second.Id, second.Json.GetProperty("type").GetString()).ShouldBe((id.Value + "~1", "job.succeeded"));
        await WaitAsync(async () => await bench.Backend.Outbox.PendingAsync(default) == 0);
        endpoint.Deliveries.Count.ShouldBe(2);
        (await bench.Backend.Outbox.OfAsync(id, default))[0].State.ShouldBe(DeliveryState.GivenUp);
    }

    [Fact]
    public async Task What_is_no_longer_allowed_is_blocked_at_delivery()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var bench = await StartAsync(webhooks: w => w with { Allowed = [] });
        var id = (await bench.Jobs.AddAsync([SampleJobs.New() with { Notify = [new JobNotification("webhook", endpoint.Url, Secret)] }], default))[0].Job.Id;
        await bench.Jobs.CancelAsync(id, by: null, default);

        var callback = await CallbackAsync(bench, id, c => c.GetProperty("state").GetString() == "givenUp");

        callback.GetProperty("detail").GetString()!.ShouldStartWith("blocked");
        endpoint.Deliveries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("https://169.254.169.254/latest/meta-data", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("https://user:secret-word@example.com/", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("not a url", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("ftp://example.com/", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("/hook", null, 422, ErrorCodes.CallbackForbidden)]
    [InlineData("https://example.com/", "secret-word", 400, ErrorCodes.InvalidRequest)]
    [InlineData("https://example.com/", "whsec_c2VjcmV0LXdvcmQ=", 400, ErrorCodes.InvalidRequest)]
    public async Task What_can_not_be_sent_is_refused_with_the_request_and_without_repeating_it(string url, string? secret, int status, string code)
    {
        await using var bench = await StartAsync(webhooks: w => w with { Allowed = [] });

        using var response = await PostAsync(bench, url, secret);

        ((int)response.StatusCode).ShouldBe(status);
        var problem = await response.Content.ReadAsStringAsync();
        JsonDocument.Parse(problem).RootElement.GetProperty("code").GetString().ShouldBe(code);
        problem.ShouldNotContain("secret-word");
        problem.ShouldNotContain("c2VjcmV0LXdvcmQ=");
        (await bench.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);
    }

    [Fact]
    public async Task A_secret_in_the_address_is_refused()
    {
        await using var bench = await StartAsync();

        using var response = await bench.Client.PostAsync(
            new Uri($"/v1/jobs?callback=https://example.com/&callback_secret={Secret}", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Without_a_secret_of_its_own_the_service_asks_for_one()
    {
        await using var bench = await StartAsync(webhooks: w => w with { Secrets = [], Allowed = [] });

        using var refused = await PostAsync(bench, "https://example.com/");
        using var taken = await PostAsync(bench, "https://example.com/", Secret);

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        taken.StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    private static Task<GatewayBench> StartAsync(
        Func<DeliverySettings, DeliverySettings>? delivery = null, Func<WebhookSettings, WebhookSettings>? webhooks = null, TimeProvider? time = null)
    {
        var quick = new DeliverySettings { Poll = TimeSpan.FromSeconds(0.1) };
        var settings = new WebhookSettings
        {
            Secrets = [Own], Allowed = [EgressAllowance.Parse("127.0.0.1")], Delivery = delivery?.Invoke(quick) ?? quick,
        };
        return GatewayBench.StartAsync(all => all with { Webhooks = webhooks?.Invoke(settings) ?? settings }, time);
    }

    private static Task AnswerAsync(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static async Task ServeBadlyAsync(TcpListener listener, string how)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                await socket.ReceiveAsync(new byte[64 * 1024]);
                switch (how)
                {
                    case "garbage":
                        await socket.SendAsync("SSH-2.0-OpenSSH_9.2\r\n\r\n"u8.ToArray());
                        break;
                    case "headers":
                        await socket.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nX-Long: {new string('x', 256 * 1024)}\r\n\r\n"));
                        break;
                    case "reset":
                        socket.LingerState = new LingerOption(true, 0);
                        break;
                }
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(GatewayBench bench, string url, string? secret = null, int picture = 64)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("false"), "reuse");
        form.Add(new StringContent(url), "callback");
        if (secret is not null)
            form.Add(new StringContent(secret), "callback_secret");
        form.Add(GatewayBench.Body(GatewayBench.Picture(picture, 64)), "image", "picture.png");
        return await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), form);
    }

    private static async Task<JobId> SubmitAsync(GatewayBench bench, string url, string? secret = null, int picture = 64)
    {
        using var response = await PostAsync(bench, url, secret, picture);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        return JobId.Parse(response.Headers.Location!.ToString().Split('/')[^1]);
    }

    private static async Task CancelAsync(GatewayBench bench, JobId id) => (await bench.Jobs.CancelAsync(id, by: null, default))!.State.ShouldBe(JobState.Cancelled);

    private static async Task FinishAsync(GatewayBench bench, JobId id, JobOutcome outcome)
    {
        var started = await bench.Service.TakeAsync("w1", [(await bench.Jobs.FindAsync(id, default))!.Queue], GatewayBench.Safety, default);
        started!.Job.Id.ShouldBe(id);
        await bench.Service.FinishAsync(started.Lease, outcome, default);
    }

    private static async Task<JsonElement> JobAsync(GatewayBench bench, JobId id) =>
        JsonDocument.Parse(await bench.Client.GetStringAsync(new Uri($"/v1/jobs/{id}", UriKind.Relative))).RootElement;

    private static async Task<JsonElement> CallbackAsync(GatewayBench bench, JobId id, Func<JsonElement, bool> right)
    {
        JsonElement callback = default;
        await WaitAsync(async () => right(callback = (await JobAsync(bench, id)).GetProperty("callback")));
        return callback;
    }

    private static Task WaitAsync(Func<bool> right) => WaitAsync(() => Task.FromResult(right()));

    private static async Task WaitAsync(Func<Task<bool>> right)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await right())
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(GatewayBench.Safety);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>The real time, and so much more.</summary>
    private sealed class AheadClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    private static string Without(JsonElement json, string property) =>
        string.Join(',', json.EnumerateObject().Where(p => p.Name != property).Select(p => $"{p.Name}:{p.Value.GetRawText()}"));
}
