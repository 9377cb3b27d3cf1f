using System.Net;

namespace Spotter.EndToEnd.Cameras;

/// <summary>The port for cameras serves them and nothing else, under the rules of the gateway's own.</summary>
public sealed class CameraPortTests(CameraService service) : IClassFixture<CameraService>
{
    [Theory]
    [InlineData("GET", "/v1/jobs")]
    [InlineData("POST", "/v1/jobs")]
    [InlineData("GET", "/v1/models")]
    [InlineData("GET", "/metrics")]
    [InlineData("GET", "/readyz")]
    [InlineData("GET", "/openapi/v1.json")]
    [InlineData("POST", "/v1/workers/w1/take")]
    public async Task Nothing_else_is_there(string method, string path)
    {
        using var api = new SpotterApi(service.Cameras);

        (await api.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).ShouldBeFailure(404).ShouldContain(path);
        ((int)(await service.Api.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).Status).ShouldNotBe(404, "the gateway's own port has it");
    }

    [Fact]
    public async Task It_says_whether_it_works_and_what_it_is()
    {
        using var api = new SpotterApi(service.Cameras);

        (await api.GetAsync("/healthz")).Text.ShouldBe("{\"status\":\"healthy\"}");
        (await api.GetAsync("/")).Text.ShouldStartWith("Spotter");
        (await service.Api.GetAsync("/")).Text.ShouldNotStartWith("Spotter", customMessage: "that is the page");
        (await api.GetAsync("/index.html")).ShouldBeFailure(404);
    }

    [Fact]
    public async Task Both_ports_serve_cameras()
    {
        (await CameraCall.DetectAsync(service.Process.Address, Pictures.Png(200))).Json.GetProperty("count").GetInt32().ShouldBe(2);
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(200))).Json.GetProperty("count").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Web_pages_of_others_reach_neither()
    {
        foreach (var address in new[] { service.Cameras, service.Process.Address })
        {
            var named = CameraCall.Read(await RawRequest.SendAsync(address, "GET /v1/status/ping HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"));
            (named.Status, named.Body.GetProperty("success").GetBoolean()).ShouldBe((403, false));
            var (_, status, _) = await CameraCall.SendAsync(address, "/v1/vision/detection", "Origin: http://evil.example\r\nContent-Type: multipart/form-data; boundary=b\r\n", "b",
                ("Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"", Pictures.Png(240)));
            status.ShouldBe(403);
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var folder = new TemporaryFolder();
        var taken = service.Cameras.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

        var ran = await SpotterProgram.RunAsync("serve", "--port", "0", "--deepstack-port", taken, "--data", folder.File("data"), "--model", PatchModel.Write(folder.File("patches.onnx")));

        ran.Status.ShouldBe(1);
        ran.Errors.ShouldContain($"Port {taken} on 127.0.0.1 is in use; end what listens there, or choose another port with --deepstack-port.");
    }

    [Fact]
    public async Task Failures_can_be_told_as_CodeProject_AI_tells_them()
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>(CameraCall.Patient, StringComparer.Ordinal) { ["SPOTTER__CAMERAS__ERRORS"] = "codeproject", ["SPOTTER__CAMERAS__MAXPREDICTIONS"] = "1" };
        await using var process = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1"], environment);

        var failed = await CameraCall.DetectAsync(process.Address, "<html>"u8.ToArray());

        (failed.Status, failed.ContentHeaders.ContentLength).ShouldBe((HttpStatusCode.OK, failed.Bytes.Length));
        failed.Json.EnumerateObject().Select(p => p.Name).ShouldBe(["success", "code", "error", "hostname"]);
        (failed.Json.GetProperty("success").GetBoolean(), failed.Json.GetProperty("code").GetInt32()).ShouldBe((false, 500));
        CameraCall.LabelsOf((await CameraCall.DetectAsync(process.Address, Pictures.Png(240))).Json).ShouldBe(["square"], "the most confident one");
        process.CameraAddress.ShouldBeNull();
    }
}
