using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Results;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Keypoints, turned boxes, tiles and regions in pixels of the picture.</summary>
public sealed class ResultTests
{
    private static readonly VisionParameters Sure = new() { Confidence = 0.6 };

    [Fact]
    public void Keypoints_lie_in_the_picture_and_have_their_names()
    {
        var extras = new float[51];
        (extras[0], extras[1], extras[2]) = (16, 12, 0.987654f);
        (extras[3], extras[4], extras[5]) = (-5, 40, 1.5f);
        using var model = Load(Taking(1, 3, 32, 32).Note("task", "pose").Note("names", "['person']").Note("kpt_shape", "[17, 3]")
            .Output("output0", new Grid(1, 56, 21).Column(4, 0, [16, 16, 8, 8, 0.9f, .. extras])));

        // 320 x 160 lies in 32 x 32 as 32 x 16 at (0, 8).
        var result = model.Run(TestPictures.Png(320, 160), new VisionParameters()).Result;

        var points = result.Detections!.ShouldHaveSingleItem().Keypoints.ShouldNotBeNull();
        points.Count.ShouldBe(17);
        points[0].ShouldBe(new Keypoint("nose", 160, 40, 0.9877));
        points[1].ShouldBe(new Keypoint("left eye", 0, 160, 1));
        points[16].Name.ShouldBe("right ankle");
        result.Skeleton!.Count.ShouldBe(19);
        result.Skeleton.ShouldContain(pair => pair[0] == 5 && pair[1] == 7);
    }

