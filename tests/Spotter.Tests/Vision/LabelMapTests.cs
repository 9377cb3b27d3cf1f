using System.Text.Json;
using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>
/// Models for an input of 64 x 32 that say which class each pixel belongs to, with the ports of the published exports: one class between
/// columns 16 and 48 of the input, another one beside it.
/// </summary>
public sealed class LabelMapTests
{
    private const int Wide = 64;
    private const int High = 32;

    private static readonly Dictionary<string, (Func<TestGraph> Model, string Inside, string Beside)> Kinds = new(StringComparer.Ordinal)
    {
        ["U-Net"] = (() => Input().Output("logits", Scores(2, 1)), "foreground", "background"),
        ["DeepLab of torchvision"] = (() => Input().Output("out", Scores(21, 7)).Output("aux", Scores(21, 7)), "car", "background"),
        ["SegFormer"] = (() => Input(-1).Output("logits", Scores(19, 13, stride: 4), declared: [-1, 19, -1, -1]), "car", "road"),
        ["BiSeNet"] = (() => Input().Output("preds", Scores(19, 13, stride: 8)).Output("aux2", Scores(19, 13, stride: 8)).Output("aux3", Scores(19, 13, stride: 8)), "car", "road"),
        ["PP-LiteSeg"] = (() => Input(-1).Output("argmax_0.tmp_0", Ids(1, 3), TestGraph.Int32, declared: [-1, -1, -1]), "class 3", "class 0"),
        ["ids of a class each"] = (() => Input().Note("names", "['sky', 'tree', 'lake', 'rock']").Output("output", Ids(2, 3), TestGraph.Int64), "rock", "sky"),
        ["channels last"] = (() => new TestGraph().Input("input", Float32, 1, High, Wide, 3).Output("softmax", Turned(21, 7)), "car", "background"),
        ["a mask with a name"] = (() => Sigmoid(Input().Note("names", "['crack']")), "crack", "background"),
        // Below a half, and above 0 all the same.
        ["a mask of logits"] = (() => Input().Note("names", "['crack']").Output("output", Logits(-0.3f, 0.3f)), "crack", "background"),
        ["named classes"] = (() => Input().Note("names", "['sky', 'tree', 'lake', 'rock']").Output("output", Scores(4, 2)), "lake", "sky"),
        ["halves"] = (() => Input().Note("task", "semantic").Output("output", Scores(5, 4), Float16), "class 4", "class 0"),
    };

    public static TheoryData<string> Names => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_pixel_has_its_class(string name)
    {
        var (graph, inside, beside) = Kinds[name];
        using var model = Load(graph(), "");
        var highest = model.Model.Labels.ToList().IndexOf(inside) is >= 0 and var known ? known : int.Parse(inside.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture);

        var (result, map) = MapPicture.Of(model, TestPictures.Png(128, 64));

        (model.Model.Engine, model.Model.Family, model.Model.Unsure).ShouldBe(("semantic", "label-map", null));
        (map.Name, map.MediaType, map.Width, map.Height, map.Bits).ShouldBe(("labels.png", "image/png", 128, 64, 8));
        map.Numbers.ShouldBe(Enumerable.Range(0, 128 * 64).Select(i => (ushort)(i % 128 is >= 32 and < 96 ? highest : 0)));
        result.Map.ShouldBe(new PictureMap("labels.png", 8));
        var regions = result.Regions.ShouldNotBeNull();
        regions.Select(r => (r.Label, r.ClassId, r.Share)).ShouldBe([(beside, 0, 0.5), (inside, highest, 0.5)]);
        regions.Select(r => r.Box).ShouldBe([new Box(0, 0, 128, 64), new Box(32, 0, 96, 64)]);
        regions[1].Polygons.ShouldHaveSingleItem().ShouldBe([32, 0, 96, 0, 96, 64, 32, 64], ignoreOrder: true);
        regions[0].Polygons.Count.ShouldBe(beside == "background" ? 0 : 2);
        (result.Detections, result.Labels, result.Embedding).ShouldBe((null, null, null));
    }

    [Theory]
    [InlineData("letterbox", 64, 64, 0, 64)]
    [InlineData("letterbox", 256, 32, 64, 192)]
    [InlineData("letterbox-top-left", 64, 64, 32, 64)]
    [InlineData("stretch", 100, 300, 25, 75)]
    public void Borders_are_taken_off_again(string fit, int width, int height, int from, int to)
    {
        using var model = Load(Input().Output("logits", Scores(2, 1, stride: 4)), $"input: {{ fit: {fit} }}");

        var (_, map) = MapPicture.Of(model, TestPictures.Png(width, height));

        (map.Width, map.Height).ShouldBe((width, height));
        map.Numbers.ShouldBe(Enumerable.Range(0, width * height).Select(i => (ushort)(i % width >= from && i % width < to ? 1 : 0)));
    }

