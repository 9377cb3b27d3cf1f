using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models for an input of 64 x 32 that give one value for each pixel, with the ports of the published exports.</summary>
public sealed class ValueMapTests
{
    private const int Wide = 64;
    private const int High = 32;

    private static readonly Dictionary<string, (Func<TestGraph> Model, string Family)> Kinds = new(StringComparer.Ordinal)
    {
        ["Depth Anything"] = (() => Input(-1).Output("predicted_depth", Ramp(2, 5), declared: [-1, -1, -1]), "depth-map"),
        ["MiDaS, by its numbers"] = (() => Input().Output("output", Ramp(1, 5)), "depth-map"),
        ["a network for disparity"] = (() => Input().Output("disp_0", Ramp(2, 0.5f)), "depth-map"),
        ["U2-Net"] = (() => Enumerable.Range(1959, 7).Aggregate(Input(), (graph, i) => graph.Output($"{i}", Ramp(2, 1))), "saliency-map"),
        ["RMBG, which ends with a sigmoid"] = (() => Ended("Sigmoid", 5), "saliency-map"),
        ["a network for mattes"] = (() => Input().Output("alpha", Ramp(2, 1)), "saliency-map"),
    };

    public static TheoryData<string> Names => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_told_what_the_values_are(string name)
    {
        var (graph, family) = Kinds[name];
        using var model = Load(graph(), "");

        (model.Model.Family, model.Model.Labels.Count, model.Model.Unsure).ShouldBe((family, 0, null));
    }

    [Fact]
    public void A_map_of_another_size_is_one_where_that_is_stated()
    {
        var graph = Input().Output("output", new Grid(1, 1, 10, 20).Put(0, 0, 5));

        Should.Throw<SpotterException>(() => Load(graph, "")).Code.ShouldBe(ErrorCodes.ModelUnsupported);
        using var model = Load(graph, "task: depth");
        MapPicture.Of(model, TestPictures.Png(Wide, High)).Map.Width.ShouldBe(Wide);
    }

    [Fact]
    public void Depth_goes_from_black_to_white_in_16_bits()
    {
        using var model = Load(Input().Output("predicted_depth", Ramp(1, 630)), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(Wide, High));

        model.Model.Engine.ShouldBe("depth");
        (map.Name, map.Width, map.Height, map.Bits).ShouldBe(("depth.png", Wide, High, 16));
        map.Numbers.ShouldBe(Enumerable.Range(0, Wide * High).Select(i => (ushort)Math.Round(i % Wide / 63.0 * 65535)));
        result.Map.ShouldBe(new PictureMap("depth.png", 16) { Least = 0, Greatest = 630 });
    }

    [Fact]
    public void What_stands_out_is_as_bright_as_it_is_likely()
    {
        using var model = Load(Input().Output("alpha", new Grid(1, 1, High, Wide).Fill(0.25f)), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(100, 50));

        model.Model.Engine.ShouldBe("saliency");
        (map.Name, map.Width, map.Height, map.Bits).ShouldBe(("saliency.png", 100, 50, 8));
        map.Numbers.Distinct().ShouldHaveSingleItem().ShouldBe((ushort)64);
        result.Map.ShouldBe(new PictureMap("saliency.png", 8) { Least = 0.25, Greatest = 0.25 });
    }

    [Fact]
    public void Between_cells_values_are_in_between_and_borders_are_taken_off()
    {
        // A quarter of the input; the picture is square, so that it lies between columns 16 and 48 of the input.
        var quarter = new Grid(1, 8, 16);
        for (var y = 0; y < 8; y++)
            quarter.Put(y, 0, [.. Enumerable.Range(0, 16).Select(x => (float)x)]);
        using var model = Load(Input().Output("predicted_depth", quarter), "input: { fit: letterbox }");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(96, 96));

