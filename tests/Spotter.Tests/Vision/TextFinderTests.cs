using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models that give a map of where text is.</summary>
public sealed class TextFinderTests
{
    [Theory]
    [InlineData(640, 480, 1, 0)]
    [InlineData(640, 480, 1, 25)]
    [InlineData(640, 480, 1, 90)]
    [InlineData(640, 480, 1, 160)]
    [InlineData(1280, 960, 2, 25)] // beyond the longest edge that is looked at
    public void A_bar_is_a_turned_box_that_has_grown(int width, int height, int scale, double degrees)
    {
        using var model = Load(TextModels.Finder());
        (model.Model.Family, model.Model.Engine, model.Model.Labels.ShouldHaveSingleItem(), model.Model.Unsure).ShouldBe(("db", "obb", "text", null));
        var pixels = TextModels.Draw(width, height, ("A", width / 2.0, height / 2.0, 160 * scale, 40 * scale, degrees));

        var found = model.Run(TestPictures.Png(pixels, width, height), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        // By area * 1.5 / outline on each side: 24.
        (found.Label, found.ClassId).ShouldBe(("text", 0));
        found.Confidence.ShouldBeGreaterThan(0.95);
        var box = found.Oriented.ShouldNotBeNull();
        box.CentreX.ShouldBe(width / 2.0, scale);
        box.CentreY.ShouldBe(height / 2.0, scale);
        box.Width.ShouldBe(208 * scale, 3 * scale);
        box.Height.ShouldBe(88 * scale, 3 * scale);
        Math.Min(Math.Abs(box.Angle - degrees), 180 - Math.Abs(box.Angle - degrees)).ShouldBeLessThan(2);
    }

    [Theory]
    [InlineData("fetch_name_0", true, null)]
    [InlineData("maps", true, null)]
    [InlineData("save_infer_model/scale_0.tmp_1", true, null)]
    [InlineData("logits", false, "a map of probabilities can be of something else than text")]
    [InlineData("1959", true, "a map of probabilities can be of something else than text")]
    public void Exports_are_told_by_their_outputs(string output, bool isSigmoid, string? doubt)
    {
        using var model = Load(TextModels.Finder(output, isSigmoid));

        model.Model.Family.ShouldBe("db");
        (model.Model.Unsure is null).ShouldBe(doubt is null);
        if (doubt is not null)
            model.Model.Unsure.ShouldNotBeNull().ShouldContain(doubt);
        var pixels = TextModels.Draw(320, 320, (" ", 160, 160, 100, 30, 0));
        model.Run(TestPictures.Png(pixels, 320, 320), new VisionParameters()).Result.Detections.ShouldNotBeNull().Count.ShouldBe(1);
    }

    [Fact]
    public void A_fixed_size_is_letterboxed_and_lies_right()
    {
        using var model = Load(TextModels.Finder("maps", true, 1, 3, 320, 320));
        var pixels = TextModels.Draw(640, 320, ("A", 320, 160, 160, 40, 0));

        var box = model.Run(TestPictures.Png(pixels, 640, 320), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Box;

        foreach (var (edge, expected) in new[] { (box.X1, 216.0), (box.Y1, 116), (box.X2, 424), (box.Y2, 204) })
            edge.ShouldBe(expected, 4);
    }

    [Fact]
    public void What_masks_something_else_is_not_taken_for_text()
    {
        // A network for salient objects: a map of probabilities too, and no transposed convolution.
        var graph = new TestGraph().Input("input.1", Float32, 1, 3, 320, 320).Node("ReduceMean", ["input.1"], ["mean"], ("axes", Ints(1)), ("keepdims", 1))
            .Node("Sigmoid", ["mean"], ["1959"]).Output("1959", Float32, 1, 1, 320, 320);
        using var file = new ModelFile(graph.ToArray());

        using (var read = VisionModel.Load(file.Path, new VisionModelOptions()))
            read.Model.Family.ShouldBe("saliency-map");

        // Until somebody says that it is.
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "family: db\n");
        using var said = VisionModel.Load(file.Path, new VisionModelOptions());
        (said.Model.Family, said.Model.Unsure).ShouldBe(("db", null));
    }

    [Fact]
    public void Text_can_be_redacted_and_is_drawn()
    {
        using var model = Load(TextModels.Finder());
        var picture = TestPictures.Png(TextModels.Draw(640, 480, ("A", 320, 240, 160, 40, 25)), 640, 480);
        var options = new VisionParameters { Redact = ["text"], RedactWith = RedactionKind.Fill, Annotate = true };

        using var run = model.Run(picture, options);

        var found = run.Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();
        DrawOptions.Of(options, run.Result).Redacted.ShouldBe([found.Box]);
        using var plain = Annotator.Draw(picture, run.Result with { Detections = [] }, new ImageLimits());
        run.Annotated.Span.SequenceEqual(plain.Bytes.Span).ShouldBeFalse();
    }

    [Fact]
    public void Numbers_that_are_none_are_refused()
    {
        // The root of what is below zero, wherever it isn't black.
        var graph = new TestGraph().Input("x", Float32, 1, 3, 64, 64).Node("ReduceMean", ["x"], ["mean"], ("axes", Ints(1)), ("keepdims", 1))
            .Constant("one", [1, 1, 1, 1], [-1]).Node("ConvTranspose", ["mean", "one"], ["raw"]).Node("Sqrt", ["raw"], ["maps"]).Output("maps", Float32, 1, 1, 64, 64);
        using var model = Load(graph);

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("infinite or not numbers at all");
        Should.Throw<SpotterException>(() => model.Run(TestPictures.Png(TestPictures.Flat(64, 64, (255, 255, 255)), 64, 64), new VisionParameters())).Code.ShouldBe(ErrorCodes.ModelOutputInvalid);
    }

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
