using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spotter.Tests.Webhooks;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Engines;

/// <summary>Sessions of a real service, with engines in Python and those that come with Spotter.</summary>
public sealed class SessionTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private const string Single = "/api/v1/process-single-engine";
    private const string Workflow = "/api/v1/process-workflow";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly Dictionary<string, string> Surroundings = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = Token,
        ["SPOTTER__SESSIONS"] = "true",
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "4",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<EngineProcess> engines = [];
    private SpotterProcess service = null!;
    private SpotterApi api = null!;

    public async Task InitializeAsync()
    {
        service = await StartAsync();
        api = new SpotterApi(service.Address);
    }

    public async Task DisposeAsync()
    {
        foreach (var engine in engines)
        {
            output.WriteLine($"{engine.Log}\n");
            await engine.DisposeAsync();
        }
        output.WriteLine(service.Log);
        api.Dispose();
        await service.DisposeAsync();
        folder.Dispose();
    }

    [PythonFact]
    public async Task The_first_steps_of_BlueEdge_s_guide_work()
    {
        await JoinAsync("hello.py", "hello", "--config", Path.Combine(SharedFiles.Repository, "examples", "python", "hello.yml"));

        var session = await PostAsync(Single, """
            {"engineId":"unique-nano-id","inputs":{"Control":{"type":"JSON","payload":{"data":"Hello"}}},
             "outputs":{"Result":{"type":"JSON","interested":true},"Status":{"type":"JSON","interested":true}},"resultChannels":["Result","Status"]}
            """);

        var ended = await EndAsync(Single, session);
        ended.GetProperty("process").GetProperty("status").GetString().ShouldBe("finished");
        JsonNode.DeepEquals(JsonNode.Parse(ended.GetProperty("results").GetRawText()), JsonNode.Parse("""{"Result":[{"data":"World"}],"Status":[{"type":"finish"}]}""")).ShouldBeTrue(ended.GetRawText());
        service.Workers().ShouldBeEmpty("Spotter's own workers could not run it");
        var refused = await EndAsync(Single, await PostAsync(Single, """{"engineId":"hello","inputs":{"Control":{"type":"JSON","payload":{"data":"Bye"}}}}"""));
        refused.GetProperty("process").GetProperty("status").GetString().ShouldBe("failed");
    }

    [PythonFact]
    public async Task A_picture_goes_through_three_engines_of_two_programs_although_everybody_is_killed_on_the_way()
    {
        var worker = await JoinAsync("brightness.py", "first");
        await using var endpoint = await WebhookEndpoint.StartAsync((http, _) =>
        {
            http.Response.StatusCode = 200;
            return Task.CompletedTask;
        });
        // Two filters that come with Spotter, and an engine in Python, which takes its time.
        var session = await PostAsync(Workflow, $$"""
            {"dataChannels":[{"name":"in","type":"Image"},{"name":"turn","type":"JSON"},{"name":"turned","type":"Image"},{"name":"blur","type":"JSON"},{"name":"soft","type":"Image","interested":true},
                             {"name":"slow","type":"JSON"},{"name":"light","type":"JSON","interested":true}],
             "engines":[
               {"id":"brightness","inputs":[{"name":"image","type":"Image","linkTo":"soft"},{"name":"Control","type":"JSON","linkTo":"slow"}],"outputs":[{"name":"Brightness","type":"JSON","linkTo":"light"}]},
               {"id":"filter","inputs":[{"name":"image","type":"Image","linkTo":"turned"},{"name":"Control","type":"JSON","linkTo":"blur"}],"outputs":[{"name":"picture","type":"Image","linkTo":"soft"}]},
               {"id":"filter","inputs":[{"name":"image","type":"Image","linkTo":"in"},{"name":"Control","type":"JSON","linkTo":"turn"}],"outputs":[{"name":"picture","type":"Image","linkTo":"turned"}]}],
             "startData":[{"channelName":"in","payload":"{{Convert.ToBase64String(Pictures.Colour(90, 90, 90))}}"},{"channelName":"turn","payload":{"filter":"rotate"} },{"channelName":"blur","payload":{"filter":"rotate","degrees":180} },
                          {"channelName":"slow","payload":{"pause":5} }],
             "webhooks":[{"callbackUrl":"{{endpoint.Url}}","statusTypes":["finish"],"callbackHeader":{"X-Who":"me"},"resultChan":"light"}],"rank":1}
            """);
        await StateAsync(Workflow, session, data => data.GetProperty("results").GetProperty("soft").GetArrayLength() == 1);

        await service.KillAsync();
        await service.DisposeAsync();
        service = await StartAsync(service.Address.Port);
        await worker.EndAsync(Processes.Kill);
        await JoinAsync("brightness.py", "second");

        var ended = await EndAsync(Workflow, session);
        ended.GetProperty("process").GetProperty("status").GetString().ShouldBe("finished", ended.GetRawText());
        ended.GetProperty("results").GetProperty("light")[0].GetProperty("mean").GetDouble().ShouldBe(90, 2);
        var picture = await api.GetAsync(ended.GetProperty("results").GetProperty("soft")[0].GetProperty("url").GetString()!);
        (picture.Status, picture.MediaType).ShouldBe((HttpStatusCode.OK, ended.GetProperty("results").GetProperty("soft")[0].GetProperty("type").GetString()));
        var told = await endpoint.NextAsync();
        told.Json.GetProperty("data").GetProperty("event").GetString().ShouldBe("finish");
        told.Json.GetProperty("data").GetProperty("results").EnumerateObject().Select(r => r.Name).ShouldBe(["light"]);
        told.Json.GetProperty("data").GetProperty("sessionId").GetString().ShouldBe(session);
        // Each step was made once, whatever happened to those who ran it.
        (await api.ListAsync()).Select(SpotterApi.StateOf).ShouldBe(Enumerable.Repeat("succeeded", 4));
    }

    [Fact]
    public async Task Workers_come_for_what_a_session_needs_and_for_nothing_else()
    {
        var session = await PostAsync(Single, $$"""{"engineId":"filter","inputs":{"image":{"type":"Image","payload":"{{Convert.ToBase64String(Pictures.Png(3))}}"},"Control":{"type":"JSON","payload":{"filter":"blur"} } },"outputs":{"Picture":{"type":"Image","interested":true} } }""");

        var ended = await EndAsync(Single, session);

        ended.GetProperty("results").GetProperty("Picture").GetArrayLength().ShouldBe(1, ended.GetRawText());
        // A session for an engine that nobody has leaves no worker running for it.
        var (unknown, _) = await SendAsync(HttpMethod.Post, Single, """{"engineId":"nobody","inputs":{"C":{"type":"JSON","payload":1}}}""");
        unknown.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        unknown.Json.GetProperty("status").GetString().ShouldBe("error");
    }

    private Task<SpotterProcess> StartAsync(int port = 0) =>
        SpotterProcess.StartAsync(folder.File("data"), model: null, ["--max-workers", "1", "--callback-allow", "127.0.0.1"], Surroundings, port: port);

    private async Task<EngineProcess> JoinAsync(string program, string name, params string[] more)
    {
        var engine = EngineProcess.StartPython(program, service.Address, Token, name, more);
        engines.Add(engine);
        await engine.JoinedAsync();
        return engine;
    }

    private async Task<string> PostAsync(string path, string request)
    {
        var (answer, data) = await SendAsync(HttpMethod.Post, path, request);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return data.GetProperty("sessionId").GetString()!;
    }

    private Task<JsonElement> EndAsync(string path, string session) => StateAsync(path, session, data => data.GetProperty("process").GetProperty("status").GetString() is "finished" or "failed" or "canceled");

    private Task<JsonElement> StateAsync(string path, string session, Func<JsonElement, bool> isSo) =>
        Eventually.SeeAsync("the session", async () => (await SendAsync(HttpMethod.Get, $"{path}/{session}", null)).Data, isSo, Patience);

    private async Task<(Answer Answer, JsonElement Data)> SendAsync(HttpMethod method, string path, string? json)
    {
        using var request = new HttpRequestMessage(method, path) { Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json") };
        var answer = await api.SendAsync(request);
        return (answer, answer.Json.GetProperty("data"));
    }
}
