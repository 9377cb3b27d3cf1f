using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Cameras;

/// <summary>Answers and failures have the names and types of DeepStack, and those that CodeProject.AI adds.</summary>
public sealed class CameraShapesTests(CameraService service) : IClassFixture<CameraService>
{
    private static readonly (string Name, JsonValueKind Kind)[] Added =
    [
        ("command", JsonValueKind.String), ("moduleId", JsonValueKind.String), ("moduleName", JsonValueKind.String), ("code", JsonValueKind.Number),
        ("inferenceMs", JsonValueKind.Number), ("processMs", JsonValueKind.Number), ("analysisRoundTripMs", JsonValueKind.Number), ("inferenceDevice", JsonValueKind.String),
        ("executionProvider", JsonValueKind.String), ("canUseGPU", JsonValueKind.False), ("processedBy", JsonValueKind.String), ("timestampUTC", JsonValueKind.String),
    ];

    [Fact]
    public async Task A_detection_has_every_field_of_both_servers()
    {
        var answer = await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240));

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        (answer.MediaType, answer.ContentHeaders.ContentLength).ShouldBe(("application/json", answer.Bytes.Length));
        answer.Headers.TransferEncodingChunked.ShouldNotBe(true);
        answer.Text.ShouldStartWith(
            """{"success":true,"predictions":[{"confidence":0.9412,"label":"square","y_min":8,"x_min":8,"y_max":24,"x_max":24},"""
            + """{"confidence":0.6,"label":"oblong","y_min":24,"x_min":32,"y_max":56,"x_max":56}],"duration":0.""");
        ShapeOf(answer.Json).ShouldBe(
        [
            ("success", JsonValueKind.True), ("predictions", JsonValueKind.Array), ("duration", JsonValueKind.Number), ("message", JsonValueKind.String), ("count", JsonValueKind.Number), .. Added,
        ]);
        foreach (var whole in new[] { "count", "code", "inferenceMs", "processMs", "analysisRoundTripMs" })
            answer.Json.GetProperty(whole).TryGetInt32(out _).ShouldBeTrue(whole);
        answer.Json.GetProperty("message").GetString().ShouldBe("Found square, oblong");
        (answer.Json.GetProperty("command").GetString(), answer.Json.GetProperty("moduleName").GetString()).ShouldBe(("detect", "Spotter (first)"));
        DateTimeOffset.TryParseExact(answer.Json.GetProperty("timestampUTC").GetString(), "R", CultureInfo.InvariantCulture, DateTimeStyles.None, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Predictions_come_in_descending_order()
    {
        var answer = await CameraCall.DetectAsync(service.Cameras, Pictures.Png(128));

        CameraCall.LabelsOf(answer.Json).ShouldBe(["oblong", "square"]);
    }

    [Fact]
    public async Task A_custom_model_is_chosen_by_its_name()
    {
        var answer = await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/custom/second");

        (answer.Json.GetProperty("command").GetString(), answer.Json.GetProperty("moduleName").GetString()).ShouldBe(("custom", "Spotter (second)"));
        answer.Json.GetProperty("predictions")[1].GetProperty("confidence").GetDouble().ShouldBe(0.7);
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/custom/third"))
            .ShouldBeFailure(404).ShouldBe("There is no model 'third' that finds objects; there is 'first', 'second'.");
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/custom/colours")).ShouldBeFailure(404);
    }

    [Fact]
    public async Task A_scene_is_the_best_label_of_a_classifier()
    {
        var answer = await CameraCall.DetectAsync(service.Cameras, Pictures.Colour(10, 240, 20), "/v1/vision/scene");

        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        ShapeOf(answer.Json).ShouldBe(
            [("success", JsonValueKind.True), ("confidence", JsonValueKind.Number), ("label", JsonValueKind.String), ("duration", JsonValueKind.Number), .. Added]);
        answer.Json.GetProperty("label").GetString().ShouldBe("green");
        answer.Json.GetProperty("confidence").GetDouble().ShouldBeInRange(0.4, 1);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task The_models_are_listed(string method)
    {
        var answer = await service.Api.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/v1/vision/custom/list"));

        ShapeOf(answer.Json).ShouldBe([("success", JsonValueKind.True), ("models", JsonValueKind.Array), .. Added]);
        answer.Json.GetProperty("models").EnumerateArray().Select(m => m.GetString()).ShouldBe(["first", "second"]);
    }

    [Theory]
    [InlineData("/v1/status/ping")]
    [InlineData("/v1/status/version")]
    [InlineData("/v1/status/updateavailable")]
    [InlineData("/v1/server/status/ping")]
    [InlineData("/v1/server/status/updateavailable")]
    public async Task The_status_says_a_version_and_never_another_one(string path)
    {
        var answer = await service.Api.GetAsync(path);

        ShapeOf(answer.Json).ShouldBe(
        [
            ("success", JsonValueKind.True), ("message", JsonValueKind.String), ("version", JsonValueKind.Object), ("hostname", JsonValueKind.String), ("current", JsonValueKind.Object),
            ("latest", JsonValueKind.Object), ("updateAvailable", JsonValueKind.False), ("code", JsonValueKind.Number),
        ]);
        answer.Json.GetProperty("latest").EnumerateObject().Select(p => p.Name)
            .ShouldBe(["major", "minor", "patch", "preRelease", "securityUpdate", "build", "file", "releaseNotes"]);
    }

    [Theory]
    [InlineData("0.1", 3)]
    [InlineData("0,1", 3)]
    [InlineData("0.95", 0)]
    [InlineData("0", 2)]
    [InlineData("", 2)]
    public async Task The_threshold_is_read_as_programs_write_it(string confidence, int count)
    {
        foreach (var name in new[] { "min_confidence", "minConfidence" })
        {
            var field = await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection", (name, confidence));
            field.Json.GetProperty("count").GetInt32().ShouldBe(count, field.Text);
            var query = await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), $"/v1/vision/detection?{name}={confidence}");
            query.Json.GetProperty("count").GetInt32().ShouldBe(count, query.Text);
        }
        if (count == 0)
        {
            (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection", ("min_confidence", confidence))).Json.GetProperty("message").GetString()
                .ShouldBe("No objects found with a confidence of 0.95 or more");
        }
    }

    [Fact]
    public async Task A_threshold_that_may_mean_two_things_is_refused()
    {
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection", ("min_confidence", "45"))).ShouldBeFailure(400)
            .ShouldBe("min_confidence is 45, and goes from 0 to 1; if you mean 45 percent, send 0.45.");
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection?min_confidence=0.5", ("min_confidence", "0.4"))).ShouldBeFailure(400)
            .ShouldBe("min_confidence comes several times, as 0.5 and 0.4; send it once.");
    }

    public static TheoryData<string, byte[]> NoPictures { get; } = new()
    {
        { "a login page", Encoding.UTF8.GetBytes("<!DOCTYPE html><html><body>Log in</body></html>") },
        { "JSON", "{\"error\":\"camera offline\"}"u8.ToArray() },
        { "28 bytes", new byte[28] },
        { "nothing", [] },
    };

    [Theory]
    [MemberData(nameof(NoPictures))]
    public async Task What_is_no_picture_costs_nothing_but_an_answer(string what, byte[] bytes)
    {
        var (jobs, blobs) = ((await service.Api.ListAsync()).Count, service.Blobs().Count);

        (await CameraCall.DetectAsync(service.Cameras, bytes)).ShouldBeFailure(400);

        ((await service.Api.ListAsync()).Count, service.Blobs().Count).ShouldBe((jobs, blobs), what);
    }

    [Fact]
    public async Task Half_a_picture_is_told_from_one_that_shows_nothing()
    {
        var whole = Pictures.Jpeg(240, 640, 480);

        (await CameraCall.DetectAsync(service.Cameras, whole[..(whole.Length / 2)])).ShouldBeFailure(400);
    }

    [Fact]
    public async Task What_is_not_offered_is_said_in_the_same_shape()
    {
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/face/recognize")).ShouldBeFailure(403).ShouldContain("/v1/vision/face/recognize");
        (await service.Api.GetAsync("/v1/vision/detection")).ShouldBeFailure(400).ShouldContain("POST");
        (await service.Api.GetAsync("/v1/status/analysis/list")).ShouldBeFailure(404);
        (await service.Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = CameraCall.Form([("min_confidence", "0.4")], null) })).ShouldBeFailure(400);
        (await service.Api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/vision/detection") { Content = new StringContent("{}", Encoding.UTF8, "application/json") }))
            .ShouldBeFailure(400).ShouldContain("multipart/form-data");
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection?lables=square")).ShouldBeFailure(400).ShouldContain("'lables'");
        (await CameraCall.DetectAsync(service.Cameras, Pictures.Png(240), "/v1/vision/detection?labels=person")).ShouldBeFailure(400).ShouldContain("'person'");
    }

    private static IEnumerable<(string, JsonValueKind)> ShapeOf(JsonElement answer) => answer.EnumerateObject().Select(p => (p.Name, p.Value.ValueKind));
}
