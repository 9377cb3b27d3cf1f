using FsCheck;
using FsCheck.Fluent;
using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Tests.Vision;

/// <summary>From maps of probabilities to boxes, without a model.</summary>
public sealed class TextMapTests
{
    private const int Edge = 960;

    [Fact]
    public void All_ones_are_one_region_and_all_zeros_none()
    {
        var ones = new float[Edge * Edge];
        Array.Fill(ones, 1);

        var all = Read(ones, Edge).Span[0];
        ((all.X1 + all.X2) / 2, (all.Y1 + all.Y2) / 2, all.Score).ShouldBe((Edge / 2f, Edge / 2f, 1));
        Read(new float[Edge * Edge], Edge).Count.ShouldBe(0);
        Read([], Edge).Count.ShouldBe(0);
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 90, 0)]
    [InlineData(3, 3, 1)]
    public void What_is_thinner_than_three_pixels_is_no_text(int width, int height, int found)
    {
        var map = new float[100 * 100];
        for (var y = 5; y < 5 + height; y++)
            map.AsSpan((y * 100) + 40, width).Fill(0.9f);

        Read(map, 100).Count.ShouldBe(found);
    }

    [Theory]
    [InlineData(0.59f, 0.25f, 0)]
    [InlineData(0.61f, 0.25f, 1)]
    [InlineData(0.61f, 0.7f, 0)]
    [InlineData(float.NaN, 0.25f, 0)]
    public void A_region_is_as_sure_as_its_mean(float value, float confidence, int found)
    {
        var map = new float[100 * 100];
        for (var y = 20; y < 40; y++)
            map.AsSpan((y * 100) + 10, 60).Fill(value);

        Read(map, 100, confidence).Count.ShouldBe(found);
    }

    [Fact]
    public void A_million_regions_cost_no_more_than_the_thousand_that_are_looked_at()
    {
        // Squares of 3 x 3, a pixel apart, on a map that is larger than any that is asked for.
        const int edge = 4000;
        var map = new float[edge * edge];
        for (var i = 0; i < map.Length; i++)
            map[i] = i % edge % 4 < 3 && i / edge % 4 < 3 ? 1 : 0;

        Read(map, edge).Count.ShouldBe(1000);
    }

    [Fact]
    public void Lines_that_cross_the_whole_map_cost_what_they_cover()
    {
        // Nested angles: the box around each is nearly the whole map.
        var map = new float[Edge * Edge];
        for (var i = 0; i < map.Length; i++)
            map[i] = Math.Min(i % Edge, i / Edge) % 2 == 0 ? 1 : 0;

        // Half of what each covers is text, so none is sure enough; the innermost are squares of a few pixels.
        Read(map, Edge).Count.ShouldBeLessThan(10);
    }

    [Fact]
    public void Regions_that_touch_at_a_corner_are_one()
    {
        var map = new float[20 * 20];
        for (var y = 2; y < 8; y++)
        {
            map.AsSpan((y * 20) + 2, 6).Fill(1);
            map.AsSpan(((y + 6) * 20) + 8, 6).Fill(1);
        }

        MapRegions.Of(map, 20, 0.3f, 3, 10).ShouldHaveSingleItem().Sum(r => r.To - r.From + 1).ShouldBe(72);
    }

    [Fact]
    public void Logits_are_read_as_probabilities()
    {
        var map = new float[100 * 100];
        Array.Fill(map, -9);
        for (var y = 20; y < 40; y++)
            map.AsSpan((y * 100) + 10, 60).Fill(1); // 0.73

        var into = new Candidates();
        TextRegions.Read(map, 100, Activation.Sigmoid, 0.25f, into);

        into.Span[0].Score.ShouldBe(0.731f, 0.001f);
    }

    [Fact]
    public void The_smallest_rectangle_holds_all_of_a_region() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Gen.Zip(Gen.Choose(4, 60), Gen.Choose(3, 30)), Gen.Choose(0, 179)).ToArbitrary(),
        sample =>
        {
            var ((length, thickness), degrees) = sample;
            var (sine, cosine) = Math.SinCos(degrees * Math.PI / 180);
            var map = new float[128 * 128];
            for (var i = 0; i < map.Length; i++)
            {
                double x = (i % 128) + 0.5 - 64, y = (i / 128) + 0.5 - 64;
                map[i] = Math.Abs((x * cosine) + (y * sine)) <= length && Math.Abs((y * cosine) - (x * sine)) <= thickness ? 1 : 0;
            }
            var region = MapRegions.Of(map, 128, 0.3f, 3, 1)[0];
            var found = TurnedRectangle.Around(region);
            var (turnedSine, turnedCosine) = Math.SinCos(found.Angle);
            var isInside = region.TrueForAll(run => new[] { run.From, run.To }.All(x =>
            {
                double fromX = x + 0.5 - found.X, fromY = run.Y + 0.5 - found.Y;
                return Math.Abs((fromX * turnedCosine) + (fromY * turnedSine)) <= (found.Width / 2) + 1e-6 && Math.Abs((fromY * turnedCosine) - (fromX * turnedSine)) <= (found.Height / 2) + 1e-6;
            }));
            return isInside && found.Width * found.Height <= ((2 * length) + 2) * ((2 * thickness) + 2) && found.MeanOf(map, 128) > 0.75;
        }));

    private static Candidates Read(float[] map, int width, float confidence = 0.25f)
    {
        var into = new Candidates();
        TextRegions.Read(map, width, Activation.None, confidence, into);
        return into;
    }
}
