using FsCheck;
using FsCheck.Fluent;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines.Annotate;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Images;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>What is redacted is gone: what is painted depends on a few means, and on nothing else of what was there.</summary>
public sealed class RedactionTests
{
    private const int Width = 90;
    private const int Height = 70;

    private static readonly VisionResult Found = new()
    {
        Width = Width, Height = Height,
        Detections = [new Detection("face", 0, 0.9, new Box(10, 10, 40, 50)), new Detection("face", 0, 0.3, new Box(50, 20, 80, 60)), new Detection("car", 1, 0.8, new Box(0, 0, 8, 8))],
    };

    private static Gen<Box> AnyBox =>
        from x in Gen.Choose(-20, 1000)
        from y in Gen.Choose(-20, 800)
        from w in Gen.Choose(0, 1200)
        from h in Gen.Choose(0, 1000)
        select new Box(x / 10.0, y / 10.0, (x + w) / 10.0, (y + h) / 10.0);

    private static Gen<((Box Box, int Seed) Sample, RedactionKind Kind)> Cases =>
        Gen.Zip(Gen.Zip(AnyBox, Gen.Choose(0, int.MaxValue)), Gen.Elements(RedactionKind.Blur, RedactionKind.Pixelate, RedactionKind.Fill));

    [Fact]
    public void Outside_nothing_changes_and_inside_the_box_nothing_stays() => Check.QuickThrowOnFailure(Prop.ForAll(
        Cases.ToArbitrary(),
        sample =>
        {
            var ((box, seed), kind) = sample;
            var before = Noise(seed);
            var after = Hidden(before, [box], kind);
            var area = Redaction.AreaOf(box, Width, Height);
            // The area covers the whole box, as far as it lies in the picture.
            var covers = area.X <= Math.Max(0, box.X1) && area.Y <= Math.Max(0, box.Y1)
                && area.X + area.Width >= Math.Min(Width, box.X2) && area.Y + area.Height >= Math.Min(Height, box.Y2);
            var outside = Pixels().Where(p => !IsIn(area, p)).All(p => At(before, p).SequenceEqual(At(after, p)));
            var filled = kind != RedactionKind.Fill || Pixels().Where(p => IsIn(area, p)).All(p => At(after, p).SequenceEqual(new byte[] { Colour.Ink.Red, Colour.Ink.Green, Colour.Ink.Blue }));
            return covers && outside && filled;
        }));

    [Fact]
    public void What_is_painted_says_nothing_of_the_detail_that_was_there() => Check.QuickThrowOnFailure(Prop.ForAll(
        Cases.ToArbitrary(),
        sample =>
        {
            var ((box, seed), kind) = sample;
            var area = Redaction.AreaOf(box, Width, Height);
            if (area is not { Width: > 0, Height: > 0 })
                return true;
            var (columns, rows) = Redaction.CellsOf(area);
            var one = Noise(seed);
            // Another picture altogether, which has the same colours in each cell, in another order.
            var other = (byte[])one.Clone();
            foreach (var cell in Pixels().Where(p => IsIn(area, p)).GroupBy(p => ((p.X - area.X) * columns / area.Width, (p.Y - area.Y) * rows / area.Height)))
            {
                var all = cell.ToList();
                for (var i = 0; i < all.Count; i++)
                    At(one, all[i]).CopyTo(other.AsSpan(((all[^(i + 1)].Y * Width) + all[^(i + 1)].X) * 3, 3));
            }
            return columns <= 6 && rows <= 6
                && Hidden(one, [box], kind).SequenceEqual(Hidden(other, [box], kind));
        }));

