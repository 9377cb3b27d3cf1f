using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Images;
using Spotter.Vision.Results;

namespace Spotter.Tests.Vision;

/// <summary>Outlines of classes of pixels, and how they are drawn.</summary>
public sealed unsafe class RegionTests
{
    [Fact]
    public void A_hole_is_not_tinted()
    {
        using var canvas = new Canvas(400, 400);
        new Span<byte>(canvas.Pixels, 400 * 400 * 3).Fill(120);
        var region = new ClassRegion("lake", 1, 0.5, new Box(50, 50, 350, 350))
        {
            Polygons = [[50, 50, 350, 50, 350, 350, 50, 350]],
            Holes = [[150, 150, 250, 150, 250, 250, 150, 250]],
        };

        RegionPainter.Paint(canvas, [region]);

        At(200, 200).ShouldBe([120, 120, 120]);
        At(10, 390).ShouldBe([120, 120, 120]);
        At(300, 200).ShouldNotBe([120, 120, 120]);
        At(300, 200).ShouldBe(At(100, 200));

        byte[] At(int x, int y) => new Span<byte>(canvas.Row(y) + (x * 3), 3).ToArray();
    }

    [Fact]
    public void The_outline_of_noise_becomes_coarser()
    {
        // Teeth of a comb, each with four corners: 12,000 of them.
        const int Width = 6000, Height = 9;
        var pixels = new byte[Width * Height];
        for (var x = 0; x < Width; x++)
        {
            for (var y = x % 2 == 0 ? 0 : Height - 1; y < Height; y++)
                pixels[(y * Width) + x] = Bitmap.Inside;
        }

        var outlines = Outlines.Trace(new Bitmap(pixels, 0, 0, Width, Height), 0.75);

        outlines.ShouldNotBeEmpty();
        outlines.ShouldAllBe(outline => outline.Count <= 2 * 5000);
    }
}
