using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>
/// Masks of a model for 160 x 160 whose one prototype that counts is the height of a landscape, so that the true mask of a picture
/// can be computed from a formula, pixel by pixel, without any of the code that is tested.
/// </summary>
public sealed class MaskTests
{
    private const int Edge = 160;
    private const int Cells = 40;

    /// <summary>How far inside a shape a point of the input is; below 0 outside of it.</summary>
    private delegate double Shape(double x, double y);

    private static readonly Dictionary<string, (Shape Inside, float[] Box)> Shapes = new(StringComparer.Ordinal)
    {
        ["circle"] = ((x, y) => 40 - Distance(x, y, 80, 80), [80, 80, 100, 100]),
        ["ring"] = ((x, y) => 16 - Math.Abs(Distance(x, y, 80, 80) - 36), [80, 80, 120, 120]),
        ["two pieces"] = ((x, y) => Math.Max(18 - Distance(x, y, 50, 70), 25 - Distance(x, y, 110, 90)), [80, 80, 140, 100]),
        ["at the border"] = ((x, y) => 50 - Distance(x, y, 10, 20), [30, 35, 120, 120]),
        ["all of it"] = ((_, _) => 1, [80, 80, 160, 160]),
        ["cut off by its box"] = ((_, _) => 1, [80, 80, 60, 40]),
    };

