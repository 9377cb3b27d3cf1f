using System.Globalization;
using System.Net;
using Spotter.Tests.Http;
using Spotter.Tests.Webhooks;

namespace Spotter.Attack;

/// <summary>URLs of pictures as a way into the network of the service (server-side request forgery).</summary>
[Collection("metadata")]
public sealed class FetchForgeryTests
{
    [StraceFact]
    public async Task No_spelling_of_an_inner_address_is_fetched_from()
    {
        using var folder = new TemporaryFolder();
        using var inside = new CountingListener(IPAddress.Loopback);
        var trace = folder.File("trace");
        await using var service = await StartAsync(folder, trace);
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("R20", "an inner address as a picture's, however it is spelled", "spellings");
        foreach (var host in InnerAddresses.Spellings().Concat(MetadataHosts()).Distinct(StringComparer.Ordinal))
        {
            foreach (var url in (string[])[$"https://{host}/", $"http://{host}/latest/meta-data/", string.Create(CultureInfo.InvariantCulture, $"http://{host}:{inside.Port}/")])
                await RefuseAsync(row, api, url);
        }
        foreach (var url in (string[])["http:169.254.169.254", "http:/169.254.169.254/", "//169.254.169.254/", "http:\\\\169.254.169.254\\", "file:///etc/passwd", "gopher://169.254.169.254:80/_GET", "jar:http://169.254.169.254!/",
            "data:image/png;base64,iVBORw0KGgo=", "http://169.254.169.254:80@example.com:81/", "http://example.com\t@169.254.169.254/", "http://example.com\n@169.254.169.254/", "http://example.com#@169.254.169.254/", "http://example.com:22/"])
        {
            await RefuseAsync(row, api, url);
        }
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90))).ShouldBe("succeeded");
        (await service.TerminateAsync()).ShouldBe(0);
        row.Try(inside.Connects == 0, $"{inside.Connects} connects");
        row.End(atLeast: 1000);
        var connects = new AttackRow("R20b", "what a service sends that was to fetch from inner addresses", "connections");
        await Connections.JudgeAsync(connects, service, trace);
        connects.End();
    }

    [StraceFact]
    public async Task Redirects_lead_nowhere_that_a_url_may_not()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        using var inside = new CountingListener(IPAddress.Loopback);
        string[] places = ["http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://[::ffff:a9fe:a9fe]/", "http://2852039166/", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{inside.Port}/"), "file:///etc/passwd", "http://localhost/"];
        int[] statuses = [300, 301, 302, 303, 305, 307, 308];
        await using var server = await WebhookEndpoint.StartAsync((http, number) =>
        {
            (http.Response.StatusCode, http.Response.Headers.Connection) = (statuses[number % statuses.Length], "close");
            http.Response.Headers.Location = places[number / statuses.Length % places.Length];
            http.Response.Headers["Refresh"] = "0; url=" + places[0];
            return Task.CompletedTask;
        });
        await using var service = await StartAsync(folder, trace, "--fetch-allow", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Address.Port}"));
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("R20c", "a picture's URL that redirects to an inner address", "redirects");
        for (var i = 0; i < statuses.Length * places.Length; i++)
            await RefuseAsync(row, api, server.Url);
        (await service.TerminateAsync()).ShouldBe(0);
        row.Try(inside.Connects == 0, $"{inside.Connects} connects");
        await Connections.JudgeAsync(row, service, trace, server.Address.Port);
        row.End(atLeast: 90);
    }

    [EnclosedFact]
    public async Task No_name_leads_to_where_clouds_keep_their_keys_even_if_it_was_allowed()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        await using var names = new NameServer();
        await using var server = await WebhookEndpoint.StartAsync((http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.Connection) = (500, "close");
            return Task.CompletedTask;
        });
        var port = server.Address.Port;
        using var metadata = new CountingListener(Enclosure.Metadata, 80);
        using var secure = new CountingListener(Enclosure.Metadata, 443);
        using var other = new CountingListener(Enclosure.Metadata, port);
        await using var service = await StartAsync(folder, trace, "--fetch-allow", "*.rebound.example", "--fetch-allow", "169.254.0.0/16", "--fetch-allow", "::/0");
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("A19", "metadata services as a picture's server, by any name", "spellings");
        foreach (var (number, address) in InnerAddresses.Metadata().Index())
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"n{number}.rebound.example");
            var publicName = name.Replace("rebound", "public", StringComparison.Ordinal);
            names.Lead(name, IPAddress.Parse(address));
            names.Lead(publicName, IPAddress.Parse(address));
            // Port 80 of a public name needs no leave.
            await RefuseAsync(row, api, number % 2 == 0 ? $"http://{name}/" : $"http://{publicName}/latest/meta-data/");
        }
        row.Try(metadata.Connects + secure.Connects == 0, "somebody came");
        row.End(atLeast: 100);

        var rebinding = new AttackRow("R20d", "a picture's name that leads elsewhere the next time (DNS rebinding)", "connections");
        for (var i = 0; i < 10; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"turn{i}.rebound.example");
            names.Lead(name, IPAddress.Loopback, Enclosure.Metadata);
            var url = string.Create(CultureInfo.InvariantCulture, $"http://{name}:{port}/");
            await RefuseAsync(rebinding, api, url);
            await RefuseAsync(rebinding, api, url);
            rebinding.Try(names.Asked(name) >= 2, $"{name} was asked for {names.Asked(name)} times");
        }
        rebinding.Try(server.Deliveries.Count == 10, $"{server.Deliveries.Count} came");
        (await service.TerminateAsync()).ShouldBe(0);
        rebinding.Try(metadata.Connects + secure.Connects + other.Connects == 0, "somebody came");
        await Connections.JudgeAsync(rebinding, service, trace, port, 53);
        rebinding.End(atLeast: 40);
    }

    private static Task<SpotterProcess> StartAsync(TemporaryFolder folder, string trace, params string[] options) =>
        SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", .. options], trace: trace);

    private static IEnumerable<string> MetadataHosts() => InnerAddresses.Metadata().Select(address => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address);

    private static async Task RefuseAsync(AttackRow row, SpotterApi api, string url)
    {
        var answer = await api.SubmitAsync([Part.Field("url", url)]);
        row.Try((int)answer.Status == 422 && answer.Json.GetProperty("code").GetString() is "url_forbidden" or "url_failed", $"{url}: {answer}");
    }
}