        var (least, greatest) = (result.Map!.Least!.Value, result.Map.Greatest!.Value);
        (least, greatest).ShouldBe((3, 12));
        for (var x = 0; x < 96; x++)
        {
            // The middle of a pixel in cells, of which there are 4 before the picture.
            var value = ((x + 0.5) / 12) + 4 - 0.5;
            (least + (map[x, 40] / 65535.0 * (greatest - least))).ShouldBe(value, 0.001);
        }
    }

    [Fact]
    public void Where_all_is_alike_all_is_black()
    {
        using var model = Load(Input().Output("predicted_depth", new Grid(1, High, Wide).Fill(7)), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(50, 50));

        map.Numbers.ShouldAllBe(n => n == 0);
        result.Map.ShouldBe(new PictureMap("depth.png", 16) { Least = 7, Greatest = 7 });
    }

    [Fact]
    public void The_widest_range_there_is_is_no_harm()
    {
        using var model = Load(Input().Output("predicted_depth", new Grid(1, High, Wide).Fill(float.MinValue).Put(0, 0, float.MaxValue)), "");

        var (result, map) = MapPicture.Of(model, TestPictures.Png(Wide, High));

        (map[0, 0], map[9, 9], result.Map!.Greatest).ShouldBe(((ushort)65535, (ushort)0, (double)float.MaxValue));
    }

    [Fact]
    public void Numbers_that_are_none_fail_the_job()
    {
        // The root of a negative number, for all but the darkest pictures.
        using var model = Load(Input().Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(1)), ("keepdims", 0)).Constant("little", [1], [0.1f]).Node("Sub", ["little", "mean"], ["rest"])
            .Node("Sqrt", ["rest"], ["predicted_depth"]).Output("predicted_depth", Float32, 1, High, Wide), "input: { mean: 0, deviation: 1 }");

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("it gives numbers that are infinite or not numbers at all about grey");
        Should.Throw<SpotterException>(() => model.Run(TestPictures.Png(64, 32), new VisionParameters())).Code.ShouldBe(ErrorCodes.ModelOutputInvalid);
    }

    [Theory]
    [InlineData(0f, 0.9f, "saliency-map", "depth-map")]
    [InlineData(-4f, 4f, "depth-map", "label-map with 2 classes")]
    public void One_number_for_each_pixel_may_be_anything(float least, float most, string taken, string other)
    {
        var grid = new Grid(1, 1, High, Wide).Fill(least).Put(9, 9, most);
        using (var model = Load(Input().Output("output", grid), ""))
            model.Model.Unsure.ShouldNotBeNull().ShouldStartWith($"It was taken for {taken}, but its outputs also fit {other}");
        using (var depth = Load(Input().Output("output", grid), "task: depth"))
            (depth.Model.Engine, depth.Model.Unsure).ShouldBe(("depth", null));
        using (var saliency = Load(Input().Output("output", grid), "task: saliency"))
            saliency.Model.Engine.ShouldBe("saliency");
        using var mask = Load(Input().Output("output", grid), "{ task: semantic, labels: [crack] }");
        mask.Model.Labels.ShouldBe(["background", "crack"]);
        MapPicture.Of(mask, TestPictures.Png(Wide, High)).Map.Numbers.Count(n => n == 1).ShouldBe(1);
    }

    [Fact]
    public void The_map_is_drawn_at_once()
    {
        using var model = Load(Input().Output("predicted_depth", Ramp(1, 63)), "");

        using var found = model.Run(TestPictures.Png(Wide, High), new VisionParameters());

        using var picture = Spotter.Vision.Images.Picture.Open(found.Annotated.ToArray(), new());
        (picture.Width, picture.Height, picture.Bands).ShouldBe((Wide, High, 1));
    }

    [Fact]
    public void Values_have_no_labels()
    {
        Should.Throw<SpotterException>(() => Load(Input().Output("predicted_depth", Ramp(1, 5)), "{ task: depth, labels: [near, far] }"))
            .Message.ShouldContain("it has 'labels', but a model for the task 'depth' gives none");
    }

    private static TestGraph Input(long pictures = 1) => Taking(pictures, 3, High, Wide);

    /// <summary>From 0 at the left to a value at the right.</summary>
    private static Grid Ramp(int dimensions, float most)
    {
        var grid = dimensions == 1 ? new Grid(1, High, Wide) : new Grid(1, 1, High, Wide);
        for (var y = 0; y < High; y++)
            grid.Put(y, 0, [.. Enumerable.Range(0, Wide).Select(x => most * x / (Wide - 1))]);
        return grid;
    }

    private static TestGraph Ended(string last, float most)
    {
        var ramp = Ramp(2, most);
        return Input().Constant("before", ramp.Shape, ramp.Numbers).Node(last, ["before"], ["output"]).Output("output", Float32, ramp.Shape);
    }

    private static VisionModel Load(TestGraph graph, string overrides)
    {
        using var file = new ModelFile(graph.ToArray());
        if (overrides.Length > 0)
            File.WriteAllText(ModelOverrides.FileOf(file.Path), overrides);
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
