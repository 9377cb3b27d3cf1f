using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>Three models in one service: two that detect and one that classifies.</summary>
public sealed class SeveralModelsService : RunningService
{
    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, "--model", folder.File("second.onnx"), "--model", folder.File("colours.onnx")];

    private readonly TemporaryFolder folder = new();

    private protected override string WriteModel(TemporaryFolder into)
    {
        PatchModel.Write(folder.File("second.onnx"), oblong: 0.7f);
        PatchModel.WriteClassifier(folder.File("colours.onnx"));
        return PatchModel.Write(folder.File("first.onnx"));
    }
}

public sealed class SeveralModelsTests(SeveralModelsService service) : IClassFixture<SeveralModelsService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task A_request_chooses_by_model_or_by_engine()
    {
        OblongOf(await Api.RunAsync(Pictures.Png(10))).ShouldBe(0.6, 0.001);
        OblongOf(await Api.RunAsync(Pictures.Png(10), Part.Field("model", "second"))).ShouldBe(0.7, 0.001);
        OblongOf(await Api.RunAsync(Pictures.Png(10), Part.Field("engine", "detect"))).ShouldBe(0.6, 0.001);

        var classified = await Api.RunAsync(Pictures.Colour(10, 240, 20), Part.Field("engine", "classify"));
        (classified.GetProperty("engine").GetString(), classified.GetProperty("model").GetString()).ShouldBe(("classify", "colours"));
        var result = classified.GetProperty("result");
        result.GetProperty("detections").ValueKind.ShouldBe(JsonValueKind.Null);
        result.GetProperty("labels")[0].GetProperty("label").GetString().ShouldBe("green");
        (await Api.ListAsync("&engine=classify")).ShouldContain(job => SpotterApi.IdOf(job) == SpotterApi.IdOf(classified));
        (await Api.ListAsync("&engine=detect")).ShouldNotContain(job => SpotterApi.IdOf(job) == SpotterApi.IdOf(classified));
    }

    [Fact]
    public async Task What_is_not_there_is_refused_with_what_is()
    {
        var unknown = await Api.SubmitAsync([Part.Field("model", "third"), Part.Image(Pictures.Png(1))]);
        unknown.ShouldBeProblem(422, "unknown_model");
        unknown.Text.ShouldContain("second");
        (await Api.SubmitAsync([Part.Field("engine", "smell"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(422, "unknown_engine");
        (await Api.SubmitAsync([Part.Field("engine", "classify"), Part.Field("model", "first"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(422, "unknown_model");
    }

    [Fact]
    public async Task The_list_says_what_is_loaded_where()
    {
        await Api.RunAsync(Pictures.Png(10), Part.Field("model", "second"));
        var view = await Eventually.SeeAsync(
            "every model is loaded", async () => (await Api.GetAsync("/v1/models")).Json,
            models => models.GetProperty("models").EnumerateArray().All(m => m.GetProperty("loadedBy").GetArrayLength() == 1));

        view.GetProperty("default").GetString().ShouldBe("first");
        var models = view.GetProperty("models").EnumerateArray().ToList();
        models.Select(m => m.GetProperty("id").GetString()).ShouldBe(["first", "second", "colours"]);
        models.Select(m => m.GetProperty("default").GetBoolean()).ShouldBe([true, false, false]);
        foreach (var model in models)
        {
            var version = model.GetProperty("version").GetString().ShouldNotBeNull();
            version.Length.ShouldBe(12);
            (model.GetProperty("state").GetString(), model.GetProperty("builtIn").GetBoolean()).ShouldBe(("ready", false));
            model.GetProperty("loadedBy")[0].GetProperty("version").GetString().ShouldBe(version);
        }

        var (status, output, errors) = await SpotterProgram.RunAsync("models", "list", "--url", service.Process.Address.ToString());
        (status, errors).ShouldBe((0, ""));
        output.ShouldContain("first (default)");
        output.ShouldContain(models[1].GetProperty("loadedBy")[0].GetProperty("worker").GetString()!);
        var found = await SpotterProgram.RunAsync("models", "list", "--data", service.Data, "--json");
        found.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("version").GetString())
            .ShouldBe(models.Select(m => m.GetProperty("version").GetString()));
        var nobody = await SpotterProgram.RunAsync("models", "list", "--url", "http://127.0.0.1:1");
        (nobody.Status, nobody.Output).ShouldBe((1, ""));
        nobody.Errors.ShouldContain("--url");
    }

    [Theory]
    [InlineData("a.b.jpg", "a.b.jpg", "a.b,green")]
    [InlineData("C:\\pictures\\holiday.png", "holiday.png", "holiday,green")]
    [InlineData("../../../etc/passwd", "passwd", "passwd,green")]
    [InlineData("$(touch x); `id` | x && y.png", "$(touch x); `id` | x && y.png", "$(touch x); `id` | x && y,green")]
    [InlineData("one, two.png", "one, two.png", "\"one, two\",green")]
    [InlineData(".hidden", ".hidden", ".hidden,green")]
    [InlineData("犬 ü.webp", "犬 ü.webp", "犬 ü,green")]
    public async Task The_output_of_a_classifier_is_its_pictures_stem_and_the_best_label(string sent, string name, string line)
    {
        var answer = await Api.SubmitAsync([Part.Field("engine", "classify"), Part.Image(Pictures.Colour(10, 240, 20), sent)], waitSeconds: 60);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("name").GetString().ShouldBe(name);

        var output = await Api.GetAsync(answer.Json.GetProperty("links").GetProperty("output").GetString()!);
        (output.Status, output.MediaType, output.Text).ShouldBe((HttpStatusCode.OK, "text/plain", line));
    }

    [Fact]
    public async Task Outputs_of_pictures_with_one_name_do_not_collide()
    {
        var answer = await Api.SubmitAsync(
            [Part.Field("engine", "classify"), Part.Image(Pictures.Colour(240, 10, 20), "same.png"), Part.Image(Pictures.Colour(10, 20, 240), "same.png")], waitSeconds: 60);
        var jobs = answer.Json.GetProperty("jobs").EnumerateArray().ToList();

        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(jobs[0])}/output")).Text.ShouldBe("same,\"red, or so\"");
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(jobs[1])}/output")).Text.ShouldBe("same,blue");
    }

    [Fact]
    public async Task The_output_of_a_detector_is_its_summary()
    {
        var named = await Api.SubmitAsync([Part.Field("confidence", "0.1"), Part.Image(Pictures.Png(240), "street.png")], waitSeconds: 60);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(named.Json)}/output")).Text.ShouldBe("street,2 square; 1 oblong");

        // As a body it comes without a name.
        var content = new ByteArrayContent(Pictures.Png(1));
        content.Headers.ContentType = new("image/png");
        var bare = (await Api.SubmitBodyAsync(content, "?confidence=0.99", waitSeconds: 60)).Json;
        bare.GetProperty("name").ValueKind.ShouldBe(JsonValueKind.Null);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(bare)}/output")).Text.ShouldBe($"{SpotterApi.IdOf(bare)},nothing found");
        (await Api.GetAsync("/v1/jobs/00000000000000000000000000000000/output")).ShouldBeProblem(404, "not_found");
    }

    [Fact]
    public async Task Files_are_classified_into_lines_without_a_server()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("in/other"));
        await File.WriteAllBytesAsync(folder.File("in/a.b.png"), Pictures.Colour(10, 20, 240));
        await File.WriteAllBytesAsync(folder.File("in/other/a.b.png"), Pictures.Colour(240, 20, 10));
        PatchModel.WriteClassifier(folder.File("colours.onnx"));

        var (status, output, errors) = await SpotterProgram.RunAsync("detect", folder.File("in"), "--model", folder.File("colours.onnx"), "--out", folder.File("out"));

        (status, errors).ShouldBe((0, ""));
        output.ShouldContain("blue");
        Directory.GetFiles(folder.File("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["a.b-2.csv", "a.b.csv"]);
        (await File.ReadAllTextAsync(folder.File("out/a.b.csv"))).ShouldBe("a.b,blue");
        (await File.ReadAllTextAsync(folder.File("out/a.b-2.csv"))).ShouldBe("a.b,\"red, or so\"");
    }

    internal static double OblongOf(JsonElement job) => job.GetProperty("result").GetProperty("detections").EnumerateArray()
        .Single(d => d.GetProperty("label").GetString() == "oblong").GetProperty("confidence").GetDouble();
}
