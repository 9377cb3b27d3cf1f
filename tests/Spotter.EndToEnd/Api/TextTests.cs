using System.Text.Json;
using NetVips;
using Spotter.Tests.Vision;

namespace Spotter.EndToEnd.Api;

/// <summary>A model that finds text, and one that reads it.</summary>
public sealed class TextService : RunningService
{
    private readonly TemporaryFolder folder = new();

    /// <summary>The reader's file.</summary>
    public string Reader => folder.File("reader.onnx");

    /// <summary>The finder's file.</summary>
    public string Finder { get; private set; } = "";

    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, "--model", Reader];

    /// <summary>A page with two lines, the lower one turned.</summary>
    public static byte[] Page => Png(TextModels.Draw(640, 480, ("A日", 200, 100, 240, 48, 0), ("本 C", 400, 320, 300, 60, 20)), 640, 480);

    /// <summary>A picture that is one line.</summary>
    public static byte[] Line => Png(TextModels.Draw(144, 48, ("A日B", 72, 24, 144, 48, 0)), 144, 48);

    private protected override string WriteModel(TemporaryFolder into)
    {
        File.WriteAllBytes(Reader, TextModels.Reader().ToArray());
        Finder = into.File("finder.onnx");
        File.WriteAllBytes(Finder, TextModels.Finder().ToArray());
        return Finder;
    }

    // Not by Spotter's own code, which gives this process settings for fonts that browsers started by it would have too.
    private static byte[] Png(byte[] pixels, int width, int height)
    {
        using var image = Image.NewFromMemory(pixels, width, height, 3, Enums.BandFormat.Uchar);
        return image.PngsaveBuffer();
    }
}

public sealed class TextTests(TextService service) : IClassFixture<TextService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task Lines_are_found_read_and_drawn()
    {
        var job = await Api.RunAsync(TextService.Page, Part.Field("model", "finder"), Part.Field("then", "reader"));

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.ToString());
        job.GetProperty("engine").GetString().ShouldBe("obb");
        var lines = job.GetProperty("result").GetProperty("detections").EnumerateArray().OrderBy(d => d.GetProperty("box").GetProperty("y1").GetDouble()).ToList();
        lines.Select(d => d.GetProperty("label").GetString()).ShouldBe(["text", "text"]);
        lines.Select(d => d.GetProperty("then").GetProperty("reading").GetProperty("text").GetString()).ShouldBe(["A日", "本 C"]);
        lines.ShouldAllBe(d => d.GetProperty("then").GetProperty("model").GetString() == "reader" && d.GetProperty("then").GetProperty("reading").GetProperty("confidence").GetDouble() > 0.9);
        lines[1].GetProperty("oriented").GetProperty("angle").GetDouble().ShouldBe(20, 1);

        var drawn = await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image");
        using var picture = Image.NewFromBuffer(drawn.Bytes);
        (picture.Width, picture.Height).ShouldBe((640, 480));
    }

    [Fact]
    public async Task A_line_is_read_alone()
    {
        var job = await Api.RunAsync(TextService.Line, Part.Field("model", "reader"));

        (job.GetProperty("engine").GetString(), SpotterApi.StateOf(job)).ShouldBe(("read", "succeeded"));
        job.GetProperty("result").GetProperty("reading").GetProperty("text").GetString().ShouldBe("A日B");
        var models = await Api.GetAsync("/v1/models");
        var reader = models.Json.GetProperty("models").EnumerateArray().Single(m => m.GetProperty("id").GetString() == "reader");
        (reader.GetProperty("engine").GetString(), reader.GetProperty("family").GetString(), reader.GetProperty("labels").GetArrayLength()).ShouldBe(("read", "ctc", 0));
        // What needs boxes means nothing to it.
        (await Api.SubmitAsync([Part.Field("model", "reader"), Part.Field("redact", "*"), Part.Image(TextService.Line)])).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task The_command_line_prints_the_text()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("page.png"), TextService.Page);
        File.WriteAllBytes(folder.File("line.png"), TextService.Line);

        var page = await SpotterProgram.RunAsync("detect", folder.File("page.png"), "--model", service.Finder, "--then", service.Reader);
        var line = await SpotterProgram.RunAsync("detect", folder.File("line.png"), "--model", service.Reader);
        var json = await SpotterProgram.RunAsync("detect", folder.File("line.png"), "--model", service.Reader, "--json");
        var inspected = await SpotterProgram.RunAsync("models", "inspect", service.Reader);

        page.Output.ShouldContain("A日 / 本 C");
        line.Output.ShouldContain("A日B");
        JsonDocument.Parse(json.Output).RootElement.GetProperty("reading").GetProperty("text").GetString().ShouldBe("A日B");
        inspected.Output.ShouldContain("10, with a space after those of the dictionary");
    }
}
