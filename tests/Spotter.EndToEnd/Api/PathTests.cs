using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>The path of a picture, as a client of the API sees it.</summary>
public sealed class PathTests(RunningService service) : IClassFixture<RunningService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task A_picture_comes_back_as_a_job_of_the_promised_shape()
    {
        var job = await Api.RunAsync(Pictures.Png(200, 128, 128));

        Names(job).ShouldBe(
            ["id", "name", "state", "engine", "model", "modelVersion", "created", "started", "finished", "attempts", "priority", "notBefore", "expires", "by",
                "cachedFrom", "history", "position", "etaSeconds", "progress", "waitsFor", "result", "outputs", "timings", "error", "callback", "links"]);
        SpotterApi.IdOf(job).ShouldMatch("^[0-9a-f]{32}$");
        SpotterApi.StateOf(job).ShouldBe("succeeded");
        job.GetProperty("engine").GetString().ShouldBe("detect");
        job.GetProperty("model").GetString().ShouldBe("patches");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
        foreach (var empty in (string[])["position", "etaSeconds", "error"])
            job.GetProperty(empty).ValueKind.ShouldBe(JsonValueKind.Null, empty);
        var created = job.GetProperty("created").GetDateTimeOffset();
        var started = job.GetProperty("started").GetDateTimeOffset();
        started.ShouldBeGreaterThanOrEqualTo(created);
        job.GetProperty("finished").GetDateTimeOffset().ShouldBeGreaterThanOrEqualTo(started);

        var timings = job.GetProperty("timings");
        Names(timings).ShouldBe(["queuedMs", "fetchMs", "decodeMs", "inferMs", "postMs", "encodeMs"]);
        timings.EnumerateObject().ShouldAllBe(stage => stage.Value.GetDouble() >= 0);
        timings.GetProperty("decodeMs").GetDouble().ShouldBeGreaterThan(0);

        var links = job.GetProperty("links");
        foreach (var link in (string[])["self", "image", "events"])
            links.GetProperty(link).GetString().ShouldStartWith($"/v1/jobs/{SpotterApi.IdOf(job)}");

        var result = job.GetProperty("result");
        result.GetProperty("width").GetInt32().ShouldBe(128);
        result.GetProperty("height").GetInt32().ShouldBe(128);
        result.GetProperty("summary").GetRawText().ShouldBe("""{"square":1,"oblong":1}""");
        var detections = result.GetProperty("detections").EnumerateArray().ToList();
        detections.Count.ShouldBe(2);
        Names(detections[0]).ShouldBe(["label", "classId", "confidence", "box"]);
        detections[0].GetProperty("label").GetString().ShouldBe("square");
        detections[0].GetProperty("classId").GetInt32().ShouldBe(0);
        detections[0].GetProperty("confidence").GetDouble().ShouldBe(200 / 255.0, 0.005);
        BoxOf(detections[0]).ShouldBe(PatchModel.Square.Select(edge => 2 * edge));
        detections[1].GetProperty("label").GetString().ShouldBe("oblong");
        BoxOf(detections[1]).ShouldBe(PatchModel.Oblong.Select(edge => 2 * edge));
    }

    [Fact]
    public async Task Waiting_is_applied_and_said()
    {
        var answer = await Api.SubmitAsync(Pictures.Png(120), waitSeconds: 60);

        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Headers.GetValues("Preference-Applied").ShouldHaveSingleItem().ShouldBe("wait=60");
        answer.Headers.Location!.ToString().ShouldBe($"/v1/jobs/{SpotterApi.IdOf(answer.Json)}");
    }

    [Fact]
    public async Task Without_waiting_the_answer_is_202_and_the_job_ends_by_itself()
    {
        var answer = await Api.SubmitAsync(Pictures.Png(60));

        answer.Status.ShouldBe(HttpStatusCode.Accepted);
        answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
        var end = await Api.EndOfAsync(SpotterApi.IdOf(answer.Json));
        SpotterApi.StateOf(end).ShouldBe("succeeded");
    }

    [Fact]
    public async Task Several_pictures_in_one_request_become_jobs_in_its_order()
    {
        byte[] shades = [90, 150, 210];

        var answer = await Api.SubmitAsync(shades.Select(shade => Part.Image(Pictures.Png(shade))), waitSeconds: 60);

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        Names(answer.Json).ShouldBe(["jobs"]);
        var jobs = answer.Json.GetProperty("jobs").EnumerateArray().ToList();
        jobs.Select(job => SquareOf(job)).ShouldBe(shades.Select(shade => shade / 255.0), 0.005);
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("application/octet-stream")]
    public async Task A_picture_may_be_the_body_itself_with_its_fields_in_the_query(string mediaType)
    {
        using var content = new ByteArrayContent(Pictures.Png(240));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);

        var answer = await Api.SubmitBodyAsync(content, "?confidence=0.7", waitSeconds: 60);

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Fields_decide_what_is_found()
    {
        var picture = Pictures.Png(200);

        (await LabelsAsync(picture, Part.Field("confidence", "0.1"))).ShouldBe(["square", "oblong", "square"]);
        (await LabelsAsync(picture, Part.Field("confidence", "0.95"))).ShouldBeEmpty();
        (await LabelsAsync(picture, Part.Field("labels", "oblong"))).ShouldBe(["oblong"]);
        (await LabelsAsync(picture, Part.Field("labels", "Oblong, square"))).ShouldBe(["square", "oblong"]);
        (await LabelsAsync(picture, Part.Field("model", "patches"), Part.Field("engine", "detect"), Part.Field("iou", "0.5"))).ShouldBe(["square", "oblong"]);
    }

    [Fact]
    public async Task Events_tell_the_way_to_the_end_and_close()
    {
        var id = SpotterApi.IdOf((await Api.SubmitAsync(Pictures.Png(10))).Json);

        var events = await Api.EventsAsync(id);

        events.ShouldAllBe(job => SpotterApi.IdOf(job) == id);
        SpotterApi.StateOf(events[^1]).ShouldBe("succeeded");
        events.Count(SpotterApi.IsTerminal).ShouldBe(1);
        (await Api.EventsAsync(id)).ShouldHaveSingleItem().GetRawText().ShouldBe((await Api.JobAsync(id)).GetRawText());
    }

    [Fact]
    public async Task The_list_is_newest_first_in_pages_that_neither_repeat_nor_skip()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add(SpotterApi.IdOf(await Api.RunAsync(Pictures.Png((byte)(10 * i)))));

        var listed = (await Api.ListAsync(limit: 2)).Select(SpotterApi.IdOf).ToList();

        listed.Distinct(StringComparer.Ordinal).Count().ShouldBe(listed.Count);
        listed.Where(id => ids.Contains(id, StringComparer.Ordinal)).ShouldBe(Enumerable.Reverse(ids));
        (await Api.ListAsync("&state=succeeded&engine=detect")).Select(SpotterApi.IdOf).ShouldContain(id => id == ids[0]);
        (await Api.ListAsync("&state=dead")).ShouldBeEmpty();
        (await Api.ListAsync("&engine=nothing")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("state=asleep")]
    [InlineData("state=")]
    [InlineData("state=2")]
    [InlineData("limit=0")]
    [InlineData("limit=501")]
    [InlineData("limit=-1")]
    [InlineData("limit=many")]
    [InlineData("after=nowhere")]
    public async Task A_list_that_can_not_be_is_refused(string query) =>
        (await Api.GetAsync($"/v1/jobs?{query}")).ShouldBeProblem(400, "invalid_request");

    [Fact]
    public async Task Stats_models_and_decisions_say_how_it_stands()
    {
        await Api.RunAsync(Pictures.Png(99));

        var stats = await Api.StatsAsync();
        foreach (var name in (string[])["queued", "running", "succeeded", "failed", "dead", "workers", "desiredWorkers"])
            stats.GetProperty(name).GetInt64().ShouldBeGreaterThanOrEqualTo(0, name);
        stats.GetProperty("succeeded").GetInt64().ShouldBeGreaterThan(0);
        stats.GetProperty("oldestSeconds").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        stats.GetProperty("maxWorkers").GetInt32().ShouldBe(1);

        var models = (await Api.GetAsync("/v1/models")).Json;
        models.GetProperty("default").GetString().ShouldBe("patches");
        var model = models.GetProperty("models").EnumerateArray().ShouldHaveSingleItem();
        model.GetProperty("labels").EnumerateArray().Select(label => label.GetString()).ShouldBe(["square", "oblong"]);
        model.GetProperty("inputWidth").GetInt32().ShouldBe(PatchModel.Edge);

        var decisions = (await Api.GetAsync("/v1/scaling/decisions")).Json.GetProperty("decisions").EnumerateArray().ToList();
        decisions.ShouldNotBeEmpty();
        decisions.ShouldAllBe(decision => decision.GetRawText().Contains("reason", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Health_and_readiness_are_answered()
    {
        (await Api.GetAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.GetAsync("/readyz")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        await Api.RunAsync(Pictures.Png(33));
        (await Api.GetAsync("/v1/jobs/unknown")).Status.ShouldBe(HttpStatusCode.NotFound);

        var answer = await Api.GetAsync("/metrics");

        answer.MediaType.ShouldBe("text/plain");
        var metrics = PrometheusText.Parse(answer.Text);
        metrics["spotter_jobs_accepted_total"].Type.ShouldBe("counter");
        metrics["spotter_attempt_duration_seconds"].Type.ShouldBe("histogram");
        metrics["spotter_jobs"].Samples["state=\"succeeded\""].ShouldBeGreaterThan(0);
        metrics["spotter_requests_refused_total"].Samples["code=\"not_found\""].ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task The_openapi_document_has_every_call()
    {
        var document = (await Api.GetAsync("/openapi/v1.json")).Json;

        document.GetProperty("openapi").GetString().ShouldStartWith("3.");
        var calls = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(call => $"{call.Name} {path.Name}")).Order(StringComparer.Ordinal).ToList();
        calls.ShouldBe(
        [
            "delete /v1/jobs/{id}", "get /healthz", "get /metrics", "get /readyz", "get /v1/caller", "get /v1/catalogue", "get /v1/dead", "get /v1/engines", "get /v1/jobs", "get /v1/jobs/{id}",
            "get /v1/jobs/{id}/events", "get /v1/jobs/{id}/image", "get /v1/jobs/{id}/link", "get /v1/jobs/{id}/original", "get /v1/jobs/{id}/output", "get /v1/jobs/{id}/outputs/{name}", "get /v1/jobs/{id}/result", "get /v1/models",
            "get /v1/samples/{name}", "get /v1/scaling/days", "get /v1/scaling/decisions", "get /v1/scaling/series", "get /v1/scaling/trace",
            "get /v1/scaling/what-if", "get /v1/stats",
            "post /v1/catalogue/{name}", "post /v1/dead/redrive", "post /v1/jobs", "post /v1/results", "post /v1/uploads", "post /v1/uploads/{upload}",
        ]);
        document.GetProperty("paths").GetProperty("/v1/jobs").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").TryGetProperty("multipart/form-data", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task The_original_is_kept_to_the_byte_and_contained()
    {
        var picture = Pictures.Jpeg(77, exif: Pictures.Exif(1, "a secret maker"));
        var id = SpotterApi.IdOf(await Api.RunAsync(picture));

        var answer = await Api.GetAsync($"/v1/jobs/{id}/original");

        answer.Bytes.ShouldBe(picture);
        answer.MediaType.ShouldBe("image/jpeg");
        answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldBe("default-src 'none'; sandbox");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldHaveSingleItem().ShouldBe("nosniff");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task The_same_picture_again_is_answered_from_the_stored_result_and_has_its_own_drawing()
    {
        var picture = Pictures.Jpeg(83, 120, 80);
        var first = await Api.RunAsync(picture);

        var again = (await Api.SubmitBodyAsync(new ByteArrayContent(picture) { Headers = { { "Content-Type", "image/jpeg" } } }, waitSeconds: 60)).Json;

        again.GetProperty("cachedFrom").GetString().ShouldBe(SpotterApi.IdOf(first));
        again.GetProperty("attempts").GetInt32().ShouldBe(0);
        again.GetProperty("result").GetRawText().ShouldBe(first.GetProperty("result").GetRawText());
        var drawn = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(again)}/image");
        drawn.MediaType.ShouldBe("image/jpeg", drawn.Text);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(again)}/original")).Bytes.ShouldBe(picture);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_annotated_picture_is_a_jpeg_that_tells_nothing_of_the_camera(bool atOnce)
    {
        var picture = Pictures.Jpeg(77, 120, 80, exif: Pictures.Exif(6, "a secret maker"));
        var job = await Api.RunAsync(picture, Part.Field("annotate", atOnce ? "true" : "false"));
        (job.GetProperty("timings").GetProperty("encodeMs").GetDouble() > 0).ShouldBe(atOnce);
        var result = job.GetProperty("result");
        // Turned by its EXIF orientation.
        (result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32()).ShouldBe((80, 120));

        var image = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image");

        image.Status.ShouldBe(HttpStatusCode.OK, image.Text);
        image.MediaType.ShouldBe("image/jpeg");
        image.Bytes[..3].ShouldBe([0xFF, 0xD8, 0xFF]);
        image.Bytes.AsSpan().IndexOf("Exif"u8).ShouldBe(-1);
        image.Bytes.AsSpan().IndexOf("secret"u8).ShouldBe(-1);
        Core.Images.ImageHeader.Read(image.Bytes, complete: true).ShouldBe(
            new Core.Images.ImageHeader(Core.Images.ImageHeaderStatus.Known, Core.Images.ImageFormat.Jpeg, 80, 120));
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).Bytes.ShouldBe(image.Bytes);
    }

    [LinuxFact]
    public async Task Only_workers_load_native_image_and_model_code()
    {
        await Api.RunAsync(Pictures.Png(55), Part.Field("annotate", "true"));

        Maps(service.Process.Id).ShouldNotContain("vips");
        Maps(service.Process.Id).ShouldNotContain("onnxruntime");
        var worker = Maps(service.Process.Workers().ShouldHaveSingleItem());
        worker.ShouldContain("vips");
        worker.ShouldContain("onnxruntime");

        static string Maps(int process) => File.ReadAllText($"/proc/{process}/maps");
    }

    [Fact]
    public async Task Drawing_a_picture_is_no_job_of_the_users()
    {
        var id = SpotterApi.IdOf(await Api.RunAsync(Pictures.Png(44)));
        var before = (await Api.StatsAsync()).GetProperty("succeeded").GetInt64();

        var asked = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Api.GetAsync($"/v1/jobs/{id}/image")));

        asked.ShouldAllBe(answer => answer.Status == HttpStatusCode.OK);
        asked.Select(answer => Convert.ToHexString(answer.Bytes)).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        (await Api.ListAsync()).ShouldAllBe(job => job.GetProperty("engine").GetString() == "detect");
        (await Api.StatsAsync()).GetProperty("succeeded").GetInt64().ShouldBe(before);
    }

    [Fact]
    public async Task The_same_key_gives_the_same_job()
    {
        var picture = Pictures.Png(123);
        var first = await Api.SubmitAsync(picture, key: "same-1");
        var second = await Api.SubmitAsync(picture, waitSeconds: 60, key: "same-1");

        second.Status.ShouldBe(HttpStatusCode.OK, second.Text);
        SpotterApi.IdOf(second.Json).ShouldBe(SpotterApi.IdOf(first.Json));
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(first.Json)}/original")).Bytes.ShouldBe(picture);
    }

    [Fact]
    public async Task The_same_key_with_another_request_is_refused()
    {
        var picture = Pictures.Png(124);
        await Api.SubmitAsync(picture, key: "mismatch-1");

        (await Api.SubmitAsync(Pictures.Png(125), key: "mismatch-1")).ShouldBeProblem(422, "idempotency_key_reused");
        (await Api.SubmitAsync([Part.Field("confidence", "0.5"), Part.Image(picture)], key: "mismatch-1")).ShouldBeProblem(422, "idempotency_key_reused");
        (await Api.SubmitAsync([Part.Image(picture), Part.Image(picture)], key: "mismatch-1")).ShouldBeProblem(422, "idempotency_key_reused");
    }

    [Fact]
    public async Task A_key_used_by_many_at_once_makes_one_job()
    {
        var picture = Pictures.Png(126);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Api.SubmitAsync(picture, key: "concurrent-1")));

        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Accepted);
        var id = answers.Select(answer => SpotterApi.IdOf(answer.Json)).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        await Api.EndOfAsync(id);
        service.Blobs().Count(file => File.ReadAllBytes(file).AsSpan().SequenceEqual(picture)).ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_has_ended_can_not_be_cancelled()
    {
        var id = SpotterApi.IdOf(await Api.RunAsync(Pictures.Png(45)));

        (await Api.DeleteAsync($"/v1/jobs/{id}")).ShouldBeProblem(409, "already_finished");
    }

    [Fact]
    public async Task Every_answer_carries_the_security_headers()
    {
        foreach (var path in (string[])["/", "/healthz", "/v1/jobs", "/v1/jobs/unknown", "/nowhere", "/openapi/v1.json"])
        {
            var answer = await Api.GetAsync(path);
            answer.Headers.GetValues("X-Content-Type-Options").ShouldHaveSingleItem().ShouldBe("nosniff", path);
            answer.Headers.GetValues("Referrer-Policy").ShouldHaveSingleItem().ShouldBe("no-referrer", path);
            answer.Headers.GetValues("Cross-Origin-Resource-Policy").ShouldHaveSingleItem().ShouldBe("same-origin", path);
            answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldStartWith("default-src 'none'; script-src 'self';", customMessage: path);
            answer.Headers.Contains("Server").ShouldBeFalse(path);
        }
    }

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);

    private static double[] BoxOf(JsonElement detection)
    {
        var box = detection.GetProperty("box");
        return [.. ((string[])["x1", "y1", "x2", "y2"]).Select(edge => box.GetProperty(edge).GetDouble())];
    }

    private static double SquareOf(JsonElement job) =>
        job.GetProperty("result").GetProperty("detections").EnumerateArray()
            .First(detection => detection.GetProperty("label").GetString() == "square").GetProperty("confidence").GetDouble();

    private async Task<IEnumerable<string?>> LabelsAsync(byte[] picture, params Part[] fields) =>
        (await Api.RunAsync(picture, fields)).GetProperty("result").GetProperty("detections").EnumerateArray()
            .Select(detection => detection.GetProperty("label").GetString());
}