    [Theory]
    [InlineData(8, 4, 0, 0, 80, 40)]
    [InlineData(8, 4, Math.PI / 6, 30, 80, 40)]
    // The longer edge is the width, a quarter turn further.
    [InlineData(4, 8, 0, 90, 80, 40)]
    [InlineData(4, 8, Math.PI / 6, 120, 80, 40)]
    [InlineData(8, 4, -Math.PI / 6, 150, 80, 40)]
    [InlineData(8, 4, Math.PI, 0, 80, 40)]
    [InlineData(8, 4, 7 * Math.PI / 6, 30, 80, 40)]
    public void A_turned_box_has_its_angle_clockwise_from_the_horizontal(float width, float height, double radians, double degrees, double along, double across)
    {
        using var model = Turned([16, 16, width, height], (float)radians);

        var found = model.Run(TestPictures.Png(320, 160), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem();

        var box = found.Oriented.ShouldNotBeNull();
        (box.CentreX, box.CentreY, box.Width, box.Height).ShouldBe((160, 80, along, across));
        box.Angle.ShouldBe(degrees, 0.02);
        // The first edge leads along the angle, downwards for a positive one.
        var (a, b, c) = (box.Corners[0], box.Corners[1], box.Corners[2]);
        var turn = degrees * Math.PI / 180;
        (b.X - a.X).ShouldBe(Math.Cos(turn) * along, 0.2);
        (b.Y - a.Y).ShouldBe(Math.Sin(turn) * along, 0.2);
        (c.X - b.X).ShouldBe(-Math.Sin(turn) * across, 0.2);
        (c.Y - b.Y).ShouldBe(Math.Cos(turn) * across, 0.2);
        found.Box.ShouldBe(new Box(box.Corners.Min(p => p.X), box.Corners.Min(p => p.Y), box.Corners.Max(p => p.X), box.Corners.Max(p => p.Y)));
    }

    [Fact]
    public void The_upright_box_of_a_turned_one_is_clipped_and_its_corners_are_not()
    {
        using var model = Turned([2, 16, 12, 4], 0);

        var found = model.Run(TestPictures.Png(320, 160), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem();

        found.Box.ShouldBe(new Box(0, 60, 80, 100));
        found.Oriented!.Corners[0].ShouldBe(new Point(-40, 60));
    }

    [Fact]
    public void Boxes_turned_against_each_other_are_two_objects()
    {
        var columns = new Grid(1, 4 + 1 + 1, 21).Column(0, 0, 16, 16, 20, 2, 0.9f, 0).Column(1, 0, 16, 16, 20, 2, 0.8f, MathF.PI / 2).Column(2, 0, 16, 16, 20, 2, 0.7f, 0.01f);
        using var model = Load(Taking(1, 3, 32, 32).Note("task", "obb").Note("names", "['ship']").Output("output0", columns));

        model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Detections!.Select(d => (d.Confidence, Math.Round(d.Oriented!.Angle))).ShouldBe([(0.9, 0), (0.8, 90)]);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.7)]
    public void Each_small_thing_of_a_large_picture_is_found_once_in_tiles(double overlap)
    {
        // Too small for the picture as a whole, and some of them on the borders of tiles.
        (int X, int Y)[] squares = [(20, 20), (124, 60), (200, 130), (26, 90), (8, 240), (248, 248)];
        using var model = Load(Spots());
        var picture = Squares(256, 256, 8, squares);

        model.Run(picture, Sure).Result.Detections!.ShouldBeEmpty();
        var tiled = model.Run(picture, Sure with { Tile = 32, Overlap = overlap }).Result.Detections!;

        tiled.Select(d => d.Box).OrderBy(b => b.X1).ShouldBe(squares.Select(s => new Box(s.X, s.Y, s.X + 8, s.Y + 8)).OrderBy(b => b.X1));
    }

    [Fact]
    public void A_thing_larger_than_a_tile_is_found_once_and_whole()
    {
        using var model = Load(Spots());

        var tiled = model.Run(Squares(256, 256, 64, [(64, 128)]), Sure with { Tile = 32 }).Result.Detections!;

        tiled.ShouldHaveSingleItem().Box.ShouldBe(new Box(64, 128, 128, 192));
    }

    [Fact]
    public void What_is_found_in_tiles_is_bounded_by_how_sure_it_is_however_much_it_is()
    {
        var merge = new TileMerge(new Region(0, 0, 8000, 8000));
        static Detection Find(double confidence, int at) => new("thing", 0, confidence, new Box(at, 0, at + 4, 4));
        for (var part = 0; part < 200; part++)
        {
            var x = part * 40;
            merge.Add(new Region(x, 0, 40, 40), Enumerable.Range(0, 300).Select(i => Find(0.1, x + (i % 30))));
        }
        merge.Least.ShouldBe(0.1);
        merge.Count.ShouldBe(TileMerge.MaxFinds);

        merge.Add(new Region(7000, 0, 40, 40), [Find(0.9, 7010), Find(0.1, 7020)]);

        // Nothing is a double of another at 1, so all that may be told is told, and the best is among it.
        var left = merge.Merge(1);
        (left.Count, left[0].Confidence, left.Count(d => d.Box.X1 == 7020)).ShouldBe((300, 0.9, 0));
    }

    [Fact]
    public void A_run_that_nobody_wants_any_more_ends_within_the_model()
    {
        using var file = new ModelFile([]);
        PatchModel.Write(file.Path, work: 400);
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        using var unwanted = new CancellationTokenSource();
        var seen = new List<double>();
        // The first of the parts is done; the next one is in the middle of its work then. A thread of its own, as a timer waits for one.
        var progress = new Told(done =>
        {
            seen.Add(done);
            if (seen.Count == 1)
                new Thread(CancelSoon).Start();
        });
        void CancelSoon()
        {
            unwanted.Token.WaitHandle.WaitOne(50);
            unwanted.Cancel();
        }

        var ended = Should.Throw<OperationCanceledException>(() => model.Run(TestPictures.Png(256, 256), new VisionParameters { Tile = 128 }, progress, unwanted.Token));

        seen.Count.ShouldBe(1);
        ended.InnerException.ShouldBeOfType<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>();
        // The model is as good as before.
        model.Run(TestPictures.Png(64, 64), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldNotBeEmpty();
    }

    private sealed class Told(Action<double> then) : IProgress<double>
    {
        public void Report(double value) => then(value);
    }

    [Fact]
    public void Only_the_region_is_looked_at()
    {
        using var model = Load(Spots());
        var picture = Squares(256, 256, 8, [(20, 20), (136, 136)]);

        var found = model.Run(picture, Sure with { Region = new Region(128, 128, 32, 32) }).Result;
        var tiled = model.Run(picture, Sure with { Region = new Region(0, 0, 128, 128), Tile = 32 }).Result;

        found.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(136, 136, 144, 144));
        (found.Width, found.Height).ShouldBe((256, 256));
        tiled.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(20, 20, 28, 28));
    }

