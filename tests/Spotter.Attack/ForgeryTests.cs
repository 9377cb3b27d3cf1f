using System.Globalization;
using System.Net;
using System.Text.Json;
using Spotter.Tests.Http;
using Spotter.Tests.Webhooks;

namespace Spotter.Attack;

/// <summary>Webhooks as a way into the network of the service (server-side request forgery). Not at once with others that stand in for metadata services.</summary>
[Collection("metadata")]
public sealed class ForgeryTests
{
    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WEBHOOKS__RETRYSECONDS"] = "0.2,0.2,0.2",
        ["SPOTTER__WEBHOOKS__TIMEOUTSECONDS"] = "5",
    };

    [StraceFact]
    public async Task No_spelling_of_an_inner_address_is_taken()
    {
        using var folder = new TemporaryFolder();
        using var inside = new CountingListener(IPAddress.Loopback);
        var trace = folder.File("trace");
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1"], Quick, trace: trace);
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("R19", "an inner address as a webhook's, however it is spelled", "spellings");
        foreach (var host in InnerAddresses.Spellings().Concat(MetadataHosts()).Distinct(StringComparer.Ordinal))
        {
            foreach (var url in (string[])[$"https://{host}/", string.Create(CultureInfo.InvariantCulture, $"http://{host}:{inside.Port}/latest/meta-data/")])
                await RefuseAsync(row, api, url);
        }
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90))).ShouldBe("succeeded");
        foreach (var url in (string[])["http:169.254.169.254", "http:/169.254.169.254/", "//169.254.169.254/", "https:\\\\169.254.169.254\\", "file:///etc/passwd", "gopher://169.254.169.254:80/_GET", "jar:http://169.254.169.254!/",
            "https://169.254.169.254:443@example.com:80/", "https://example.com\t@169.254.169.254/", "https://example.com\n@169.254.169.254/", "https://example.com#@169.254.169.254/", "https://example.com?@169.254.169.254:80/\\..\\"])
        {
            await RefuseAsync(row, api, url, mayBePublic: url.StartsWith("https://example.com?", StringComparison.Ordinal));
        }
        (await service.TerminateAsync()).ShouldBe(0);
        row.Try(inside.Connects == 0, $"{inside.Connects} connects");
        row.End(atLeast: 1000);
        var connects = new AttackRow("R19b", "what a service sends that was given inner addresses", "connections");
        await Connections.JudgeAsync(connects, service, trace);
        connects.End();
    }

    [StraceFact]
    public async Task Redirects_are_not_followed()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        using var inside = new CountingListener(IPAddress.Loopback);
        string[] places = ["http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://[::ffff:a9fe:a9fe]/", "http://2852039166/", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{inside.Port}/")];
        int[] statuses = [300, 301, 302, 303, 305, 307, 308];
        await using var endpoint = await WebhookEndpoint.StartAsync((http, number) =>
        {
            // Each attempt is a connection of its own, and is seen.
            (http.Response.StatusCode, http.Response.Headers.Connection) = (statuses[number % statuses.Length], "close");
            http.Response.Headers.Location = places[number % places.Length];
            http.Response.Headers["Refresh"] = "0; url=" + places[number % places.Length];
            return Task.CompletedTask;
        });
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")),
            ["--max-workers", "1", "--callback-allow", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{endpoint.Address.Port}")], Quick, trace: trace);
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("R19c", "an endpoint that redirects to an inner address", "redirects");
        var jobs = new List<string>();
        for (var i = 0; i < 12; i++)
            jobs.Add(SpotterApi.IdOf((await api.SubmitAsync([Part.Image(Pictures.Png((byte)(100 + i))), Part.Field("callback", endpoint.Url)])).Json));
        foreach (var id in jobs)
        {
            var job = await Eventually.SeeAsync("it was tried", () => api.JobAsync(id), j => j.GetProperty("callback").GetProperty("attempts").GetInt32() > 0, TimeSpan.FromMinutes(1));
            row.Try(job.GetProperty("callback").GetProperty("state").GetString() != "delivered", job.GetRawText());
        }
        (await service.TerminateAsync()).ShouldBe(0);
        row.Try(inside.Connects == 0, $"{inside.Connects} connects");
        await Connections.JudgeAsync(row, service, trace, endpoint.Address.Port);
        row.End(atLeast: 20);
    }

    [EnclosedFact]
    public async Task No_name_leads_to_where_clouds_keep_their_keys_even_if_it_was_allowed()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        await using var names = new NameServer();
        await using var endpoint = await WebhookEndpoint.StartAsync((http, _) =>
        {
            // The next attempt has to look the name up again.
            (http.Response.StatusCode, http.Response.Headers.Connection) = (500, "close");
            return Task.CompletedTask;
        });
        var port = endpoint.Address.Port;
        using var metadata = new CountingListener(Enclosure.Metadata, 80);
        using var secure = new CountingListener(Enclosure.Metadata, 443);
        using var other = new CountingListener(Enclosure.Metadata, port);
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")),
            ["--max-workers", "1", "--callback-allow", "*.rebound.example", "--callback-allow", "169.254.0.0/16", "--callback-allow", "::/0"], Quick, trace: trace);
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("A16", "metadata services through an allow list, in every form of their address", "spellings");
        foreach (var host in MetadataHosts())
            await RefuseAsync(row, api, $"http://{host}/");

        var jobs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (number, address) in InnerAddresses.Metadata().Index())
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"n{number}.rebound.example");
            names.Lead(name, IPAddress.Parse(address));
            // By a public name as well, which needs no leave.
            names.Lead(name.Replace("rebound", "public", StringComparison.Ordinal), IPAddress.Parse(address));
            jobs[$"{name} is {address}"] = await SubmitAsync(api, number % 3 == 2 ? $"https://{name.Replace("rebound", "public", StringComparison.Ordinal)}/" : $"http://{name}/");
        }
        foreach (var (what, id) in jobs)
            await BlockedAsync(row, api, what, id);
        row.Try(metadata.Connects + secure.Connects == 0, "somebody came");
        row.End(atLeast: 300);

        // Good when it is looked at first, and elsewhere the next time.
        var rebinding = new AttackRow("R19d", "a name that leads elsewhere the next time (DNS rebinding)", "deliveries");
        for (var i = 0; i < 10; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"turn{i}.rebound.example");
            names.Lead(name, IPAddress.Loopback, Enclosure.Metadata);
            var id = await SubmitAsync(api, string.Create(CultureInfo.InvariantCulture, $"http://{name}:{port}/"));
            await BlockedAsync(rebinding, api, name, id);
            rebinding.Try(names.Asked(name) >= 2, $"{name} was asked for {names.Asked(name)} times");
        }
        rebinding.Try(endpoint.Deliveries.Count == 10, $"{endpoint.Deliveries.Count} deliveries");
        (await service.TerminateAsync()).ShouldBe(0);
        rebinding.Try(metadata.Connects + secure.Connects + other.Connects == 0, "somebody came");
        rebinding.End(atLeast: 20);
        var connects = new AttackRow("R19e", "what a service sends whose allowed names lead to metadata services", "connections");
        await Connections.JudgeAsync(connects, service, trace, port, 53);
        connects.End(atLeast: 10);
    }

    [Fact]
    public async Task Metadata_services_can_not_be_allowed()
    {
        var row = new AttackRow("A16b", "an allow list that names a metadata service", "spellings");
        foreach (var address in (string[])["169.254.169.254", "169.254.169.254:80", "[::ffff:169.254.169.254]:80", "fd00:ec2::254", "100.100.100.200"])
        {
            using var folder = new TemporaryFolder();
            var run = await SpotterProgram.RunAsync("serve", "--port", "0", "--data", folder.File("data"), "--callback-allow", address);
            row.Try(run.Status == 1, $"{address}: {run.Status} {run.Errors}");
        }
        row.End();
    }

    private static IEnumerable<string> MetadataHosts() => InnerAddresses.Metadata().Select(address => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address);

    private static async Task RefuseAsync(AttackRow row, SpotterApi api, string url, bool mayBePublic = false)
    {
        var answer = await api.SubmitAsync([Part.Field("callback", url), Part.Image(Pictures.Png(90, 8, 8))]);
        var isRefused = (int)answer.Status == 422 && answer.Json.GetProperty("code").GetString() == "callback_forbidden";
        row.Try(isRefused || mayBePublic, $"{url}: {answer}");
    }

    private static async Task<string> SubmitAsync(SpotterApi api, string url)
    {
        var answer = await api.SubmitAsync([Part.Field("callback", url), Part.Field("reuse", "true"), Part.Image(Pictures.Png(90, 8, 8))]);
        answer.Status.ShouldBeOneOf([HttpStatusCode.OK, HttpStatusCode.Accepted], $"{url}: {answer}");
        return SpotterApi.IdOf(answer.Json);
    }

    private static async Task BlockedAsync(AttackRow row, SpotterApi api, string what, string id)
    {
        var job = await Eventually.SeeAsync($"{what} was tried", () => api.JobAsync(id), j => j.GetProperty("callback").GetProperty("state").GetString() != "pending", TimeSpan.FromMinutes(1));
        var callback = job.GetProperty("callback");
        row.Try(callback.GetProperty("state").GetString() == "givenUp" && callback.GetProperty("detail") is { ValueKind: JsonValueKind.String } detail
            && detail.GetString()!.StartsWith("blocked", StringComparison.Ordinal), $"{what}: {callback.GetRawText()}");
    }
}
