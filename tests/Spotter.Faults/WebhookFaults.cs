using System.Globalization;
using System.Text.Json;
using Spotter.Tests.Webhooks;

namespace Spotter.Faults;

/// <summary>Rows 4 and 17 to 19: webhook deliveries, their endpoints, and those that are none.</summary>
public sealed class WebhookFaults
{
    internal static readonly string[] Allowed = ["--callback-allow", "127.0.0.1"];

    internal static readonly (string Name, string Value)[] Quick =
    [
        ("SPOTTER__WEBHOOKS__TIMEOUTSECONDS", "1"), ("SPOTTER__WEBHOOKS__LEASESECONDS", "3"), ("SPOTTER__WEBHOOKS__RETRYSECONDS", "0.3,0.3,0.3,0.3,0.3,0.3"),
    ];

    [LinuxTheory]
    [InlineData("delivery-taken")]
    [InlineData("delivery-sent")]
    [InlineData("delivery-recorded")]
    public async Task A_gateway_killed_around_a_delivery_makes_it_under_one_id(string step) =>
        FaultTable.ShouldSurvive(4, $"SIGKILL gateway at {step}", await Scenarios.KilledAroundADeliveryAsync($"{step}=kill@1", null));

    [LinuxFact]
    public async Task A_slow_endpoint_is_cut_off_and_holds_nobody_up()
    {
        await using var slow = await WebhookEndpoint.StartAsync(async (http, number) =>
        {
            if (number <= 2)
                await Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var fast = await WebhookEndpoint.StartAsync();
        await using var bench = await Bench.StartAsync(arguments: Allowed, settings: Quick);
        bench.StartWorker();
        var held = await bench.Ledger.SubmitAsync(() => bench.Api, "slow", 200, Part.Field("callback", slow.Url));
        var free = await bench.Ledger.SubmitAsync(() => bench.Api, "fast", 210, Part.Field("callback", fast.Url));
        var verdict = await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 1);
        await DeliveredAsync(bench, free, verdict);
        await DeliveredAsync(bench, held, verdict);
        verdict.Expect(slow.Deliveries.Count == 3, $"the slow endpoint was told {slow.Deliveries.Count} times");
        verdict.Expect(slow.Deliveries.All(d => d.Id == held), "the id has changed");
        FaultTable.ShouldSurvive(17, "endpoint slower than allowed: cut off, tried again, others go on", verdict.And(await bench.Ledger.CheckAsync(bench.Api)));
    }

    [LinuxFact]
    public async Task What_an_endpoint_answers_is_obeyed()
    {
        await using var failing = await WebhookEndpoint.StartAsync((http, number) =>
        {
            http.Response.StatusCode = number <= 2 ? 500 : 200;
            return Task.CompletedTask;
        });
        await using var busy = await WebhookEndpoint.StartAsync((http, number) =>
        {
            http.Response.StatusCode = number == 1 ? 429 : 200;
            if (number == 1)
                http.Response.Headers.RetryAfter = "2";
            return Task.CompletedTask;
        });
        await using var gone = await WebhookEndpoint.StartAsync(410);
        await using var bench = await Bench.StartAsync(arguments: Allowed, settings: Quick);
        bench.StartWorker();
        var ids = new List<string>();
        foreach (var (endpoint, i) in new[] { failing, busy, gone }.Select((r, i) => (r, i)))
            ids.Add(await bench.Ledger.SubmitAsync(() => bench.Api, string.Create(CultureInfo.InvariantCulture, $"picture-{i}"), (byte)(200 + i), Part.Field("callback", endpoint.Url)));
        var verdict = await bench.Ledger.CheckAsync(bench.Api);
        await DeliveredAsync(bench, ids[0], verdict);
        await DeliveredAsync(bench, ids[1], verdict);
        await Eventually.SeeAsync("given up", () => bench.Api.JobAsync(ids[2]), job => StateOf(job) == "givenUp");
        verdict.Expect(failing.Deliveries.Count == 3 && failing.Deliveries.All(d => d.Id == ids[0]), "after 500 it was not tried again under the same id");
        verdict.Expect(busy.Deliveries.Count == 2 && busy.Deliveries[1].Timestamp - busy.Deliveries[0].Timestamp >= TimeSpan.FromSeconds(1), "Retry-After was not obeyed");
        verdict.Expect(gone.Deliveries.Count == 1, $"one who said 410 was told {gone.Deliveries.Count} times");
        FaultTable.ShouldSurvive(18, "endpoint answers 500, 429, 410: again, later, never", verdict);
    }

    [LinuxFact]
    public async Task Nowhere_that_only_the_service_can_reach_is_dialled()
    {
        await using var inside = await WebhookEndpoint.StartAsync();
        await using var bench = await Bench.StartAsync();
        var port = inside.Address.Port.ToString(CultureInfo.InvariantCulture);
        var verdict = new Verdict();
        foreach (var host in (string[])["169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "0.0.0.0", "127.1"])
        {
            var answer = await bench.Api.SubmitAsync([Part.Field("callback", $"http://{host}:{port}/hook"), Part.Image(Pictures.Png(200))]);
            verdict.Expect((int)answer.Status == 422, $"{host} was let in: {answer}");
        }
        verdict.Expect(inside.Deliveries.Count == 0, "something was sent");
        FaultTable.ShouldSurvive(19, "callback to this machine or its metadata, in any spelling", verdict);
    }

    [LinuxFact]
    public async Task An_endpoint_that_points_elsewhere_is_not_followed()
    {
        await using var inside = await WebhookEndpoint.StartAsync();
        await using var pointing = await WebhookEndpoint.StartAsync((http, _) =>
        {
            http.Response.Redirect(inside.Url);
            return Task.CompletedTask;
        });
        await using var bench = await Bench.StartAsync(arguments: Allowed, settings: Quick);
        bench.StartWorker();
        await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200, Part.Field("callback", pointing.Url));
        var verdict = await bench.Ledger.CheckAsync(bench.Api);
        await pointing.NextAsync();
        await pointing.NextAsync();
        verdict.Expect(inside.Deliveries.Count == 0, "a redirect was followed");
        FaultTable.ShouldSurvive(19, "endpoint redirects: a failure, not followed", verdict);
    }

    internal static string? StateOf(JsonElement job) => job.GetProperty("callback").GetProperty("state").GetString();

    private static async Task DeliveredAsync(Bench bench, string id, Verdict verdict)
    {
        try
        {
            await Eventually.SeeAsync("the webhook is delivered", () => bench.Api.JobAsync(id), job => StateOf(job) == "delivered", TimeSpan.FromSeconds(40));
        }
        catch (TimeoutException late)
        {
            verdict.Lost.Add(late.Message);
        }
    }
}