    [Fact]
    public void A_picture_that_is_turned_has_its_map_upright()
    {
        using var model = Load(Input().Output("logits", Scores(2, 1)), "");

        var (result, map) = MapPicture.Of(model, TestPictures.WithExif(TestPictures.Jpeg(64, 128), orientation: 6));

        (result.Width, result.Height, map.Width, map.Height).ShouldBe((128, 64, 128, 64));
        result.Regions!.Single(r => r.ClassId == 1).Box.ShouldBe(new Box(32, 0, 96, 64));
    }

    [Fact]
    public void Holes_are_told_of()
    {
        // Class 2 within class 1, which is all around it.
        var ids = new Grid(1, High, Wide).Fill(1);
        for (var y = 8; y < 24; y++)
            ids.Put(y, 20, [.. Enumerable.Repeat(2f, 30)]);
        using var model = Load(Input().Output("output", ids, TestGraph.Int64), "");

        var regions = MapPicture.Of(model, TestPictures.Png(Wide, High)).Result.Regions.ShouldNotBeNull();

        regions[0].ClassId.ShouldBe(1);
        regions[0].Polygons.ShouldHaveSingleItem().ShouldBe([0, 0, 64, 0, 64, 32, 0, 32], ignoreOrder: true);
        regions[0].Holes.ShouldHaveSingleItem().ShouldBe([20, 8, 50, 8, 50, 24, 20, 24], ignoreOrder: true);
        (regions[1].Polygons.Count, regions[1].Holes.Count, regions[1].Share).ShouldBe((1, 0, Math.Round(480 / 2048.0, 4)));
    }

    [Fact]
    public void Large_pictures_of_noise_have_outlines_that_can_be_kept()
    {
        var random = new Random(7);
        var ids = new Grid(1, 512, 1024);
        for (var i = 0; i < ids.Numbers.Length; i++)
            ids.Numbers[i] = random.Next(2);
        using var model = Load(Taking(1, 3, 512, 1024).Output("output", ids, TestGraph.Int32), "");

        var result = MapPicture.Of(model, TestPictures.Png(3000, 1500)).Result;

        result.Regions!.Count.ShouldBe(2);
        JsonSerializer.SerializeToUtf8Bytes(result, VisionJson.Default.VisionResult).Length.ShouldBeLessThan(1_000_000);
    }

    [Fact]
    public void Only_the_labels_that_are_wanted_are_told_of()
    {
        using var model = Load(Kinds["DeepLab of torchvision"].Model(), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(64, 32), new VisionParameters { Labels = ["car"] });

        result.Regions!.ShouldHaveSingleItem().Label.ShouldBe("car");
        map.Numbers.Distinct().ShouldBe(new ushort[] { 0, 7 }, ignoreOrder: true);
    }