    public static TheoryData<string, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int>();
            foreach (var shape in Shapes.Keys)
            {
                foreach (var (width, height) in ((int, int)[])[(160, 160), (80, 80), (640, 480), (300, 700), (1999, 1501), (37, 53)])
                    cases.Add(shape, width, height);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_mask_is_what_the_formula_says(string shape, int width, int height)
    {
        using var model = Load(shape);

        var found = model.Run(TestPictures.Png(new byte[width * height * 3], width, height), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        Check(found, Truth(shape, width, height), width, height);
    }

    [Fact]
    public void A_picture_that_is_turned_has_its_mask_upright()
    {
        var stored = TestPictures.WithExif(TestPictures.Jpeg(240, 120), orientation: 6);
        using var model = Load("two pieces");

        var found = model.Run(stored, new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        Check(found, Truth("two pieces", 120, 240), 120, 240);
    }

    [Fact]
    public void A_region_has_its_mask_in_the_whole_picture()
    {
        using var model = Load("circle");

        var found = model.Run(TestPictures.Png(400, 300), new VisionParameters { Region = new Region(200, 100, 160, 160) }).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        var part = Truth("circle", 160, 160);
        var truth = new bool[400 * 300];
        for (var y = 0; y < 160; y++)
            Array.Copy(part, y * 160, truth, ((y + 100) * 400) + 200, 160);
        Check(found, truth, 400, 300);
    }

    [Fact]
    public void Pieces_are_polygons_of_their_own_and_holes_are_none()
    {
        using var pieces = Load("two pieces");
        using var ring = Load("ring");
        var picture = TestPictures.Png(new byte[320 * 320 * 3], 320, 320);

        pieces.Run(picture, new VisionParameters()).Result.Detections![0].Mask!.Polygons.Select(p => Math.Round(Area(p) / 1000)).ShouldBe([8, 4]);
        var outer = ring.Run(picture, new VisionParameters()).Result.Detections![0].Mask!;
        Area(outer.Polygons.ShouldHaveSingleItem()).ShouldBe(Math.PI * 104 * 104, 34000 * 0.02);
        ((double)Pixels(outer.Rle).Count(inside => inside)).ShouldBe(Math.PI * ((104 * 104) - (40 * 40)), 29000 * 0.02);
    }

    [Fact]
    public void A_mask_of_nothing_is_empty()
    {
        using var model = Load((_, _) => -1, [80, 80, 40, 40]);

        var mask = model.Run(TestPictures.Png(100, 80), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Mask.ShouldNotBeNull();

        mask.Polygons.ShouldBeEmpty();
        mask.Rle.Counts.ShouldBe([100 * 80]);
    }

    [Fact]
    public void Coefficients_and_prototypes_are_multiplied_and_added_up()
    {
        // The left half by 3, the right half by -2, everywhere -1 by 1: inside where the sum is above 0, on the left.
        var prototypes = new Grid(1, 3, Cells, Cells);
        for (var y = 0; y < Cells; y++)
        {
            for (var x = 0; x < Cells; x++)
                prototypes.Put(((x < Cells / 2 ? 0 : 1) * Cells) + y, x, 1).Put((2 * Cells) + y, x, -1);
        }
        using var model = Load(prototypes, [80, 80, 160, 160], 3, -2, 1);

        var pixels = Pixels(model.Run(TestPictures.Png(160, 160), new VisionParameters()).Result.Detections![0].Mask!.Rle);

        for (var x = 0; x < 160; x++)
        {
            if (Math.Abs(x - 80) > 4)
                pixels[(77 * 160) + x].ShouldBe(x < 80, $"{x}");
        }
    }

    [Fact]
    public void Many_masks_of_a_large_picture_come_before_long()
    {
        var columns = new Grid(1, 4 + 1 + 2, 525);
        for (var i = 0; i < 30; i++)
            columns.Column(i, 0, 80 + (i % 6), 80 + (i / 6), 120, 120, 0.9f - (i * 0.01f), 1);
        using var file = new ModelFile(Taking(1, 3, Edge, Edge).Note("task", "segment").Note("names", "['thing']").Output("output0", columns).Output("output1", Landscape(Shapes["ring"].Inside)).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        var picture = TestPictures.Encode(new byte[4000 * 3000 * 3], 4000, 3000, 3, "jpegsave_buffer", ("Q", 50));

        var findings = model.Run(picture, new VisionParameters { Iou = 0.999 });

        findings.Result.Detections!.Count.ShouldBe(30);
        findings.Timings.PostMs.ShouldBeLessThan(60_000);
    }

    private static void Check(Detection found, bool[] truth, int width, int height)
    {
        var mask = found.Mask.ShouldNotBeNull();
        mask.Rle.Size.ShouldBe([height, width]);
        mask.Rle.Counts.Sum().ShouldBe(width * height);
        mask.Rle.Counts.Skip(1).ShouldAllBe(run => run > 0);
        var pixels = Pixels(mask.Rle);

        // The prototypes are a landscape of straight lines, so that only its border may be a little off.
        int both = 0, either = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            both += truth[i] && pixels[i] ? 1 : 0;
            either += truth[i] || pixels[i] ? 1 : 0;
        }
        either.ShouldBeGreaterThan(0);
        ((double)both / either).ShouldBeGreaterThan(either > 1000 ? 0.97 : 0.9);

        // What the polygons say, drawn another way: line by line. Holes are none of their business.
        var drawn = new bool[truth.Length];
        foreach (var polygon in mask.Polygons)
            Draw(polygon, drawn, width, height);
        var holes = Holes(pixels, width, height);
        var filled = pixels.Zip(holes, (inside, hole) => inside || hole).ToArray();
        var area = filled.Count(inside => inside);
        mask.Polygons.Sum(Area).ShouldBe(area, Math.Max(4, 0.02 * area));
        drawn.Zip(filled, (a, b) => a != b).Count(differs => differs).ShouldBeLessThan(Math.Max(8, (int)(0.02 * area) + (int)(0.1 * Math.Sqrt(area))));
        mask.Polygons.Select(Area).ShouldBeInOrder(SortDirection.Descending);
        foreach (var polygon in mask.Polygons)
        {
            polygon.Count.ShouldBeGreaterThanOrEqualTo(6);
            for (var i = 0; i < polygon.Count; i += 2)
                (polygon[i] >= 0 && polygon[i] <= width && polygon[i + 1] >= 0 && polygon[i + 1] <= height).ShouldBeTrue();
        }
    }

    private static bool[] Truth(string shape, int width, int height)
    {
        var (inside, box) = Shapes[shape];
        var scale = Math.Min((double)Edge / width, (double)Edge / height);
        double left = Math.Round((Edge - Math.Round(width * scale)) / 2 - 0.1), top = Math.Round((Edge - Math.Round(height * scale)) / 2 - 0.1);
        var truth = new bool[width * height];
        for (var i = 0; i < truth.Length; i++)
        {
            double x = (((i % width) + 0.5) * scale) + left, y = (((i / width) + 0.5) * scale) + top;
            truth[i] = Math.Abs(x - box[0]) <= box[2] / 2 && Math.Abs(y - box[1]) <= box[3] / 2 && inside(x, y) > 0;
        }
        return truth;
    }

    private static double Distance(double x, double y, double toX, double toY) => Math.Sqrt(((x - toX) * (x - toX)) + ((y - toY) * (y - toY)));

    /// <summary>Run lengths as COCO has them: down the first column, then down the next.</summary>
    private static bool[] Pixels(RunLengths runs)
    {
        int height = runs.Size[0], width = runs.Size[1], at = 0;
        var pixels = new bool[height * width];
        var inside = false;
        foreach (var run in runs.Counts)
        {
            for (var i = 0; i < run; i++, at++)
                pixels[(at % height * width) + (at / height)] = inside;
            inside = !inside;
        }
        return pixels;
    }

    /// <summary>What can't be reached from outside without crossing the mask.</summary>
    private static bool[] Holes(bool[] pixels, int width, int height)
    {
        var reached = new bool[pixels.Length];
        var open = new Stack<int>();
        for (var i = 0; i < pixels.Length; i++)
        {
            if (i % width == 0 || i % width == width - 1 || i < width || i >= pixels.Length - width)
                open.Push(i);
        }
        while (open.TryPop(out var at))
        {
            if (reached[at] || pixels[at])
                continue;
            reached[at] = true;
            if (at % width > 0)
                open.Push(at - 1);
            if (at % width < width - 1)
                open.Push(at + 1);
            if (at >= width)
                open.Push(at - width);
            if (at < pixels.Length - width)
                open.Push(at + width);
        }
        return [.. pixels.Select((inside, i) => !inside && !reached[i])];
    }

    private static double Area(IReadOnlyList<double> polygon)
    {
        double twice = 0;
        for (var i = 0; i < polygon.Count; i += 2)
        {
            var next = (i + 2) % polygon.Count;
            twice += (polygon[i] * polygon[next + 1]) - (polygon[next] * polygon[i + 1]);
        }
        return Math.Abs(twice) / 2;
    }

    private static void Draw(IReadOnlyList<double> polygon, bool[] onto, int width, int height)
    {
        for (var y = 0; y < height; y++)
        {
            var crossings = new List<double>();
            for (var i = 0; i < polygon.Count; i += 2)
            {
                var next = (i + 2) % polygon.Count;
                double y1 = polygon[i + 1], y2 = polygon[next + 1], middle = y + 0.5;
                if (y1 <= middle != y2 <= middle)
                    crossings.Add(polygon[i] + ((polygon[next] - polygon[i]) * (middle - y1) / (y2 - y1)));
            }
            crossings.Sort();
            for (var i = 0; i + 1 < crossings.Count; i += 2)
            {
                for (var x = Math.Max(0, (int)Math.Ceiling(crossings[i] - 0.5)); x < width && x + 0.5 < crossings[i + 1]; x++)
                    onto[(y * width) + x] = true;
            }
        }
    }

    private static Grid Landscape(Shape inside)
    {
        // A second one that nothing needs.
        var grid = new Grid(1, 2, Cells, Cells);
        for (var y = 0; y < Cells; y++)
        {
            for (var x = 0; x < Cells; x++)
                grid.Put(y, x, (float)inside((x + 0.5) * Edge / Cells, (y + 0.5) * Edge / Cells));
        }
        return grid;
    }

    [Fact]
    public void Masks_are_only_made_of_what_may_be_told_when_every_tile_is_full_of_finds()
    {
        // 525 finds in each tile, all as sure, with masks full of holes.
        var random = new Random(1);
        var prototypes = new Grid(1, 2, Cells, Cells);
        for (var y = 0; y < Cells; y++)
        {
            for (var x = 0; x < Cells; x++)
                prototypes.Put(y, x, random.NextSingle() - 0.5f);
        }
        var columns = new Grid(1, 4 + 1 + 2, 525);
        for (var i = 0; i < 525; i++)
            columns = columns.Column(i, 0, [20 + (i % 25 * 5), 20 + (i / 25 * 5), 60, 60, 0.9f, 1, 0]);
        using var file = new ModelFile(Taking(1, 3, Edge, Edge).Note("task", "segment").Note("names", "['thing']").Output("output0", columns).Output("output1", prototypes).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        var told = new List<double>();

        var result = model.Run(TestPictures.Png(2000, 1500), new VisionParameters { Confidence = 0, Iou = 1, Tile = 160 }, new Progress(told.Add)).Result;

        result.Detections!.Count.ShouldBe(300);
        told.Count.ShouldBeGreaterThan(150);
        told[^1].ShouldBe(1);
    }

    private sealed class Progress(Action<double> told) : IProgress<double>
    {
        public void Report(double value) => told(value);
    }

    private static VisionModel Load(string shape) => Load(Shapes[shape].Inside, Shapes[shape].Box);

    private static VisionModel Load(Shape inside, float[] box) => Load(Landscape(inside), box, 1, 0);

    private static VisionModel Load(Grid prototypes, float[] box, params float[] coefficients)
    {
        // 20 x 20, 10 x 10 and 5 x 5 cells.
        var columns = new Grid(1, 4 + 1 + coefficients.Length, 525).Column(3, 0, [.. box, 0.9f, .. coefficients]);
        using var file = new ModelFile(Taking(1, 3, Edge, Edge).Note("task", "segment").Note("names", "['thing']").Output("output0", columns).Output("output1", prototypes).ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