    [Theory]
    [InlineData(RedactionKind.Blur)]
    [InlineData(RedactionKind.Pixelate)]
    [InlineData(RedactionKind.Fill)]
    public void A_pattern_leaves_no_trace(RedactionKind kind)
    {
        // Text is a pattern of light and dark within a few pixels: what is left of it is flat.
        var before = new byte[Width * Height * 3];
        foreach (var p in Pixels())
            before.AsSpan(((p.Y * Width) + p.X) * 3, 3).Fill((byte)((p.X / 2 % 2) == 0 ? 20 : 235));

        var after = Hidden(before, [new Box(0, 0, Width, Height)], kind);

        var values = Pixels().Select(p => (double)At(after, p)[0]).ToList();
        (values.Max() - values.Min()).ShouldBeLessThan(30);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void What_is_drawn_later_hides_all_that_was_found_however_little_is_asked_for(double confidence)
    {
        var parameters = RawJson.Of(new VisionParameters { Redact = ["face"], RedactWith = RedactionKind.Fill }, VisionJson.Default.VisionParameters);
        var order = AnnotateEngine.Parameters(RawJson.Of(Found, VisionJson.Default.VisionResult), confidence, parameters);

        System.Text.Encoding.UTF8.GetString(order.Utf8.Span).ShouldContain("\"redacted\":[{\"x1\":10,\"y1\":10,\"x2\":40,\"y2\":50},{\"x1\":50,\"y1\":20,\"x2\":80,\"y2\":60}],\"redactWith\":\"fill\"");
    }

    [Fact]
    public void A_picture_is_redacted_the_same_whether_it_is_drawn_at_once_or_later()
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Note("names", "['face', 'car']").Output("output0", new Grid(1, 6, 21).Column(0, 0, 16, 16, 20, 20, 0.9f, 0)).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        var options = new VisionParameters { Annotate = true, Redact = ["face"], RedactWith = RedactionKind.Fill };
        byte[][] pictures = [TestPictures.Png(Noise(1), Width, Height), TestPictures.Png(Noise(2), Width, Height)];

        using var first = model.Run(pictures[0], options);
        using var second = model.Run(pictures[1], options);
        using var later = Annotator.Draw(pictures[0], first.Result, new ImageLimits(), DrawOptions.Of(options, first.Result));

        // The two pictures differ in each pixel, but around the box: their middles are the same then, labels and all.
        later.Bytes.ToArray().ShouldBe(first.Annotated.ToArray());
        var (one, two) = (Decoded(first.Annotated), Decoded(second.Annotated));
        var middle = Pixels().Where(p => p.X is > 30 and < 60 && p.Y is > 30 and < 40).ToList();
        middle.Count(p => !At(one, p).SequenceEqual(At(two, p))).ShouldBe(0);
    }

    private static byte[] Noise(int seed)
    {
        var pixels = new byte[Width * Height * 3];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    private static unsafe byte[] Hidden(byte[] pixels, IReadOnlyList<Box> boxes, RedactionKind kind)
    {
        using var canvas = new Canvas(Width, Height);
        pixels.CopyTo(new Span<byte>(canvas.Pixels, pixels.Length));
        Redaction.Hide(canvas, boxes, kind);
        return new Span<byte>(canvas.Pixels, pixels.Length).ToArray();
    }

    private static unsafe byte[] Decoded(ReadOnlyMemory<byte> encoded)
    {
        using var picture = Picture.Open(encoded, new ImageLimits());
        using var canvas = Canvas.Decode(picture);
        return new Span<byte>(canvas.Pixels, canvas.Width * canvas.Height * 3).ToArray();
    }

    private static IEnumerable<(int X, int Y)> Pixels() => Enumerable.Range(0, Width * Height).Select(i => (i % Width, i / Width));

    private static bool IsIn(Region area, (int X, int Y) pixel) =>
        pixel.X >= area.X && pixel.X < area.X + area.Width && pixel.Y >= area.Y && pixel.Y < area.Y + area.Height;

    private static Span<byte> At(byte[] pixels, (int X, int Y) pixel) => pixels.AsSpan(((pixel.Y * Width) + pixel.X) * 3, 3);
}
