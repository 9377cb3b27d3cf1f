using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Images;

namespace Spotter.Tests.Vision;

public sealed class AnnotatorTests
{
    private static readonly ImageLimits Limits = new();

    [Theory]
    [InlineData(200, 150)]
    [InlineData(1200, 800)]
    [InlineData(5000, 3000)]
    public void The_box_has_its_classs_colour_and_what_is_inside_stays(int width, int height)
    {
        var box = new Box(width * 0.2, height * 0.3, width * 0.8, height * 0.9);
        var drawn = Draw(Flat(width, height), Result(width, height, new Detection("dog", 16, 0.9, box)));

        var colour = Palette.Of(16);
        var stroke = LabelStyle.For(width, height, 1).Stroke;
        var middle = stroke / 2;
        Near(drawn.At((int)box.X1 + middle, height / 2), colour);
        Near(drawn.At((int)box.X2 - 1 - middle, height / 2), colour);
        Near(drawn.At(width / 2, (int)box.Y2 - 1 - middle), colour);
        Near(drawn.At(width / 2, height * 2 / 3), new Colour(90, 90, 90));
        Near(drawn.At(width / 20, height * 19 / 20), new Colour(90, 90, 90));
    }

    [Theory]
    [InlineData(200, 150)]
    [InlineData(1200, 800)]
    [InlineData(9000, 6000)]
    public void A_label_stands_on_its_box_and_can_be_read(int width, int height)
    {
        var box = new Box(width * 0.2, height * 0.5, width * 0.9, height * 0.9);
        var drawn = Draw(Flat(width, height), Result(width, height, new Detection("dog", 16, 0.9, box)));

        var style = LabelStyle.For(width, height, 1);
        var (ink, plate) = (Palette.Of(16).Contrast, Palette.Of(16));
        var (inked, plated) = drawn.Count((int)box.X1, (int)box.Y1 - style.Line, (int)box.X1 + (style.Font * 4), (int)box.Y1, ink, plate);
        var area = style.Line * style.Font * 4;
        style.Font.ShouldBeGreaterThanOrEqualTo(Math.Max(11, Math.Max(width, height) / 80));
        ((double)inked / area).ShouldBeInRange(0.05, 0.6);
        ((double)plated / area).ShouldBeGreaterThan(0.3);
    }

    [Fact]
    public void Labels_at_the_edges_stay_inside_the_picture()
    {
        foreach (var box in (Box[])[new(0, 0, 50, 40), new(250, 0, 300, 40), new(0, 160, 50, 200), new(250, 160, 300, 200), new(0, 0, 300, 200)])
        {
            var drawn = Draw(Flat(300, 200), Result(300, 200, new Detection("bicycle", 1, 0.5, box)));

            var style = LabelStyle.For(300, 200, 1);
            var (_, plated) = drawn.Count(0, 0, 300, 200, default, Palette.Of(1));
            plated.ShouldBeGreaterThan(style.Line * style.Font * 3, box.ToString());
        }
    }

    [Theory]
    [InlineData("<b>&amp;</b> & <")]
    [InlineData("Ünïcødé Ελληνικά кириллица")]
    [InlineData("日本語 😀")]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\u200f\0\n\r\t")]
    [InlineData("\uD800 alone")]
    public void Any_label_can_be_drawn(string label) =>
        Draw(Flat(300, 200), Result(300, 200, new Detection(label, 3, 0.5, new Box(50, 50, 200, 150)))).Width.ShouldBe(300);

    [Fact]
    public void A_label_longer_than_the_picture_is_cut_at_its_edge() =>
        Draw(Flat(120, 60), Result(120, 60, new Detection(new string('w', 5000), 3, 0.5, new Box(50, 20, 110, 50)))).Width.ShouldBe(120);

    [Theory]
    [InlineData(double.NaN, 0, 10, 10)]
    [InlineData(double.NegativeInfinity, -1e300, double.PositiveInfinity, 1e300)]
    [InlineData(50, 50, 10, 10)]
    [InlineData(500, 500, 600, 600)]
    [InlineData(99.9, 79.9, 100, 80)]
    public void Boxes_that_lie_elsewhere_do_no_harm(double x1, double y1, double x2, double y2) =>
        Draw(Flat(100, 80), Result(100, 80, new Detection("x", -7, 2, new Box(x1, y1, x2, y2)))).Width.ShouldBe(100);

