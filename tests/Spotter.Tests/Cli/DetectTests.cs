using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Tests.Cli;

public sealed class DetectTests
{
    private static readonly string Model = SharedFiles.Model("yolox_nano.onnx");

    [SharedFact]
    public async Task Json_is_one_object_per_picture_in_the_order_of_the_arguments()
    {
        string[] pictures = [.. ((string[])["mug_8mp.jpg", "noise.jpg", "bus.jpg", "truck.webp", "street_rgba.png", "concert_gray.jpg"]).Select(SharedFiles.Image)];

        var ran = await SpotterProgram.RunAsync(["detect", .. pictures, "--model", Model, "--json", "--lanes", "4"]);

        ran.Status.ShouldBe(0);
        ran.Errors.ShouldBeEmpty();
        var lines = ran.Json();
        lines.Select(line => line.GetProperty("file").GetString()).ShouldBe(pictures);
        lines.ShouldAllBe(line => line.GetProperty("model").GetString() == "yolox_nano" && line.GetProperty("error").ValueKind == JsonValueKind.Null);
        var bus = lines[2];
        (bus.GetProperty("width").GetInt32(), bus.GetProperty("height").GetInt32()).ShouldBe((810, 1080));
        bus.GetProperty("summary").GetProperty("bus").GetInt32().ShouldBe(1);
        bus.GetProperty("detections").GetArrayLength().ShouldBe(bus.GetProperty("summary").EnumerateObject().Sum(count => count.Value.GetInt32()));
        bus.GetProperty("timings").GetProperty("inferMs").GetDouble().ShouldBeGreaterThan(0);
    }

    [SharedFact]
    public async Task A_bad_picture_has_an_error_and_stops_no_other()
    {
        using var folder = new TemporaryFolder();
        var truncated = folder.File("cut.jpg", File.ReadAllBytes(SharedFiles.Image("bus.jpg"))[..50_000]);
        var text = folder.File("text.jpg", "no picture"u8.ToArray());
        var empty = folder.File("empty.jpg");
        var huge = folder.File("huge.png", Convert.FromHexString("89504E470D0A1A0A0000000D494844520001000000010000"));
        var missing = Path.Combine(folder.Path, "missing.jpg");
        var hollow = Directory.CreateDirectory(Path.Combine(folder.Path, "hollow")).FullName;

        var ran = await SpotterProgram.RunAsync(
            "detect", truncated, text, empty, huge, missing, hollow, SharedFiles.Image("bus.jpg"), "--model", Model, "--json");

        ran.Status.ShouldBe(1);
        ran.Json().Select(line => line.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null)
            .ShouldBe([
                ErrorCodes.ImageTruncated, ErrorCodes.UnsupportedImage, ErrorCodes.EmptyBody, ErrorCodes.TooManyPixels,
                ErrorCodes.NotFound, ErrorCodes.NotFound, null]);
        ran.ErrorLines().Count.ShouldBe(6);
        ran.ErrorLines().ShouldAllBe(line => line.StartsWith("spotter: "));
    }

    [SharedFact]
    public async Task Out_writes_every_picture_under_a_name_of_its_own()
    {
        using var folder = new TemporaryFolder();
        folder.Copy(SharedFiles.Image("bus.jpg"), "in/a.jpg");
        folder.Copy(SharedFiles.Image("tree.webp"), "in/a.webp");
        folder.Copy(SharedFiles.Image("zidane.jpg"), "in/b/A.jpg");
        folder.File("in/notes.txt");
        var input = Path.Combine(folder.Path, "in");
        var output = Path.Combine(input, "drawn");

        for (var run = 0; run < 2; run++) // what the first run wrote is no input of the second
        {
            var ran = await SpotterProgram.RunAsync("detect", input, "--model", Model, "--out", output, "--json");

            ran.Status.ShouldBe(0);
            ran.Json().Select(line => line.GetProperty("output").GetString()).ShouldBe(
                [Path.Combine(output, "a.jpg"), Path.Combine(output, "a-2.jpg"), Path.Combine(output, "A-3.jpg")]);
        }

        Directory.EnumerateFiles(output).Count().ShouldBe(3);
        SizeOf("a.jpg").ShouldBe((810, 1080));
        SizeOf("a-2.jpg").ShouldBe((1024, 772));
        SizeOf("A-3.jpg").ShouldBe((1280, 720));

        (int Width, int Height) SizeOf(string name)
        {
            var header = ImageHeader.Read(File.ReadAllBytes(Path.Combine(output, name)), complete: true);
            header.Format.ShouldBe(ImageFormat.Jpeg);
            return (header.Width, header.Height);
        }
    }

