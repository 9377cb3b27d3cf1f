using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Cameras;

/// <summary>A camera's answer is worth little after seconds: it comes in time, or a refusal comes at once, and no work is left behind.</summary>
public sealed class CameraOverloadTests
{
    [Fact]
    public async Task A_camera_overtakes_a_backlog_and_is_refused_at_once_when_that_does_not_help()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder);
        using var api = new SpotterApi(service.Address);
        (await SubmitManyAsync(api, 60, "normal")).Status.ShouldBe(HttpStatusCode.Accepted);

        var overtakes = await CameraCall.DetectAsync(service.Address, Pictures.Png(240), "/v1/vision/detection?timeout=60");
        overtakes.Status.ShouldBe(HttpStatusCode.OK, overtakes.Text);
        (await api.StatsAsync()).GetProperty("queued").GetInt64().ShouldBeGreaterThan(0, "it went before the others");

        (await SubmitManyAsync(api, 60, "high")).Status.ShouldBe(HttpStatusCode.Accepted);
        var refused = await Eventually.SeeAsync(
            "the backlog has been read", () => CameraCall.DetectAsync(service.CameraAddress!, Pictures.Png(240), "/v1/vision/detection?timeout=0.1"),
            answer => answer.Text.Contains("jobs before it", StringComparison.Ordinal));
        refused.ShouldBeFailure(503);
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 300);

        // Ten megabytes are announced and not one byte of them comes.
        var (head, status, _) = CameraCall.Read(await RawRequest.SendAsync(service.CameraAddress!,
            "POST /v1/vision/detection?timeout=0.1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n"));
        status.ShouldBe(503);
        head.ShouldContain("\r\nRetry-After: ", Case.Insensitive);
    }

    [Fact]
    public async Task A_picture_that_is_not_looked_at_in_time_is_not_looked_at_later()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder);
        using var api = new SpotterApi(service.Address);

        // Before anything was measured everything is let in, and no process starts as fast as this.
        var late = await CameraCall.DetectAsync(service.Address, Pictures.Png(240), "/v1/vision/detection?timeout=0.05");

        late.ShouldBeFailure(503).ShouldContain("in time");
        late.Headers.RetryAfter.ShouldNotBeNull();
        SpotterApi.StateOf((await api.ListAsync()).ShouldHaveSingleItem()).ShouldBeOneOf("cancelled", "failed");
    }

    [Fact]
    public async Task Clients_that_leave_leave_no_work()
    {
        const int Clients = 50;
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder);
        using var api = new SpotterApi(service.Address);
        using var client = new HttpClient { BaseAddress = service.Address };
        using var leave = new CancellationTokenSource();

        var leaving = Enumerable.Range(0, Clients).Select(async i =>
        {
            using var form = CameraCall.Form([], Pictures.Png((byte)(100 + i)));
            await Should.ThrowAsync<OperationCanceledException>(() => client.PostAsync(new Uri("/v1/vision/detection?timeout=60", UriKind.Relative), form, leave.Token));
        }).ToList();
        await Eventually.SeeAsync("all of them wait", api.StatsAsync, stats => Sum(stats) == Clients);
        await leave.CancelAsync();
        await Task.WhenAll(leaving);

        await Eventually.SeeAsync("nothing is left to do", api.StatsAsync, stats => stats.GetProperty("queued").GetInt64() + stats.GetProperty("running").GetInt64() == 0);
        var states = (await api.ListAsync()).CountBy(SpotterApi.StateOf).ToDictionary(StringComparer.Ordinal);
        states.GetValueOrDefault("cancelled").ShouldBeGreaterThan(Clients / 2, string.Join(", ", states));
    }

    [Fact]
    public async Task A_service_that_is_told_to_stop_answers_whom_it_has_let_in()
    {
        using var folder = new TemporaryFolder();
        // Long enough to be seen at work by somebody who is slow to look.
        await using var service = await SlowAsync(folder, work: 300);
        using var api = new SpotterApi(service.Address);
        // A worker that still loads its model gives its jobs back.
        (await CameraCall.DetectAsync(service.Address, Pictures.Png(200), "/v1/vision/detection?timeout=60")).Status.ShouldBe(HttpStatusCode.OK);
        var waiting = CameraCall.DetectAsync(service.CameraAddress!, Pictures.Png(240), "/v1/vision/detection?timeout=60");
        await Eventually.SeeAsync("it is looked at", api.StatsAsync, stats => stats.GetProperty("running").GetInt64() == 1);

        (await service.TerminateAsync()).ShouldBe(0, service.Log);

        var answer = await waiting;
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("count").GetInt32().ShouldBe(2);
    }

    private static long Sum(JsonElement stats) =>
        stats.GetProperty("queued").GetInt64() + stats.GetProperty("running").GetInt64() + stats.GetProperty("succeeded").GetInt64();

    private static Task<SpotterProcess> SlowAsync(TemporaryFolder folder, int work = 60) => SpotterProcess.StartAsync(
        folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: work), ["--max-workers", "1", "--lanes", "1", "--deepstack-port", "0"]);

    private static Task<Answer> SubmitManyAsync(SpotterApi api, int count, string priority) => api.SubmitAsync(
        [Part.Field("priority", priority), .. Enumerable.Range(0, count).Select(i => Part.Image(Pictures.Png((byte)(100 + i)), string.Create(CultureInfo.InvariantCulture, $"{i}.png")))]);
}