    [Fact]
    public void A_picture_of_one_pixel_can_be_drawn_on() =>
        Draw(TestPictures.Png(1, 1), Result(1, 1, new Detection("speck", 0, 1, new Box(0, 0, 1, 1)))).Width.ShouldBe(1);

    [Fact]
    public void Nothing_but_pixels_is_in_the_annotated_picture()
    {
        var photo = TestPictures.WithExif(TestPictures.Jpeg(60, 40), orientation: 6);
        photo.AsSpan().IndexOf("Exif"u8).ShouldBeGreaterThan(0);

        var drawn = Bytes(photo, Result(40, 60, new Detection("cat", 15, 0.7, new Box(5, 5, 30, 50))));

        drawn.AsSpan().IndexOf("Exif"u8).ShouldBe(-1);
        drawn.AsSpan().IndexOf("ICC_PROFILE"u8).ShouldBe(-1);
        using var picture = Picture.Open(drawn, Limits);
        (picture.Width, picture.Height, picture.Orientation.Exif).ShouldBe((40, 60, 1));
    }

    [Fact]
    public void A_run_draws_when_it_is_asked_to()
    {
        using var detector = ModelFile.Load(TestModels.Columns(2, (16, 16, 10, 10, 1, 0.75f)), ("names", "['ant', 'bee']"));
        var png = Flat(320, 320);

        detector.Run(png, new VisionParameters()).Annotated.IsEmpty.ShouldBeTrue();
        var findings = detector.Run(png, new VisionParameters { Annotate = true });

        findings.Timings.EncodeMs.ShouldBeGreaterThan(0);
        using var again = Annotator.Draw(png, findings.Result, Limits);
        findings.Annotated.ToArray().ShouldBe(again.Bytes.ToArray());
    }

    private static byte[] Flat(int width, int height) => TestPictures.Png(TestPictures.Flat(width, height, (90, 90, 90)), width, height);

    private static VisionResult Result(int width, int height, params Detection[] detections) =>
        new() { Width = width, Height = height, Detections = detections };

    private static Drawn Draw(byte[] picture, VisionResult result) => new(Bytes(picture, result));

    private static byte[] Bytes(byte[] picture, VisionResult result)
    {
        using var drawn = Annotator.Draw(picture, result, Limits);
        return drawn.Bytes.ToArray();
    }

    private static void Near(Colour found, Colour expected)
    {
        // JPEG keeps colour at half the resolution, so a thin line is a little off.
        ((int)found.Red).ShouldBeInRange(expected.Red - 60, expected.Red + 60);
        ((int)found.Green).ShouldBeInRange(expected.Green - 60, expected.Green + 60);
        ((int)found.Blue).ShouldBeInRange(expected.Blue - 60, expected.Blue + 60);
    }

    private sealed unsafe class Drawn
    {
        private readonly byte[] pixels;

        public Drawn(byte[] jpeg)
        {
            jpeg.AsSpan(0, 3).ToArray().ShouldBe([0xFF, 0xD8, 0xFF]);
            using var picture = Picture.Open(jpeg, Limits);
            using var canvas = Canvas.Decode(picture);
            Width = canvas.Width;
            pixels = new ReadOnlySpan<byte>(canvas.Pixels, canvas.Stride * canvas.Height).ToArray();
        }

        public int Width { get; }

        public Colour At(int x, int y)
        {
            var at = ((y * Width) + x) * 3;
            return new Colour(pixels[at], pixels[at + 1], pixels[at + 2]);
        }

        public (int First, int Second) Count(int left, int top, int right, int bottom, Colour first, Colour second)
        {
            int firsts = 0, seconds = 0;
            for (var y = top; y < bottom; y++)
            {
                for (var x = left; x < right; x++)
                {
                    firsts += Distance(At(x, y), first) < 80 ? 1 : 0;
                    seconds += Distance(At(x, y), second) < 80 ? 1 : 0;
                }
            }
            return (firsts, seconds);
        }

        private static int Distance(Colour a, Colour b) =>
            Math.Max(Math.Abs(a.Red - b.Red), Math.Max(Math.Abs(a.Green - b.Green), Math.Abs(a.Blue - b.Blue)));
    }
}
