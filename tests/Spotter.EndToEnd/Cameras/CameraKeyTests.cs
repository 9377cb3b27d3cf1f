using System.Net;
using System.Text;

namespace Spotter.EndToEnd.Cameras;

/// <summary>With keys, cameras show theirs as DeepStack's clients do, in the form, or in a header as everybody else.</summary>
public sealed class CameraKeyTests(CameraKeyService service) : IClassFixture<CameraKeyService>
{
    [Fact]
    public async Task A_key_may_come_in_the_form_before_the_picture_or_behind_it()
    {
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection", ("api_key", service.Key))).Json.GetProperty("count").GetInt32().ShouldBe(2);
        using var form = CameraCall.Form([], Pictures.Png(240));
        form.Add(new StringContent(service.Key), "api_key");
        form.Add(new StringContent("0.1"), "min_confidence");

        using var nobody = new SpotterApi(service.Cameras);
        var answer = await nobody.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = form });

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("count").GetInt32().ShouldBe(3, "what else stands in the form counts as well");
    }

    [Fact]
    public async Task A_key_may_come_in_a_header()
    {
        using var camera = new SpotterApi(service.Cameras, service.Key);

        var answer = await camera.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = CameraCall.Form([("api_key", "")], Pictures.Png(240)) });

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        using var tenant = new SpotterApi(service.Process.Address, service.Key);
        (await tenant.ListAsync()).ShouldContain(job => job.GetProperty("by").GetString() == "garage", "its jobs are its tenant's");
    }

    [Fact]
    public async Task Without_a_good_key_nothing_is_looked_at_or_stored()
    {
        var blobs = service.Blobs().Count;
        using var nobody = new SpotterApi(service.Cameras);
        using var wrong = new SpotterApi(service.Cameras, "sk_" + new string('A', 43));

        foreach (var fields in new (string, string)[][] { [], [("api_key", "")], [("api_key", "wrong")] })
            (await nobody.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = CameraCall.Form(fields, Pictures.Png(240)) })).ShouldBeFailure(401);
        (await wrong.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = CameraCall.Form([("api_key", service.Key)], Pictures.Png(240)) })).ShouldBeFailure(401);
        (await nobody.GetAsync("/v1/vision/custom/list")).ShouldBeFailure(401);
        (await nobody.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/scene") { Content = new StringContent("x", Encoding.UTF8, "text/plain") })).ShouldBeFailure(401);
        (await nobody.GetAsync("/v1/status/ping")).Status.ShouldBe(HttpStatusCode.OK);
        service.Blobs().Count.ShouldBe(blobs);
    }

    [Fact]
    public async Task A_key_that_is_good_for_something_else_is_refused_as_such()
    {
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection", ("api_key", service.ReaderKey))).ShouldBeFailure(403).ShouldContain("'submit'");
        using var reader = new SpotterApi(service.Cameras, service.ReaderKey);
        (await reader.GetAsync("/v1/vision/custom/list")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_behind_very_much_belongs_in_a_header()
    {
        var answer = await RawRequest.SendAsync(service.Cameras,
            $"POST /v1/vision/detection HTTP/1.1\r\nHost: {service.Cameras.Authority}\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n");

        var (_, status, body) = CameraCall.Read(answer);
        (status, body.GetProperty("error").GetString()!.Contains("X-API-Key", StringComparison.Ordinal)).ShouldBe((401, true));
    }
}

/// <summary>A service for cameras that takes requests with a key only.</summary>
public sealed class CameraKeyService : CameraService, IAsyncLifetime
{
    public string Key { get; private set; } = "";

    public string ReaderKey { get; private set; } = "";

    async Task IAsyncLifetime.InitializeAsync()
    {
        Key = await AddKeyAsync("garage", "submit,read");
        ReaderKey = await AddKeyAsync("reader", "read");
        await InitializeAsync();
    }

    private async Task<string> AddKeyAsync(string name, string scopes)
    {
        var made = await SpotterProgram.RunAsync("keys", "add", name, "--tenant", "house", "--scopes", scopes, "--data", Data);
        made.Status.ShouldBe(0, made.Errors);
        return made.Output.Trim();
    }
}
