using System.Net.Http.Headers;
using System.Text.Json;
using Spotter.Tests.Webhooks;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Monitoring;

/// <summary>A service that sends its telemetry to a collector.</summary>
public sealed class TelemetryTests(ITestOutputHelper output) : IDisposable
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Client = "00f067aa0ba902b7";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public async Task A_trace_leads_from_the_door_over_the_run_to_the_delivery(string protocol)
    {
        await using var collector = await Collector.StartAsync(isGrpc: protocol == "grpc");
        await using var hook = await WebhookEndpoint.StartAsync();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        string[] arguments = ["--max-workers", "1", "--callback-allow", "127.0.0.1", "--telemetry-endpoint", collector.Address.ToString(), "--telemetry-protocol", protocol, "--telemetry-service", "photos"];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__TELEMETRY__HEADERS"] = "api-key=hidden" };
        string id;
        await using (var service = await SpotterProcess.StartAsync(folder.File("data"), model, arguments, variables))
        {
            id = await SubmitAsync(service.Address, hook);

            var delivered = await hook.NextAsync();
            delivered.Headers["traceparent"].ShouldStartWith($"00-{Trace}-");
            // The end of the service sends what still waits.
            (await service.TerminateAsync()).ShouldBe(0, service.Log);
            service.Log.ShouldNotContain("hidden");
        }

        foreach (var span in collector.Spans)
            output.WriteLine(span.ToString());
        collector.ApiKey.ShouldBe("hidden");
        var spans = collector.Spans.Where(s => s.Trace == Trace).ToList();
        spans.ShouldAllBe(s => s.Service == "photos");
        var door = spans.Single(s => s.Name.StartsWith("POST", StringComparison.Ordinal) && s.Parent == Client);
        door.Attributes["http.route"].ShouldBe("/v1/jobs");
        var submit = spans.Single(s => s.Name == "submit detect");
        submit.Parent.ShouldBe(door.Id);
        submit.Attributes["messaging.message.id"].ShouldBe(id);
        spans.Single(s => s.Name == "wait detect").Parent.ShouldBe(submit.Id);
        var run = spans.Single(s => s.Name == "run detect");
        run.Parent.ShouldBe(submit.Id);
        (run.Attributes["spotter.state"], run.Attributes["messaging.message.id"]).ShouldBe(("succeeded", id));
        spans.Where(s => s.Parent == run.Id).Select(s => s.Name).ShouldBe(["fetch", "decode", "infer", "post"], ignoreOrder: true);
        var delivery = spans.Single(s => s.Name == "deliver webhook");
        delivery.Parent.ShouldBe(submit.Id);
        delivery.Attributes["http.response.status_code"].ShouldBe("200");
        spans.ShouldAllBe(s => s.Parent == Client || spans.Any(parent => parent.Id == s.Parent));
        // A worker's asking is nobody's trace.
        collector.Spans.ShouldNotContain(s => s.Attributes.Any(a => a.Value.Contains("/v1/workers", StringComparison.Ordinal)));
        collector.Metrics["spotter.jobs"].ShouldBe("{job}");
        collector.Metrics["spotter.attempt.duration"].ShouldBe("s");
    }

    [Fact]
    public async Task Without_a_collector_that_answers_the_service_works_and_ends()
    {
        var model = PatchModel.Write(folder.File("patches.onnx"));
        // A port at which nobody listens.
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "1", "--telemetry-endpoint", "http://127.0.0.1:9"]);
        using var api = new SpotterApi(service.Address);

        var done = await api.RunAsync(Pictures.Png(34));

        SpotterApi.StateOf(done).ShouldBe("succeeded");
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
    }

    [Fact]
    public async Task Lines_of_the_log_name_the_trace_that_they_belong_to()
    {
        await using var closed = await WebhookEndpoint.StartAsync(500);
        var model = PatchModel.Write(folder.File("patches.onnx"));
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), model, ["--max-workers", "1", "--callback-allow", "127.0.0.1", "--log-format", "json"]);
        await SubmitAsync(service.Address, closed);

        await Eventually.BeAsync("a delivery has failed, and the log says so", () => service.Log.Contains("failed at attempt", StringComparison.Ordinal), Patience);

        var line = JsonDocument.Parse(service.Log.Split('\n').First(l => l.Contains("failed at attempt", StringComparison.Ordinal))).RootElement;
        line.GetProperty("values").GetProperty("channel").GetString().ShouldBe("webhook");
        line.GetProperty("trace").GetString().ShouldBe(Trace);
    }

    /// <summary>Sends a picture, as a part of a trace that its client records.</summary>
    private static async Task<string> SubmitAsync(Uri service, WebhookEndpoint hook)
    {
        using var client = new HttpClient { BaseAddress = service };
        using var picture = new ByteArrayContent(Pictures.Png(33));
        picture.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        using var form = new MultipartFormDataContent { { picture, "image", "a.png" }, { new StringContent(hook.Url), "callback" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = form };
        request.Headers.Add("traceparent", $"00-{Trace}-{Client}-01");
        using var accepted = await client.SendAsync(request);
        var said = await accepted.Content.ReadAsStringAsync();
        accepted.IsSuccessStatusCode.ShouldBeTrue(said);
        return JsonDocument.Parse(said).RootElement.GetProperty("id").GetString()!;
    }
}