    [Fact]
    public void A_region_that_reaches_beyond_the_picture_ends_with_it()
    {
        using var model = Load(Spots());

        model.Run(Squares(256, 256, 8, [(240, 240)]), Sure with { Region = new Region(224, 224, 1000, 1000) }).Result.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(240, 240, 248, 248));
    }

    [Theory]
    [InlineData(256, 0, 10, 10)]
    [InlineData(0, 256, 10, 10)]
    [InlineData(-1, 0, 10, 10)]
    [InlineData(0, 0, 0, 10)]
    public void A_region_outside_is_refused(int x, int y, int width, int height)
    {
        using var model = Load(Spots());

        var refusal = Should.Throw<SpotterException>(() => model.Run(TestPictures.Png(256, 256), new VisionParameters { Region = new Region(x, y, width, height) }));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldBe($"The region {x},{y},{width},{height} lies outside the picture of 256 x 256 pixels; give one that lies in it.");
    }

    [Fact]
    public void Too_many_tiles_are_refused()
    {
        var refusal = Should.Throw<SpotterException>(() => Tiling.Tiles(new Region(0, 0, 20_000, 20_000), 64, 0.2));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldBe("Tiles of 64 pixels would be 153664 for this picture; at most 1024 are looked at, so choose larger ones or a region.");
    }

    [Theory]
    [InlineData(1000, 700, 640, 0.2)]
    [InlineData(641, 640, 640, 0.2)]
    [InlineData(640, 640, 640, 0.2)]
    [InlineData(10, 3000, 640, 0)]
    [InlineData(3000, 2000, 320, 0.7)]
    public void Tiles_cover_everything_and_overlap_enough(int width, int height, int edge, double overlap)
    {
        var tiles = Tiling.Tiles(new Region(7, 9, width, height), edge, overlap);

        var rows = tiles.Select(t => (From: t.Y, To: t.Y + t.Height)).Distinct().Order().ToList();
        var columns = tiles.Select(t => (From: t.X, To: t.X + t.Width)).Distinct().Order().ToList();
        tiles.Count.ShouldBe(rows.Count * columns.Count);
        foreach (var (spans, start, end) in (IEnumerable<(List<(int From, int To)>, int, int)>)[(rows, 9, 9 + height), (columns, 7, 7 + width)])
        {
            (spans[0].From, spans[^1].To).ShouldBe((start, end));
            foreach (var (before, after) in spans.Zip(spans.Skip(1)))
                (before.To - after.From).ShouldBeGreaterThanOrEqualTo((int)(overlap * edge) - 1);
            spans.ShouldAllBe(span => span.To - span.From == Math.Min(edge, end - start));
        }
    }

    private static VisionModel Turned(float[] box, float angle) => Load(Taking(1, 3, 32, 32).Note("task", "obb").Note("names", "['ship']")
        .Output("output0", new Grid(1, 6, 21).Column(4, 0, [.. box, 0.9f, angle])));

    /// <summary>
    /// A detector of white squares of 8 pixels, for 32 x 32: as sure as a square is brighter than what is around it, where
    /// it is surer than anywhere near by.
    /// </summary>
    private static TestGraph Spots()
    {
        const int steps = 25, all = steps * steps, wide = 12;
        var rows = new Grid(1, all, 4);
        for (var i = 0; i < all; i++)
            rows.Put(i, 0, i % steps, i / steps, (i % steps) + 8, (i / steps) + 8);
        var weights = new Grid(1, 3, wide, wide);
        for (var i = 0; i < weights.Numbers.Length; i++)
            weights.Numbers[i] = i % wide is >= 2 and < 10 && i / wide % wide is >= 2 and < 10 ? 1 / (3 * 64f) : -1 / (3 * 80f);
        return Taking(1, 3, 32, 32).Note("names", "['square']")
            .Constant("weights", weights.Shape, weights.Numbers)
            .Node("Conv", ["images", "weights"], ["level"], ("pads", Ints(2, 2, 2, 2)))
            .Node("MaxPool", ["level"], ["most"], ("kernel_shape", Ints(9, 9)), ("pads", Ints(4, 4, 4, 4)))
            .Node("Equal", ["level", "most"], ["is_peak"]).Node("Cast", ["is_peak"], ["peak"], ("to", Float32)).Node("Mul", ["level", "peak"], ["peaks"])
            .Constant("column", [3], [1, all, 1], TestGraph.Int64).Node("Reshape", ["peaks", "column"], ["scores"])
            .Constant("rows", rows.Shape, rows.Numbers).Constant("classes", [1, all, 1], new float[all])
            .Node("Concat", ["rows", "scores", "classes"], ["output0"], ("axis", 2)).Output("output0", Float32, 1, all, 6);
    }

    private static byte[] Squares(int width, int height, int edge, (int X, int Y)[] squares)
    {
        var pixels = new byte[width * height * 3];
        foreach (var (x, y) in squares)
        {
            for (var row = y; row < Math.Min(height, y + edge); row++)
                pixels.AsSpan(((row * width) + x) * 3, Math.Min(edge, width - x) * 3).Fill(255);
        }
        return TestPictures.Png(pixels, width, height);
    }

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
