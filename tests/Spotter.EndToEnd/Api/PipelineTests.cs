using System.Net;
using System.Text;
using System.Text.Json;
using NetVips;

namespace Spotter.EndToEnd.Api;

/// <summary>The model that comes with Spotter, and one that names the colour of which a picture has most.</summary>
public sealed class PipelineService : RunningService
{
    private readonly TemporaryFolder folder = new();

    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, "--model", folder.File("colours.onnx")];

    /// <summary>A street with signs in it.</summary>
    public static byte[] Street => File.ReadAllBytes(Path.Combine(Starter, "samples", "street.jpg"));

    /// <summary>Where that model is.</summary>
    public static string Starter => Path.Combine(SharedFiles.Repository, "models", "starter");

    /// <summary>The other model.</summary>
    public string Colours => folder.File("colours.onnx");

    private protected override string WriteModel(TemporaryFolder into)
    {
        PatchModel.WriteClassifier(folder.File("colours.onnx"));
        return Path.Combine(Starter, "starter.onnx");
    }
}

public sealed class PipelineTests(PipelineService service) : IClassFixture<PipelineService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task All_of_it_in_one_job_however_it_is_sent()
    {
        var plain = await Api.RunAsync(PipelineService.Street);
        var signs = plain.GetProperty("result").GetProperty("detections").EnumerateArray().ToList();
        signs.ShouldNotBeEmpty();
        var (width, height) = (plain.GetProperty("result").GetProperty("width").GetInt32(), plain.GetProperty("result").GetProperty("height").GetInt32());
        var zones = $"all:0,0 {width},0 {width},{height} 0,{height};nowhere:-9,-9 -5,-9 -5,-5";
        var label = signs[0].GetProperty("label").GetString()!;

        var form = await Api.RunAsync(
            PipelineService.Street, Part.Field("agnostic", "true"), Part.Field("thresholds", $"{label}:0.2"), Part.Field("zones", zones), Part.Field("redact", "*"),
            Part.Field("redact_with", "fill"), Part.Field("crops", "true"), Part.Field("then", "colours"));
        var json = await Api.SubmitBodyAsync(new StringContent(
            $$"""
            {"image": "{{Convert.ToBase64String(PipelineService.Street)}}", "agnostic": true, "thresholds": {"{{label}}": 0.2}, "redact": ["*"], "redact_with": "fill", "crops": true, "then": "colours",
             "zones": [{"name": "all", "points": [[0, 0], [{{width}}, 0], [{{width}}, {{height}}], [0, {{height}}]]}, {"name": "nowhere", "points": [[-9, -9], [-5, -9], [-5, -5]]}]}
            """, Encoding.UTF8, "application/json"), waitSeconds: 60);
        var query = $"?agnostic=true&thresholds={Uri.EscapeDataString($"{label}:0.2")}&zones={Uri.EscapeDataString(zones)}&redact=*&redact_with=fill&crops=true&then=colours&reuse=false";
        var bare = await Api.SubmitBodyAsync(new ByteArrayContent(PipelineService.Street), query, waitSeconds: 60);

        // The second is the same work, whatever its form: it has the first one's result, and its crops.
        json.Json.GetProperty("cachedFrom").GetString().ShouldBe(SpotterApi.IdOf(form));
        bare.Json.GetProperty("cachedFrom").ValueKind.ShouldBe(JsonValueKind.Null);
        foreach (var job in (JsonElement[])[form, json.Json, bare.Json])
            await CheckAsync(job, width, height);
        bare.Json.GetProperty("modelVersion").GetString()!.Split('+').Select(v => v.Length).ShouldBe([12, 12]);
    }

    private async Task CheckAsync(JsonElement job, int width, int height)
    {
        SpotterApi.StateOf(job).ShouldBe("succeeded", job.ToString());
        var result = job.GetProperty("result");
        var found = result.GetProperty("detections").EnumerateArray().ToList();
        found.ShouldNotBeEmpty();
        found.ShouldAllBe(d => d.GetProperty("zones").GetArrayLength() == 1 && d.GetProperty("zones")[0].GetString() == "all");
        var counts = result.GetProperty("zones");
        counts.GetProperty("all").EnumerateObject().Sum(c => c.Value.GetInt32()).ShouldBe(found.Count);
        counts.GetProperty("nowhere").EnumerateObject().ShouldBeEmpty();
        found.ShouldAllBe(d => d.GetProperty("then").GetProperty("model").GetString() == "colours" && d.GetProperty("then").GetProperty("labels").GetArrayLength() > 0);
        (result.GetProperty("then").GetProperty("looked").GetInt32(), result.GetProperty("then").GetProperty("leftOut").GetInt32()).ShouldBe((found.Count, 0));

        // Each crop is one colour, and so is the middle of each box of what is drawn on first request.
        job.GetProperty("outputs").GetArrayLength().ShouldBe(found.Count);
        foreach (var detection in found)
        {
            var crop = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/outputs/{detection.GetProperty("crop").GetString()}");
            (crop.Status, crop.MediaType).ShouldBe((HttpStatusCode.OK, "image/jpeg"));
            SpreadOf(crop.Bytes, 0, 0, int.MaxValue, int.MaxValue).ShouldBeLessThan(12);
        }
        var drawn = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image");
        var least = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image?confidence=0.99");
        foreach (var picture in (Answer[])[drawn, least])
        {
            picture.Status.ShouldBe(HttpStatusCode.OK, picture.Text);
            using var drawing = Image.NewFromBuffer(picture.Bytes);
            (drawing.Width, drawing.Height).ShouldBe((width, height));
        }
        // With next to nothing drawn, all boxes are hidden still.
        foreach (var box in found.Select(d => d.GetProperty("box")))
        {
            double x1 = box.GetProperty("x1").GetDouble(), y1 = box.GetProperty("y1").GetDouble(), x2 = box.GetProperty("x2").GetDouble(), y2 = box.GetProperty("y2").GetDouble();
            SpreadOf(least.Bytes, (int)((x1 * 0.6) + (x2 * 0.4)), (int)((y1 * 0.6) + (y2 * 0.4)), (int)((x1 * 0.4) + (x2 * 0.6)) + 1, (int)((y1 * 0.4) + (y2 * 0.6)) + 1).ShouldBeLessThan(12);
        }
    }

    [Fact]
    public async Task What_is_not_there_is_refused()
    {
        var unknown = await Api.SubmitAsync([Part.Field("then", "gone"), Part.Image(PipelineService.Street)]);
        unknown.ShouldBeProblem(422, "unknown_model");
        unknown.Text.ShouldContain("colours");
        (await Api.SubmitAsync([Part.Field("redact", "unicorn"), Part.Image(PipelineService.Street)])).ShouldBeProblem(422, "unknown_label");
        (await Api.SubmitAsync([Part.Field("zones", "a:1,1"), Part.Image(PipelineService.Street)])).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task The_command_line_has_all_of_it()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("street.jpg"), PipelineService.Street);

        var (status, output, errors) = await SpotterProgram.RunAsync(
            "detect", folder.File("street.jpg"), "--model", Path.Combine(PipelineService.Starter, "starter.onnx"), "--agnostic", "--zones", "all:0,0 9999,0 9999,9999 0,9999",
            "--redact", "*", "--redact_with", "fill", "--crops", "--then", service.Colours, "--out", folder.File("drawn"), "--json");

        (status, errors).ShouldBe((0, ""));
        var line = JsonDocument.Parse(output).RootElement;
        var found = line.GetProperty("detections").EnumerateArray().ToList();
        found.ShouldAllBe(d => d.GetProperty("then").GetProperty("labels").GetArrayLength() > 0 && d.GetProperty("zones").GetArrayLength() == 1);
        line.GetProperty("zones").GetProperty("all").EnumerateObject().Sum(c => c.Value.GetInt32()).ShouldBe(found.Count);
        Directory.GetFiles(folder.File("drawn/street-crops")).Length.ShouldBe(found.Count);
        File.Exists(folder.File("drawn/street.jpg")).ShouldBeTrue();
    }

    /// <summary>By how much the pixels of a part of a picture differ, in the band where they do most.</summary>
    private static double SpreadOf(byte[] encoded, int left, int top, int right, int bottom)
    {
        // Not by Spotter's own code, which gives this process settings for fonts that browsers started by it would have too.
        using var image = Image.NewFromBuffer(encoded);
        using var part = image.ExtractArea(left, top, Math.Min(right, image.Width) - left, Math.Min(bottom, image.Height) - top);
        return Enumerable.Range(0, 3).Max(band =>
        {
            using var one = part.ExtractBand(band);
            return one.Max() - one.Min();
        });
    }
}
