using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Images;

namespace Spotter.Tests.Vision;

/// <summary>What is drawn besides upright boxes.</summary>
public sealed class DrawingTests
{
    private static readonly (int Red, int Green, int Blue) Grey = (90, 90, 90);

    [Fact]
    public void A_mask_shines_through_and_has_an_outline()
    {
        // The lower right quarter but for a hole in it.
        var pixels = new bool[400 * 300];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = i % 400 >= 200 && i / 400 >= 150 && !(i % 400 is >= 280 and < 320 && i / 400 is >= 200 and < 250);
        var mask = new Mask([[200, 150, 400, 150, 400, 300, 200, 300]], Runs(pixels, 400, 300));
        var found = new Detection("cat", 0, 0.9, new Box(200, 150, 400, 300)) { Mask = mask };

        var drawn = Draw(400, 300, new VisionResult { Width = 400, Height = 300, Detections = [found] });

        // Two fifths of green over grey; the hole and the rest are as they were.
        Near(drawn(240, 270), (54, 134, 87));
        Near(drawn(300, 225), Grey);
        Near(drawn(100, 200), Grey);
        Near(drawn(300, 150), (0, 200, 83));
    }

    [Fact]
    public void Pixels_of_a_mask_are_drawn_once_however_its_runs_cross_columns()
    {
        var whole = new Mask([], new RunLengths([150, 200], [0, 150 * 200]));

        var drawn = Draw(200, 150, new VisionResult { Width = 200, Height = 150, Detections = [new Detection("", 0, 0.9, new Box(0, 0, 0, 0)) { Mask = whole }] });

        foreach (var (x, y) in ((int, int)[])[(100, 75), (198, 50), (199, 149), (5, 149)])
            Near(drawn(x, y), (54, 134, 87));
    }

    [Theory]
    [InlineData(40, 30, 5, 1_000_000)]
    [InlineData(40, 30, -5, 10)]
    [InlineData(400, 300, 0, 120_000)]
    public void A_mask_that_does_not_fit_does_no_harm(int width, int height, int skip, int length) =>
        Draw(40, 30, new VisionResult { Width = 40, Height = 30, Detections = [new Detection("x", 0, 0.9, new Box(1, 1, 9, 9)) { Mask = new Mask([[1, 2], [], [double.NaN, 2, 1e300, 5, 3, 4]], new RunLengths([height, width], [skip, length])) }] })(20, 20);

    [Fact]
    public void A_turned_box_is_drawn_as_it_lies()
    {
        // A square on its corner.
        var box = new OrientedBox(150, 150, 141.4, 141.4, 45, [new(150, 50), new(250, 150), new(150, 250), new(50, 150)]);

        var drawn = Draw(300, 300, new VisionResult { Width = 300, Height = 300, Detections = [new Detection("ship", 1, 0.9, new Box(50, 50, 250, 250)) { Oriented = box }] });

        Near(drawn(200, 100), (41, 121, 255));
        Near(drawn(100, 200), (41, 121, 255));
        // Neither the upright box nor what lies inside is drawn.
        foreach (var (x, y) in ((int, int)[])[(150, 150), (52, 240), (248, 248), (52, 60)])
            Near(drawn(x, y), Grey);
    }

    [Fact]
    public void A_skeleton_joins_what_can_be_seen()
    {
        Keypoint[] points = [new("a", 60, 150, 0.9), new("b", 150, 60, 0.9), new("c", 240, 150, 0.1), new("d", 0, 0, null)];

        var drawn = Draw(300, 300, new VisionResult
        {
            Width = 300,
            Height = 300,
            Skeleton = [[0, 1], [1, 2], [0, 3], [2, 9]],
            Detections = [new Detection("person", 0, 0.9, new Box(20, 30, 280, 290)) { Keypoints = points }],
        });

        Near(drawn(60, 150), (255, 255, 255));
        Near(drawn(105, 105), (0, 200, 83));
        // The third point is not believed in, the fourth is nowhere.
        foreach (var (x, y) in ((int, int)[])[(240, 150), (195, 105), (30, 75)])
            Near(drawn(x, y), Grey);
    }

    [Fact]
    public void The_best_labels_stand_on_a_plate()
    {
        var drawn = Draw(640, 480, new VisionResult { Width = 640, Height = 480, Labels = [new Label("tabby", 2, 0.75), new Label("a very long name indeed", 3, 0.2)] });

        // A dark plate in the corner, and the picture beside it.
        drawn(2, 2).Red.ShouldBeLessThan(60);
        Near(drawn(600, 440), Grey);
        Near(drawn(630, 10), Grey);
        // A bar of three quarters, then the rest of it.
        var style = LabelStyle.For(640, 480, 1);
        var y = style.Padding + style.Line + 1;
        Enumerable.Range(0, 640).Count(x => Distance(drawn(x, y), (0, 200, 83)) < 90).ShouldBeGreaterThan(30);
        // White words.
        Enumerable.Range(0, 200 * style.Line).Count(i => Distance(drawn(i % 200, style.Padding + (i / 200)), (255, 255, 255)) < 60).ShouldBeGreaterThan(30);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(20, 400)]
    [InlineData(400, 12)]
    public void A_plate_fits_on_any_picture(int width, int height) =>
        Draw(width, height, new VisionResult { Width = width, Height = height, Labels = [.. Enumerable.Range(0, 50).Select(i => new Label($"label number {i}", i, 2 - i))] })(0, 0);

    private static RunLengths Runs(bool[] pixels, int width, int height)
    {
        var counts = new List<int> { 0 };
        var state = false;
        for (var x = 0; x < width; x++)
        {
            for (var y = 0; y < height; y++)
            {
                if (pixels[(y * width) + x] != state)
                {
                    counts.Add(0);
                    state = !state;
                }
                counts[^1]++;
            }
        }
        return new RunLengths([height, width], counts);
    }

    private static int Distance((int Red, int Green, int Blue) a, (int Red, int Green, int Blue) b) =>
        Math.Max(Math.Abs(a.Red - b.Red), Math.Max(Math.Abs(a.Green - b.Green), Math.Abs(a.Blue - b.Blue)));

    // JPEG keeps colour at half the resolution, so a thin line is a little off.
    private static void Near((int Red, int Green, int Blue) found, (int Red, int Green, int Blue) expected) =>
        Distance(found, expected).ShouldBeLessThan(70, $"{found} should be {expected}");

    private static unsafe Func<int, int, (int Red, int Green, int Blue)> Draw(int width, int height, VisionResult result)
    {
        var limits = new ImageLimits();
        using var drawn = Annotator.Draw(TestPictures.Png(TestPictures.Flat(width, height, (90, 90, 90)), width, height), result, limits);
        using var picture = Picture.Open(drawn.Bytes.ToArray(), limits);
        using var canvas = Canvas.Decode(picture);
        (canvas.Width, canvas.Height).ShouldBe((width, height));
        var pixels = new ReadOnlySpan<byte>(canvas.Pixels, canvas.Stride * canvas.Height).ToArray();
        return (x, y) => (pixels[((y * width) + x) * 3], pixels[(((y * width) + x) * 3) + 1], pixels[(((y * width) + x) * 3) + 2]);
    }
}
