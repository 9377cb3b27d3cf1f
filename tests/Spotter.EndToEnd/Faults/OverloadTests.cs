using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Spotter.EndToEnd.Faults;

/// <summary>More comes than can be worked on: that is said at once, with when to come back, and what was accepted is done.</summary>
public sealed class OverloadTests
{
    [Fact]
    public async Task A_deadline_that_can_not_be_met_is_refused_at_once_and_nothing_is_stored()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder);
        using var api = new SpotterApi(service.Address);

        // As long as nobody knows how long a job takes, it is tried.
        var unknown = await api.SubmitBodyAsync(Body(Pictures.Png(1)), "?expires=60");
        unknown.Status.ShouldBe(HttpStatusCode.Accepted, unknown.Text);
        await api.EndOfAsync(SpotterApi.IdOf(unknown.Json));
        (await SubmitManyAsync(api, 60)).Status.ShouldBe(HttpStatusCode.Accepted);
        // What the store has counted is read once a second.
        await Eventually.SeeAsync(
            "it is known how long a job takes", () => api.SubmitBodyAsync(Body(Pictures.Png(7)), "?expires=0.1", waitSeconds: 1),
            answer => answer.Status == HttpStatusCode.ServiceUnavailable);
        var blobs = RunningService.BlobsIn(folder.File("data")).Count;

        var times = new List<double>();
        for (var i = 0; i < 41; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var refused = await api.SubmitBodyAsync(Body(Pictures.Png(7)), "?expires=0.1", waitSeconds: 1);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            refused.ShouldBeProblem(503, "deadline_unmeetable");
            refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 300);
        }
        times.Sort();
        times[times.Count / 2].ShouldBeLessThan(20, string.Join(", ", times.Select(t => t.ToString("0.0", CultureInfo.InvariantCulture))));
        // A field of the form is judged when the picture begins.
        (await api.SubmitAsync([Part.Field("expires", "0.1"), Part.Image(Pictures.Png(7))])).ShouldBeProblem(503, "deadline_unmeetable");
        // Where the picture is to be fetched, before anybody is asked for it.
        (await api.SubmitAsync([Part.Field("url", "https://example.com/a.png"), Part.Field("expires", "0.1")])).ShouldBeProblem(503, "deadline_unmeetable");
        RunningService.BlobsIn(folder.File("data")).Count.ShouldBe(blobs);

        var patient = await api.SubmitBodyAsync(Body(Pictures.Png(8)), "?expires=3600");
        patient.Status.ShouldBe(HttpStatusCode.Accepted, patient.Text);
        (await api.StatsAsync()).GetProperty("queued").GetInt64().ShouldBeGreaterThan(0, "the service was saturated all the time");
    }

    [Fact]
    public async Task A_refusal_does_not_wait_for_the_body()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder, "--max-queued", "5");
        using var api = new SpotterApi(service.Address);
        (await SubmitManyAsync(api, 30)).Status.ShouldBe(HttpStatusCode.Accepted);

        // Ten megabytes are announced and not one byte of them comes.
        var answer = await RawRequest.SendAsync(service.Address,
            "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 10000000\r\n\r\n");

        RawRequest.Read(answer).Status.ShouldBe(503);
    }

    [Fact]
    public async Task A_full_queue_says_when_to_come_back_and_then_there_is_room()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder, "--max-queued", "5");
        using var api = new SpotterApi(service.Address);
        var accepted = await SubmitManyAsync(api, 12);
        accepted.Status.ShouldBe(HttpStatusCode.Accepted, accepted.Text);

        var refused = await api.SubmitAsync(Pictures.Png(250));
        refused.ShouldBeProblem(503, "busy");
        var seconds = refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds;
        seconds.ShouldBeInRange(1, 300);

        await Eventually.SeeAsync("there is room", () => api.SubmitAsync(Pictures.Png(251)), answer => answer.Status == HttpStatusCode.Accepted);
        foreach (var id in accepted.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf))
            SpotterApi.StateOf(await api.EndOfAsync(id)).ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_backlog_that_is_too_old_is_said_too()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SlowAsync(folder, "--max-queue-age", "1");
        using var api = new SpotterApi(service.Address);
        (await SubmitManyAsync(api, 60)).Status.ShouldBe(HttpStatusCode.Accepted);

        var refused = await Eventually.SeeAsync("it is said", () => api.SubmitAsync(Pictures.Png(250)), answer => answer.Status != HttpStatusCode.Accepted);

        refused.ShouldBeProblem(503, "busy");
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 300);
        await Eventually.SeeAsync("it is taken again", () => api.SubmitAsync(Pictures.Png(251)), answer => answer.Status == HttpStatusCode.Accepted, TimeSpan.FromSeconds(60));
    }

    private static Task<SpotterProcess> SlowAsync(TemporaryFolder folder, params string[] arguments) => SpotterProcess.StartAsync(
        folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 60), ["--max-workers", "1", "--lanes", "1", .. arguments]);

    private static Task<Answer> SubmitManyAsync(SpotterApi api, int count) =>
        api.SubmitAsync(Enumerable.Range(0, count).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))));

    private static ByteArrayContent Body(byte[] picture)
    {
        var content = new ByteArrayContent(picture);
        content.Headers.ContentType = new("image/png");
        return content;
    }
}
