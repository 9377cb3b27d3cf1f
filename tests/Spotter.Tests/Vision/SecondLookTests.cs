using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>A second model on the box of each detection, in pixels of the whole picture.</summary>
public sealed class SecondLookTests
{
    // 320 x 160 lies in 32 x 32 as 32 x 16 at (0, 8): ten pixels of the picture for one of the input.
    private static Grid Two => new Grid(1, 6, 21).Column(0, 0, 8, 16, 8, 8, 0.9f, 0).Column(1, 0, 24, 16, 8, 8, 0, 0.8f);

    [Fact]
    public void The_box_with_its_margin_is_shown_as_it_is_in_the_picture()
    {
        using var first = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'bus']").Output("output0", Two));
        using var colours = Colours();
        // The car's box, with a tenth on each side, is red; the bus's is green; all else is blue.
        var pixels = TestPictures.Flat(320, 160, (0, 0, 255));
        Paint(pixels, 320, 32, 32, 128, 128, (255, 0, 0));
        Paint(pixels, 320, 192, 32, 288, 128, (0, 255, 0));

        var result = Run(first, colours, TestPictures.Png(pixels, 320, 160), new VisionParameters { Then = "colours", Top = 1 });

        result.Detections!.Select(d => (d.Label, d.Box)).ShouldBe([("car", new Box(40, 40, 120, 120)), ("bus", new Box(200, 40, 280, 120))]);
        result.Detections!.Select(d => d.Then!.Labels!.ShouldHaveSingleItem()).Select(l => (l.Name, l.Confidence > 0.99)).ShouldBe([("red", true), ("green", true)]);
        result.Detections!.ShouldAllBe(d => d.Then!.Model == colours.Model.Id && d.Then.Detections == null);
        result.Then.ShouldBe(new ThenSummary(colours.Model.Id, Looked: 2, LeftOut: 0));
    }

    [Fact]
    public void What_is_found_in_a_box_is_in_pixels_of_the_whole_picture()
    {
        using var first = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'bus']").Output("output0", Two));
        // In the middle of whatever it sees, a quarter of its edges.
        using var second = Load(Taking(1, 3, 32, 32).Note("names", "['plate']").Output("output0", new Grid(1, 5, 21).Column(0, 0, 16, 16, 8, 8, 0.7f)));

        var result = Run(first, second, TestPictures.Png(320, 160), new VisionParameters { Then = "second", ThenLabels = ["bus"] });

        result.Detections![0].Then.ShouldBeNull();
        // The box of the bus is 80 pixels, with its margin 96: of that a quarter around (240, 80).
        result.Detections[1].Then!.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(228, 68, 252, 92));
        result.Then.ShouldBe(new ThenSummary(second.Model.Id, Looked: 1, LeftOut: 0));
        result.Summary!.ShouldBe(new Dictionary<string, int>(StringComparer.Ordinal) { ["car"] = 1, ["bus"] = 1 });
    }

    [Fact]
    public void Without_detections_nothing_is_shown()
    {
        using var first = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'bus']").Output("output0", new Grid(1, 6, 21)));
        using var colours = Colours();

        var result = Run(first, colours, TestPictures.Png(32, 32), new VisionParameters { Then = "colours" });

        result.Detections!.ShouldBeEmpty();
        result.Then.ShouldBe(new ThenSummary(colours.Model.Id, 0, 0));
    }

    [Fact]
    public void Of_many_the_most_confident_are_shown_and_the_result_says_how_many_were_left_out()
    {
        var grid = new Grid(1, 5, 84);
        for (var i = 0; i < 84; i++)
            grid.Column(i, 0, (i % 10 * 6) + 3, (i / 10 * 6) + 3, 4, 4, 0.9f - (i * 0.005f));
        using var first = Load(Taking(1, 3, 64, 64).Note("names", "['thing']").Output("output0", grid));
        using var colours = Colours();
        var told = new List<double>();

        using var run = first.Run(TestPictures.Png(64, 64), new VisionParameters { Then = "colours" }, new RunExtras { Then = colours }, new Told(told.Add));

        var all = run.Result.Detections!;
        all.Count.ShouldBeGreaterThan(VisionModel.MostLooks);
        all.Select(d => d.Then is null).ShouldBe(Enumerable.Range(0, all.Count).Select(i => i >= VisionModel.MostLooks));
        run.Result.Then.ShouldBe(new ThenSummary(colours.Model.Id, VisionModel.MostLooks, all.Count - VisionModel.MostLooks));
        (told.Count, told[^1]).ShouldBe((VisionModel.MostLooks, 1));
        told.ShouldBeInOrder();
    }

    [Fact]
    public void It_ends_between_boxes_when_nobody_wants_it_any_more()
    {
        using var first = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'bus']").Output("output0", Two));
        using var colours = Colours();
        using var unwanted = new CancellationTokenSource();
        var told = new List<double>();

        Should.Throw<OperationCanceledException>(() => first.Run(
            TestPictures.Png(320, 160), new VisionParameters { Then = "colours" }, new RunExtras { Then = colours }, new Told(done =>
            {
                told.Add(done);
                unwanted.Cancel();
            }), unwanted.Token));

        told.ShouldBe([0.5]);
    }

    [Fact]
    public void What_the_second_model_finds_can_be_redacted_and_is_drawn()
    {
        using var first = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'bus']").Output("output0", Two));
        using var second = Load(Taking(1, 3, 32, 32).Note("names", "['plate']").Output("output0", new Grid(1, 5, 21).Column(0, 0, 16, 16, 8, 8, 0.7f)));
        var options = new VisionParameters { Then = "second", Redact = ["plate"] };

        var result = Run(first, second, TestPictures.Png(320, 160), options);

        DrawOptions.Of(options, result).Redacted.ShouldBe([new Box(68, 68, 92, 92), new Box(228, 68, 252, 92)]);
        using var with = Annotator.Draw(TestPictures.Png(320, 160), result, new ImageLimits());
        using var without = Annotator.Draw(TestPictures.Png(320, 160), result with { Detections = [.. result.Detections!.Select(d => d with { Then = null })] }, new ImageLimits());
        with.Bytes.Span.SequenceEqual(without.Bytes.Span).ShouldBeFalse();
    }

    [Fact]
    public void A_box_that_the_second_model_has_not_looked_at_is_hidden_whole()
    {
        static Detection Car(double x, ThenResult? then) => new("car", 0, 0.9, new Box(x, 0, x + 10, 10)) { Then = then };
        var looked = new ThenResult("plates") { Detections = [new Detection("plate", 0, 0.8, new Box(2, 2, 4, 4))] };
        var result = new VisionResult { Width = 100, Height = 10, Detections = [Car(0, looked), Car(20, null), new Detection("bus", 1, 0.5, new Box(40, 0, 50, 10))], Then = new("plates", 1, 1) };
        var options = new VisionParameters { Then = "plates", ThenLabels = ["car"], Redact = ["plate"] };

        DrawOptions.Of(options, result).Redacted.ShouldBe([new Box(2, 2, 4, 4), new Box(20, 0, 30, 10)]);
        // A second model that finds no boxes hides none either.
        var named = new ThenResult("colours") { Labels = [new Label("red", 0, 0.9)] };
        DrawOptions.Of(options, result with { Detections = [Car(0, named), Car(20, null)] }).Redacted.ShouldBe([]);
    }

    private static VisionResult Run(VisionModel first, VisionModel second, byte[] picture, VisionParameters options)
    {
        using var run = first.Run(picture, options, new RunExtras { Then = second });
        return run.Result;
    }

    /// <summary>Names the colour of which a picture has most.</summary>
    private static VisionModel Colours() => Load(Taking(1, 3, 32, 32).Note("task", "classify").Note("names", "['red', 'green', 'blue']")
        .Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(2, 3)), ("keepdims", 0)).Constant("ten", [1], [10f]).Node("Mul", ["mean", "ten"], ["raw"])
        .Node("Softmax", ["raw"], ["output0"], ("axis", 1)).Output("output0", Float32, 1, 3));

    private static void Paint(byte[] pixels, int width, int left, int top, int right, int bottom, (byte, byte, byte) colour)
    {
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
                (pixels[((y * width) + x) * 3], pixels[(((y * width) + x) * 3) + 1], pixels[(((y * width) + x) * 3) + 2]) = colour;
        }
    }

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }

    private sealed class Told(Action<double> tell) : IProgress<double>
    {
        public void Report(double value) => tell(value);
    }
}