    [SharedFact]
    public async Task For_people_there_is_a_table_and_a_sum()
    {
        var ran = await SpotterProgram.RunAsync("detect", SharedFiles.Image("bus.jpg"), SharedFiles.Image("noise.jpg"), "--model", Model);

        ran.Status.ShouldBe(0);
        ran.Errors.ShouldBeEmpty();
        var lines = ran.Output.Split('\n');
        lines[0].ShouldStartWith("picture");
        lines[1].ShouldContain("1 bus");
        lines[2].ShouldContain("nothing found");
        lines[4].ShouldStartWith("2 pictures; ");
    }

    [SharedFact]
    public async Task A_model_is_found_by_name_and_the_first_usable_one_without()
    {
        using var folder = new TemporaryFolder();
        folder.File("models/a-broken.onnx", "no model"u8.ToArray());
        folder.Copy(Model, "models/b-good.onnx");
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__DATA"] = folder.Path };

        (await ModelUsedAsync()).ShouldBe("b-good");
        (await ModelUsedAsync("--model", "b-good")).ShouldBe("b-good");
        environment["SPOTTER_MODELS"] = Path.GetDirectoryName(Model)!;
        (await ModelUsedAsync("--model", "yolox_nano")).ShouldBe("yolox_nano");

        var refused = await SpotterProgram.RunWithAsync(environment, "detect", SharedFiles.Image("bus.jpg"), "--model", "a-broken");
        refused.Status.ShouldBe(1);
        refused.Output.ShouldBeEmpty();
        refused.ErrorLines().ShouldHaveSingleItem().ShouldContain("a-broken.onnx");

        async Task<string?> ModelUsedAsync(params string[] more) =>
            (await SpotterProgram.RunWithAsync(environment, ["detect", SharedFiles.Image("noise.jpg"), "--json", .. more]))
            .Json().ShouldHaveSingleItem().GetProperty("model").GetString();
    }

    [SharedFact]
    public async Task Labels_and_thresholds_narrow_what_is_found()
    {
        (await FoundAsync("--labels", "bus, cat")).ShouldAllBe(found => found.Label == "bus");
        (await FoundAsync("--confidence", "0.8")).ShouldAllBe(found => found.Confidence >= 0.8);
        (await FoundAsync("--confidence", "0.05")).Count.ShouldBeGreaterThan((await FoundAsync()).Count);

        var unknown = await SpotterProgram.RunAsync("detect", SharedFiles.Image("bus.jpg"), "--model", Model, "--labels", "person,omnibus");
        unknown.Status.ShouldBe(1);
        unknown.ErrorLines().ShouldHaveSingleItem().ShouldContain("omnibus");

        static async Task<List<(string Label, double Confidence)>> FoundAsync(params string[] more)
        {
            var ran = await SpotterProgram.RunAsync(["detect", SharedFiles.Image("bus.jpg"), "--model", Model, "--json", .. more]);
            var found = ran.Json().ShouldHaveSingleItem().GetProperty("detections").EnumerateArray()
                .Select(one => (one.GetProperty("label").GetString()!, one.GetProperty("confidence").GetDouble())).ToList();
            found.ShouldNotBeEmpty();
            return found;
        }
    }

    [SharedFact]
    public async Task Models_are_listed_with_what_they_are()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER_MODELS"] = Path.GetDirectoryName(Model)! };

        var list = await SpotterProgram.RunWithAsync(environment, "models", "list", "--json");
        list.Status.ShouldBe(0);
        list.Json().Where(model => model.GetProperty("error").ValueKind == JsonValueKind.Null)
            .Select(model => model.GetProperty("model").GetProperty("id").GetString())
            .ShouldBe(["squeezenet_fp16", "squeezenet_fp32", "yolov8n-uint8", "yolox_nano", "yolox_nano_v5layout"]);

        var inspected = await SpotterProgram.RunAsync("models", "inspect", Model, "--json");
        inspected.Status.ShouldBe(0);
        inspected.Json().ShouldHaveSingleItem().GetProperty("model").GetProperty("labels").GetArrayLength().ShouldBe(80);

        var unusable = await SpotterProgram.RunAsync("models", "inspect", SharedFiles.Image("bus.jpg"));
        unusable.Status.ShouldBe(1);
        unusable.ErrorLines().ShouldHaveSingleItem();
        unusable.Output.ShouldBeEmpty();
    }

    [SharedFact]
    public async Task A_name_of_any_characters_is_one_line()
    {
        using var folder = new TemporaryFolder();
        var odd = folder.Copy(SharedFiles.Image("noise.jpg"), "@größe\n\u001b[31m.jpg");

        var table = await SpotterProgram.RunAsync("detect", odd, "--model", Model);
        table.Status.ShouldBe(0);
        table.Output.ShouldNotContain("\u001b");
        table.Output.Split('\n').Length.ShouldBe(5);

        var json = await SpotterProgram.RunAsync("detect", odd, "--model", Model, "--json");
        json.Json().ShouldHaveSingleItem().GetProperty("file").GetString().ShouldBe(odd);
    }
}
