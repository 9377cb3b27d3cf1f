using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>Jobs that wait: one slow worker with one lane, and more pictures than it can run.</summary>
public sealed class QueueTests
{
    [Fact]
    public async Task Waiting_jobs_know_their_place_and_can_be_cancelled()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 60), ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);

        var submitted = await api.SubmitAsync(Enumerable.Range(0, 8).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))));
        submitted.Status.ShouldBe(HttpStatusCode.Accepted, submitted.Text);
        var ids = submitted.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ToList();
        var last = ids[^1];

        var waiting = await api.JobAsync(last);
        SpotterApi.StateOf(waiting).ShouldBe("queued");
        waiting.GetProperty("position").GetInt32().ShouldBeGreaterThan(0);
        waiting.GetProperty("etaSeconds").GetDouble().ShouldBeGreaterThan(0);
        waiting.GetProperty("started").ValueKind.ShouldBe(JsonValueKind.Null);
        var early = await api.GetAsync($"/v1/jobs/{last}/image");
        early.ShouldBeProblem(409, "not_ready");
        early.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));

        // Short waits end with what is known then.
        var impatient = await api.SubmitAsync(Pictures.Png(250), waitSeconds: 0);
        impatient.Status.ShouldBe(HttpStatusCode.Accepted);
        impatient.Headers.GetValues("Preference-Applied").ShouldHaveSingleItem().ShouldBe("wait=0");

        var events = api.EventsAsync(last);
        var cancelled = await api.DeleteAsync($"/v1/jobs/{last}");
        cancelled.Status.ShouldBe(HttpStatusCode.OK, cancelled.Text);
        SpotterApi.StateOf(cancelled.Json).ShouldBe("cancelled");
        SpotterApi.StateOf((await events)[^1]).ShouldBe("cancelled");
        // Withdrawn once is withdrawn: asking again changes nothing, and there is nothing to see.
        (await api.DeleteAsync($"/v1/jobs/{last}")).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
        (await api.GetAsync($"/v1/jobs/{last}/image")).ShouldBeProblem(404, "not_found");

        // A running one can be cancelled too; its late result changes nothing.
        var running = (await Eventually.SeeAsync(
            "a job runs", async () => await api.ListAsync("&state=running"), jobs => jobs.Count > 0)).Select(SpotterApi.IdOf).First();
        var stopped = await api.DeleteAsync($"/v1/jobs/{running}");
        var wasRunning = stopped.Status == HttpStatusCode.OK;

        foreach (var id in ids.Take(7).Append(SpotterApi.IdOf(impatient.Json)).Where(id => !wasRunning || id != running))
            SpotterApi.StateOf(await api.EndOfAsync(id)).ShouldBe("succeeded");
        SpotterApi.StateOf(await api.JobAsync(last)).ShouldBe("cancelled");
        if (wasRunning)
            SpotterApi.StateOf(await api.JobAsync(running)).ShouldBe("cancelled");
        (await api.StatsAsync()).GetProperty("queued").GetInt64().ShouldBe(0);
    }
}
