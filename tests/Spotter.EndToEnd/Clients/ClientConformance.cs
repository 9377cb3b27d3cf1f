using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Tests.Webhooks;

namespace Spotter.EndToEnd.Clients;

/// <summary>A service that may send webhooks to this machine, and fetch from it.</summary>
public sealed class ClientService : RunningService
{
    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, "--callback-allow", "127.0.0.1", "--fetch-allow", "127.0.0.1"];
}

/// <summary>What every client does, whatever its language: each has a program that does one thing and prints what came of it.</summary>
/// <param name="service">The service.</param>
/// <param name="probe">The program.</param>
public abstract class ClientConformance(ClientService service, string probe) : IDisposable
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string OldSecret = "whsec_d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3";

    // Request, head of the answer and the first event together are more, and without the event they are less.
    private const int FirstEventBytes = 1000;

    private readonly TemporaryFolder folder = new();

    private protected Uri Address => service.Process.Address;

    private protected SpotterApi Api => service.Api;

    [ClientFact]
    public async Task A_picture_gives_the_job_as_the_service_shows_it()
    {
        var job = await RunAsync("detect", Address, Picture(201), "reuse=false");

        var shown = await Api.JobAsync(SpotterApi.IdOf(job));
        JsonElement.DeepEquals(job, shown).ShouldBeTrue($"{job}\n{shown}");
        job.GetProperty("result").GetProperty("summary").GetProperty("square").GetInt32().ShouldBe(1);
    }

    [ClientFact]
    public async Task Several_pictures_give_jobs_in_their_order_with_names_and_options()
    {
        var jobs = await RunAsync("submit", Address, $"{Picture(11, "first ü.png")},{Picture(12, "second.png")}", "priority=\"low\"", "labels=[\"oblong\", \"square\"]", "zones=[{\"name\": \"all\", \"points\": [[0, 0], [64, 0], [64, 64], [0, 64]]}]");

        jobs.EnumerateArray().Select(j => j.GetProperty("name").GetString()).ShouldBe(["first ü.png", "second.png"]);
        jobs.EnumerateArray().Select(j => j.GetProperty("priority").GetString()).ShouldBe(["low", "low"]);
        var ended = await Api.EndOfAsync(SpotterApi.IdOf(jobs[0]));
        ended.GetProperty("result").GetProperty("zones").GetProperty("all").GetProperty("oblong").GetInt32().ShouldBe(1);
    }

    [ClientFact]
    public async Task A_picture_that_is_named_by_its_URL_is_fetched_by_the_service()
    {
        var picture = await File.ReadAllBytesAsync(Picture(16));
        await using var files = await WebhookEndpoint.StartAsync((http, _) => http.Response.Body.WriteAsync(picture).AsTask());

        var jobs = await RunAsync("submit", Address, $"{files.Address}there.png,{Picture(17, "here.png")}", "labels=\"square\"");
        var alone = await RunAsync("detect", Address, $"{files.Address}alone.png");

        jobs.EnumerateArray().Select(j => j.GetProperty("name").GetString()).ShouldBe(["here.png", "there.png"]);
        (alone.GetProperty("name").GetString(), alone.GetProperty("state").GetString()).ShouldBe(("alone.png", "succeeded"));
        files.Deliveries.Count.ShouldBe(2);
    }

    [ClientFact]
    public async Task One_picture_in_a_list_gives_a_list() =>
        (await RunAsync("submit", Address, Picture(13))).GetArrayLength().ShouldBe(1);

    [ClientFact]
    public async Task Bytes_are_a_picture_and_pictures_come_back_as_bytes()
    {
        var file = Picture(14);
        var id = SpotterApi.IdOf(await RunAsync("bytes", Address, file));
        await RunAsync("wait", Address, id);

        var hashes = await RunAsync("hashes", Address, id);

        hashes.EnumerateArray().Select(h => h.GetString()).ShouldBe(
            [HashOf(await File.ReadAllBytesAsync(file)), HashOf((await Api.GetAsync($"/v1/jobs/{id}/image")).Bytes)]);
    }

    [ClientFact]
    public async Task Files_that_a_job_made_are_fetched_by_their_names()
    {
        var job = await RunAsync("detect", Address, Picture(15), "crops=true", "reuse=false");
        var output = job.GetProperty("outputs")[0];

        var hashes = await RunAsync("hashes", Address, SpotterApi.IdOf(job), output.GetProperty("name").GetString()!);

        hashes[2].GetString().ShouldBe(HashOf((await Api.GetAsync(output.GetProperty("url").GetString()!)).Bytes));
    }

    [ClientFact]
    public async Task A_job_is_followed_to_its_end()
    {
        await using var wire = new FaultyWire(Address);

        var states = await StatesUntilCancelledAsync(wire);

        states[0].ShouldBe("queued");
        states[^1].ShouldBe("cancelled");
        states.Count(s => s == "cancelled").ShouldBe(1);
    }

    [ClientFact]
    public async Task A_stream_that_breaks_is_opened_again()
    {
        // Enough for the first event, and not for the last one.
        await using var wire = new FaultyWire(Address) { Answers = new WireFault(AfterBytes: FirstEventBytes + 500, Times: 1) };

        var states = await StatesUntilCancelledAsync(wire);

        (states[0], states[^1]).ShouldBe(("queued", "cancelled"));
        wire.Broken.ShouldBe(1);
    }

    [ClientFact]
    public async Task A_job_can_be_followed_while_the_service_has_no_stream_left()
    {
        var job = await RunAsync("detect", Address, Picture(16));
        await using var server = await WebhookEndpoint.StartAsync((http, _) =>
            http.Request.Path.Value!.EndsWith("/events", StringComparison.Ordinal) ? RefuseAsync(http, 503, "busy", "2") : AnswerAsync(http, 200, job.GetRawText()));

        var events = await RunAsync("events", server.Address, SpotterApi.IdOf(job));

        events.EnumerateArray().Select(SpotterApi.IdOf).ShouldBe([SpotterApi.IdOf(job)]);
    }

    [ClientFact]
    public async Task A_cancelled_job_is_told_to_whoever_waits()
    {
        var id = await WaitingAsync();

        SpotterApi.StateOf(await RunAsync("cancel", Address, id)).ShouldBe("cancelled");

        var error = ErrorOf(await RunAsync("wait", Address, id));
        (error.GetProperty("code").GetString(), error.GetProperty("job").GetString()).ShouldBe(("cancelled", id));
    }

    [ClientFact]
    public async Task A_refused_picture_gives_the_code_and_the_sentence()
    {
        var file = folder.File("note.txt");
        await File.WriteAllTextAsync(file, "no picture");

        var error = ErrorOf(await RunAsync("detect", Address, file));

        (error.GetProperty("status").GetInt32(), error.GetProperty("code").GetString(), error.GetProperty("job").GetString()).ShouldBe((415, "unsupported_image", null));
        error.GetProperty("detail").GetString()!.ShouldStartWith("This is not a JPEG");
    }

    [ClientFact]
    public async Task A_picture_that_turns_out_damaged_gives_the_code_and_the_job()
    {
        var file = folder.File("damaged.png");
        await File.WriteAllBytesAsync(file, Pictures.PngWith(idat: [1, 2, 3]));

        var error = ErrorOf(await RunAsync("detect", Address, file));

        var job = await Api.JobAsync(error.GetProperty("job").GetString()!);
        SpotterApi.StateOf(job).ShouldBe("failed");
        error.GetProperty("code").GetString().ShouldBe(job.GetProperty("error").GetProperty("code").GetString());
    }

    [ClientFact]
    public async Task A_submission_whose_answer_is_lost_makes_one_job()
    {
        await using var wire = new FaultyWire(Address) { Answers = new WireFault(AfterBytes: 0, Times: 1) };
        var before = await Api.ListAsync();

        var jobs = await RunAsync("submit", wire.Address, Picture(17), "reuse=false");

        wire.Broken.ShouldBe(1);
        (await Api.ListAsync()).Select(SpotterApi.IdOf).Except(before.Select(SpotterApi.IdOf), StringComparer.Ordinal).ShouldBe([SpotterApi.IdOf(jobs[0])]);
    }

    [ClientFact]
    public async Task A_service_that_is_busy_is_asked_again_when_it_says_with_the_same_key()
    {
        var job = await RunAsync("detect", Address, Picture(18));
        await using var server = await WebhookEndpoint.StartAsync((http, number) =>
            number == 1 ? RefuseAsync(http, 503, "busy", "1") : number == 2 ? RefuseAsync(http, 429, "rate_limited", "1") : AnswerAsync(http, 202, job.GetRawText()));
        var began = Stopwatch.GetTimestamp();

        await RunAsync("submit", server.Address, Picture(18));

        Stopwatch.GetElapsedTime(began).ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
        server.Deliveries.Count.ShouldBe(3);
        server.Deliveries.Select(d => d.Headers["Idempotency-Key"]).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem().Length.ShouldBe(32);
        server.Deliveries.Select(d => d.Body.Length).Distinct().ShouldHaveSingleItem().ShouldBeGreaterThan((int)new FileInfo(Picture(18)).Length);
    }

    [ClientFact]
    public async Task A_service_that_is_busy_for_long_is_left_alone()
    {
        await using var server = await WebhookEndpoint.StartAsync((http, _) => RefuseAsync(http, 503, "busy", "300"));

        var error = ErrorOf(await RunAsync("submit", server.Address, Picture(18)));

        (error.GetProperty("code").GetString(), error.GetProperty("retryAfter").GetDouble()).ShouldBe(("busy", 300));
        server.Deliveries.Count.ShouldBe(1);
    }

    [ClientFact]
    public async Task A_key_is_shown_to_the_service_and_to_nobody_else()
    {
        const string Key = "sk_only-the-service-may-see-this";
        await using var stranger = await WebhookEndpoint.StartAsync();
        await using var server = await WebhookEndpoint.StartAsync((http, number) =>
        {
            http.Response.Headers.Location = stranger.Url;
            return RefuseAsync(http, number == 1 ? 401 : 307, "unauthorized", retryAfter: null);
        });

        foreach (var status in (int[])[401, 307])
        {
            var answer = await RunWithAsync(Key, "models", server.Address);
            ErrorOf(answer).GetProperty("status").GetInt32().ShouldBe(status);
            answer.GetRawText().ShouldNotContain(Key);
        }

        server.Deliveries.ShouldAllBe(d => d.Headers["Authorization"] == $"Bearer {Key}");
        stranger.Deliveries.ShouldBeEmpty();
        var (failed, output, errors) = await ClientProgram.RunAsync(Start(Key + "\n", "models", server.Address.ToString()));
        failed.ShouldNotBe(0);
        (output + errors).ShouldContain("key");
        (output + errors).ShouldNotContain(Key);
    }

    [ClientFact]
    public async Task A_service_that_is_away_is_an_error_with_a_sentence()
    {
        Uri nobody;
        await using (var server = await WebhookEndpoint.StartAsync())
            nobody = server.Address;

        var error = ErrorOf(await RunAsync("models", nobody));

        (error.GetProperty("status").GetInt32(), error.GetProperty("code").GetString()).ShouldBe((0, "unreachable"));
        error.GetProperty("detail").GetString()!.ShouldMatch("(?i)refused");
    }

    [ClientFact]
    public async Task All_jobs_are_listed_page_by_page()
    {
        for (var i = 0; i < 3; i++)
            await Api.RunAsync(Pictures.Png((byte)(20 + i)));

        var ids = await RunAsync("jobs", Address, "2");

        ids.EnumerateArray().Select(i => i.GetString()).ShouldBe((await Api.ListAsync()).Select(SpotterApi.IdOf));
    }

    [ClientFact]
    public async Task Models_are_listed() =>
        (await RunAsync("models", Address))[0].GetProperty("id").GetString().ShouldBe("patches");

    [ClientFact]
    public async Task A_webhook_that_the_service_sent_is_known_by_each_of_its_secrets()
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await RunAsync("submit", Address, Picture(19), $"callback=\"{endpoint.Url}\"", $"callback_secret=\"{Secret} {OldSecret}\"");
        var sent = await endpoint.NextAsync();
        var (headers, body) = (new Dictionary<string, string>(sent.Headers, StringComparer.Ordinal), Encoding.UTF8.GetString(sent.Body));

        (await VerifyAsync(headers, body, Secret)).ShouldBe("job.succeeded");
        (await VerifyAsync(headers, body, OldSecret)).ShouldBe("job.succeeded");
        (await VerifyAsync(headers, body, $"whsec_{new string('A', 32)}", OldSecret)).ShouldBe("job.succeeded");
        (await VerifyAsync(headers, body, $"whsec_{new string('A', 32)}")).ShouldBe("invalid");
        (await VerifyAsync(headers, body.Replace("succeeded", "cancelled", StringComparison.Ordinal), Secret)).ShouldBe("invalid");
        (await VerifyAsync(With(headers, "webhook-id", "another"), body, Secret)).ShouldBe("invalid");
        (await VerifyAsync(With(headers, "webhook-signature", "v1,ü v2, "), body, Secret)).ShouldBe("invalid");
        (await VerifyAsync(With(headers, "webhook-signature", ""), body, Secret)).ShouldBe("invalid");
        (await VerifyAsync([], body, Secret)).ShouldBe("invalid");
    }

    [ClientFact]
    public async Task A_webhook_that_is_old_is_not_believed_however_well_it_is_signed()
    {
        const string Body = """{"type":"job.succeeded"}""";
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

        (await VerifyAsync(Signed(now - 200, Body), Body, Secret)).ShouldBe("job.succeeded");
        (await VerifyAsync(Signed(now - 400, Body), Body, Secret)).ShouldBe("invalid");
        (await VerifyAsync(Signed(now + 400, Body), Body, Secret)).ShouldBe("invalid");
    }

    [ClientFact]
    public async Task A_secret_that_is_none_is_not_repeated()
    {
        var (status, output, errors) = await ClientProgram.RunAsync(Start("", "webhook", Address.ToString(), "whsec_!hidden"), """{"body": "", "headers": {}}""");

        status.ShouldNotBe(0);
        (output + errors).ShouldContain("whsec_ and Base64");
        (output + errors).ShouldNotContain("hidden");
    }

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected Task<JsonElement> RunAsync(string command, Uri address, params string[] arguments) => RunWithAsync("", command, address, arguments);

    private protected string Picture(byte shade, string name = "picture.png")
    {
        var file = folder.File(name);
        File.WriteAllBytes(file, Pictures.Png(shade));
        return file;
    }

    private Task<JsonElement> RunWithAsync(string key, string command, Uri address, params string[] arguments) =>
        ClientProgram.JsonAsync(Start(key, command, [address.ToString(), .. arguments]));

    private ProcessStartInfo Start(string key, string command, params string[] arguments) =>
        ClientProgram.StartInfo(ClientProgram.FileOf("tests", "Spotter.EndToEnd", "Clients", probe), [command, arguments[0], key, .. arguments[1..]]);

    private async Task<string?> VerifyAsync(Dictionary<string, string> headers, string body, params string[] secrets) =>
        (await ClientProgram.JsonAsync(Start("", "webhook", [Address.ToString(), .. secrets]), JsonSerializer.Serialize(new { headers, body }))).GetString();

    /// <summary>The states that a client sees of a job that is cancelled once it has seen the first one.</summary>
    private async Task<List<string>> StatesUntilCancelledAsync(FaultyWire wire)
    {
        var id = await WaitingAsync();
        var following = RunAsync("events", wire.Address, id);
        await Eventually.BeAsync("the first event comes", () => wire.Carried > FirstEventBytes || following.IsCompleted);
        (await Api.DeleteAsync($"/v1/jobs/{id}")).Status.ShouldBe(HttpStatusCode.OK);
        return [.. (await following).EnumerateArray().Select(SpotterApi.StateOf)];
    }

    /// <summary>A job that isn't started.</summary>
    private async Task<string> WaitingAsync() =>
        SpotterApi.IdOf((await Api.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(77))])).Json);

    private static JsonElement ErrorOf(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("error", out var error) && answer.TryGetProperty("shown", out _) ? error : throw new InvalidOperationException($"No error came, but {answer}");

    private static Dictionary<string, string> With(Dictionary<string, string> headers, string name, string value) =>
        new(headers, StringComparer.Ordinal) { [name] = value };

    private static Dictionary<string, string> Signed(long timestamp, string body)
    {
        var mac = HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ID.{timestamp}.{body}")));
        return new(StringComparer.Ordinal)
        {
            ["Webhook-Id"] = "ID",
            ["Webhook-Timestamp"] = timestamp.ToString(CultureInfo.InvariantCulture),
            ["Webhook-Signature"] = "v1," + Convert.ToBase64String(mac),
        };
    }

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static Task RefuseAsync(HttpContext http, int status, string code, string? retryAfter)
    {
        if (retryAfter is not null)
            http.Response.Headers.RetryAfter = retryAfter;
        return AnswerAsync(http, status, JsonSerializer.Serialize(new { code, detail = "No.", status }));
    }

    private static async Task AnswerAsync(HttpContext http, int status, string json)
    {
        http.Response.StatusCode = status;
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(json));
    }
}