    [Fact]
    public void Classes_beyond_a_byte_take_two()
    {
        using var model = Load(Input().Output("output", Ids(1, 300), TestGraph.Int64), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(64, 32));

        (map.Bits, result.Map!.Bits, map[30, 5], result.Regions![1].Label).ShouldBe((16, 16, (ushort)300, "class 300"));
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(70000f)]
    public void A_class_that_can_not_be_one_fails_the_job(float id)
    {
        using var model = Load(Input().Output("output", Ids(1, id), TestGraph.Int64), "task: semantic");

        var refusal = Should.Throw<SpotterException>(() => model.Run(TestPictures.Png(64, 32), new VisionParameters()));

        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.ModelOutputInvalid, FormattableString.Invariant($"tiny gave {id} as a class, which goes from 0 to 65534; export the model again.")));
    }

    [Fact]
    public void A_class_without_a_name_is_refused_before_it_serves()
    {
        Refusal(Input().Note("names", "['a', 'b']").Output("output", Ids(1, 2), TestGraph.Int64), "")
            .ShouldContain("it was taken for label-map with 2 classes, but then it would find class 2, where it has 2");
        Refusal(Input().Note("names", "['a', 'b', 'c']").Output("logits", Scores(21, 2)), "").ShouldContain("none of its outputs is a known layout of its 3 classes");
        Refusal(Input().Note("names", "['a', 'b', 'c']").Output("logits", Scores(21, 2)), "task: semantic").ShouldContain("for the task 'semantic'");
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(17, 4)]
    public void Numbers_that_may_be_anything_are_unsure_until_somebody_says(int channels, int stride)
    {
        using (var model = Load(Input().Output("output", Scores(channels, 1, stride)), ""))
            model.Model.Unsure.ShouldBe($"It was taken for label-map with {channels} classes, but nothing in the file says that the numbers of its output are scores of classes; say what it is in tiny.yaml beside it, with task and labels.");
        using var said = Load(Input().Output("output", Scores(channels, 1, stride)), "task: semantic");
        said.Model.Unsure.ShouldBeNull();
    }

    [Fact]
    public void Heads_of_detectors_are_no_maps()
    {
        Refusal(Input().Output("hm", new Grid(1, 80, 8, 16)).Output("wh", new Grid(1, 2, 8, 16)).Output("reg", new Grid(1, 2, 8, 16)), "").ShouldContain("none of its outputs is a layout that is known");
        Refusal(Input().Output("a", new Grid(1, 255, 4, 8)).Output("b", new Grid(1, 255, 8, 16)), "").ShouldContain("none of its outputs is a layout that is known");
    }

    [Fact]
    public void A_map_is_of_the_whole_picture() =>
        Refusal(Input().Output("logits", Scores(2, 1)), "input: { fit: crop }").ShouldContain("'input.fit' is crop, but a map is of the whole picture");

    [Fact]
    public void Several_pictures_have_their_maps_one_after_the_other()
    {
        using var model = Load(Taking(-1, 3, High, Wide).Output("logits", Scores(2, 1)), "");
        var picture = new BatchPicture(TestPictures.Png(64, 32), new VisionParameters());

        var answers = model.Run([picture, picture]);

        model.AtOnce(8).ShouldBe(1);
        answers.Select(a => a.InferenceResult!.Result.Regions!.Count).ShouldBe([2, 2]);
    }

    [Fact]
    public void The_result_is_small_and_plain()
    {
        using var model = Load(Kinds["U-Net"].Model(), "");

        var json = JsonSerializer.Serialize(MapPicture.Of(model, TestPictures.Png(64, 32)).Result, VisionJson.Default.VisionResult);

        json.ShouldBe("""
            {"width":64,"height":32,"detections":null,"labels":null,"summary":null,"regions":[{"label":"background","classId":0,"share":0.5,"box":{"x1":0,"y1":0,"x2":64,"y2":32},"polygons":[],"holes":[]},{"label":"foreground","classId":1,"share":0.5,"box":{"x1":16,"y1":0,"x2":48,"y2":32},"polygons":[[16,0,48,0,48,32,16,32]],"holes":[]}],"map":{"file":"labels.png","bits":8}}
            """.Replace("[[16,0,48,0,48,32,16,32]]", Polygon(json), StringComparison.Ordinal));

        static string Polygon(string json) => json[json.LastIndexOf("[[", StringComparison.Ordinal)..(json.LastIndexOf("]]", StringComparison.Ordinal) + 2)];
    }

    private static TestGraph Input(long pictures = 1) => Taking(pictures, 3, High, Wide);

    /// <summary>Scores of so many classes: one for a class in the middle, one for the first beside it.</summary>
    private static Grid Scores(int classes, int inside, int stride = 1)
    {
        var (rows, columns) = (High / stride, Wide / stride);
        var grid = new Grid(1, classes, rows, columns).Fill(-3);
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
                grid.Put(((x * stride is >= 16 and < 48 ? inside : 0) * rows) + y, x, 4);
        }
        return grid;
    }

    private static Grid Turned(int classes, int inside)
    {
        var grid = new Grid(1, High, Wide, classes);
        for (var cell = 0; cell < High * Wide; cell++)
            grid.Put(cell, cell % Wide is >= 16 and < 48 ? inside : 0, 1);
        return grid;
    }

    private static Grid Ids(int dimensions, float inside)
    {
        var grid = dimensions == 1 ? new Grid(1, High, Wide) : new Grid(1, 1, High, Wide);
        for (var y = 0; y < High; y++)
            grid.Put(y, 16, [.. Enumerable.Repeat(inside, 32)]);
        return grid;
    }

    private static Grid Logits(float beside, float inside)
    {
        var logits = new Grid(1, 1, High, Wide).Fill(beside);
        for (var y = 0; y < High; y++)
            logits.Put(y, 16, [.. Enumerable.Repeat(inside, 32)]);
        return logits;
    }

    private static TestGraph Sigmoid(TestGraph graph)
    {
        var logits = Logits(-2, 2);
        return graph.Constant("logits", logits.Shape, logits.Numbers).Node("Sigmoid", ["logits"], ["output"]).Output("output", Float32, 1, 1, High, Wide);
    }

    private static string Refusal(TestGraph graph, string overrides) => Should.Throw<SpotterException>(() => Load(graph, overrides)).Message;

    private static VisionModel Load(TestGraph graph, string overrides)
    {
        using var file = new ModelFile(graph.ToArray());
        if (overrides.Length > 0)
            File.WriteAllText(ModelOverrides.FileOf(file.Path), overrides);
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
