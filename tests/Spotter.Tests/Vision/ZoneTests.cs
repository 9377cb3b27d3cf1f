using FsCheck;
using FsCheck.Fluent;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Results;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

public sealed class ZoneTests
{
    // Few places, so that points lie on sides and corners, sides on each other, and polygons fall into lines.
    private static Gen<Spotter.Vision.Point> Place =>
        from x in Gen.Choose(0, 8)
        from y in Gen.Choose(0, 8)
        select new Spotter.Vision.Point(x, y);

    [Fact]
    public void A_polygon_holds_what_a_slow_reference_says() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Place.ListOf(), Place).Where(s => s.Item1.Count >= 3).ToArbitrary(),
        sample => ZoneCount.Holds([.. sample.Item1], sample.Item2) == Reference([.. sample.Item1], sample.Item2)));

    [Fact]
    public void Where_the_polygon_begins_and_which_way_it_goes_does_not_matter() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Place.ListOf(), Place).Where(s => s.Item1.Count >= 3).ToArbitrary(),
        sample =>
        {
            List<Spotter.Vision.Point> polygon = [.. sample.Item1];
            var expected = ZoneCount.Holds(polygon, sample.Item2);
            return ZoneCount.Holds([.. polygon.Skip(1), polygon[0]], sample.Item2) == expected
                && ZoneCount.Holds([.. Enumerable.Reverse(polygon)], sample.Item2) == expected;
        }));

    [Fact]
    public void An_object_is_where_it_stands()
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Note("names", "['person', 'bus']").Output("output0", new Grid(1, 6, 21)
            .Column(0, 0, 8, 8, 8, 8, 0.9f, 0).Column(1, 0, 24, 8, 8, 8, 0.8f, 0).Column(2, 0, 8, 26, 8, 8, 0, 0.7f)).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        // The first stands on its lower side at (8, 12); of the bus only the upper part is in it.
        var left = new Zone("left", [new(0, 4), new(16, 4), new(16, 12), new(0, 12)]);
        var all = new Zone("all", [new(0, 0), new(32, 0), new(32, 32), new(0, 32)]);
        var nowhere = new Zone("nowhere", [new(40, 40), new(50, 40), new(50, 50)]);

        var result = model.Run(TestPictures.Png(32, 32), new VisionParameters { Zones = [left, all, nowhere] }).Result;

        result.Detections!.Select(d => (d.Label, string.Join(' ', d.Zones!))).ShouldBe([("person", "left all"), ("person", "all"), ("bus", "all")]);
        result.Zones!.Select(z => (z.Key, string.Join(' ', z.Value.Select(c => $"{c.Key}={c.Value}")))).ShouldBe([("left", "person=1"), ("all", "person=2 bus=1"), ("nowhere", "")]);
        model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Zones.ShouldBeNull();
    }

    [Fact]
    public void Zones_are_drawn()
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Note("names", "['person']").Output("output0", new Grid(1, 5, 21)).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        var (picture, options) = (TestPictures.Png(200, 200), new VisionParameters { Annotate = true });

        using var plain = model.Run(picture, options);
        using var marked = model.Run(picture, options with { Zones = [new Zone("door", [new(20, 20), new(180, 20), new(100, 180)])] });

        marked.Annotated.Span.SequenceEqual(plain.Annotated.Span).ShouldBeFalse();
    }

    /// <summary>On a side, or enclosed by an odd number of turns: counted with whole numbers along a line that meets no corner.</summary>
    private static bool Reference(List<Spotter.Vision.Point> polygon, Spotter.Vision.Point point)
    {
        var crossings = 0;
        for (var i = 0; i < polygon.Count; i++)
        {
            var (a, b) = (polygon[i], polygon[(i + 1) % polygon.Count]);
            for (var step = 0; step <= 5040; step++)
            {
                // Along a side between corners of a grid of 8, any point of the grid is at one of these steps.
                if (((a.X * (5040 - step)) + (b.X * step)) == point.X * 5040 && ((a.Y * (5040 - step)) + (b.Y * step)) == point.Y * 5040)
                    return true;
            }
            // Half a step lower no corner lies, and the side is met within its ends or not at all. A point that is on no side is far enough from all of them.
            var y = point.Y + 0.0001;
            if (Math.Min(a.Y, b.Y) < y && Math.Max(a.Y, b.Y) > y && a.X + ((b.X - a.X) * (y - a.Y) / (b.Y - a.Y)) > point.X)
                crossings++;
        }
        return crossings % 2 == 1;
    }
}
