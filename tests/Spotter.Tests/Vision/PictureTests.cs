using System.Runtime.InteropServices;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Tests.Vision;

public sealed class PictureTests
{
    private static readonly ImageLimits Limits = new();

    [Fact]
    public void Rgb_is_decoded_as_it_is() =>
        Pixels(TestPictures.Png(37, 23)).ShouldBe(TestPictures.Pattern(37, 23, 3));

    [Fact]
    public void Webp_is_decoded_as_it_is() =>
        Pixels(TestPictures.WebP(37, 23)).ShouldBe(TestPictures.Pattern(37, 23, 3));

    [Fact]
    public void Grey_becomes_three_equal_bands() =>
        Pixels(TestPictures.Png(40, 20, 1)).ShouldBe(TestPictures.Pattern(40, 20, 1).SelectMany(g => new[] { g, g, g }).ToArray());

    [Fact]
    public void Sixteen_bits_keep_their_upper_eight() =>
        Pixels(TestPictures.Png16(40, 20)).ShouldBe(TestPictures.Pattern(40, 20, 3));

    [Theory]
    [InlineData(0, 0, 0, 0, 255, 255, 255)]
    [InlineData(0, 0, 0, 255, 35, 35, 35)] // black ink on paper is not the blackest black
    [InlineData(255, 0, 0, 0, 0, 165, 230)]
    [InlineData(0, 255, 255, 0, 230, 30, 40)]
    public void Inks_become_the_colours_that_they_print(byte c, byte m, byte y, byte k, int red, int green, int blue)
    {
        var pixels = Pixels(TestPictures.CmykJpeg(24, 16, c, m, y, k));

        ((int)pixels[150]).ShouldBeInRange(red - 40, red + 40);
        ((int)pixels[151]).ShouldBeInRange(green - 40, green + 40);
        ((int)pixels[152]).ShouldBeInRange(blue - 40, blue + 40);
    }

    [Fact]
    public void Of_an_animation_the_first_frame_counts()
    {
        var gif = TestPictures.AnimatedGif(30, 20, (255, 0, 0), (0, 0, 255));

        Pixels(gif).ShouldBe(TestPictures.Flat(30, 20, (255, 0, 0)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void A_turned_picture_stands_upright(int exif)
    {
        const int width = 64, height = 40;
        var upright = TestPictures.Pattern(width, height, 3);
        var (storedWidth, storedHeight, stored) = Store(upright, width, height, exif);
        var jpeg = TestPictures.WithExif(TestPictures.Encode(stored, storedWidth, storedHeight, 3, "jpegsave_buffer", ("Q", 100), ("subsample_mode", NetVips.Enums.ForeignSubsample.Off)), exif);

        using var picture = Picture.Open(jpeg, Limits);
        using var canvas = Canvas.Decode(picture);

        (picture.Width, picture.Height, canvas.Width, canvas.Height).ShouldBe((width, height, width, height));
        Difference(Copy(canvas), upright).ShouldBeLessThan(7);

        // The model's input is written from the rows as stored and must come out as from the upright picture.
        Difference(Input(jpeg), Input(TestPictures.Png(upright, width, height))).ShouldBeLessThan(0.03f);
    }

    [Theory]
    [InlineData(64, 40, 64, 40)] // as large as the input
    [InlineData(33, 21, 64, 40)] // enlarged
    [InlineData(640, 400, 64, 40)] // averaged in blocks, then linear
    [InlineData(1021, 637, 64, 40)]
    [InlineData(64, 1, 64, 1)]
    [InlineData(1, 300, 1, 64)]
    public void A_gradient_stays_a_gradient_at_any_size(int width, int height, int fitWidth, int fitHeight)
    {
        var input = Input(TestPictures.Png(width, height));
        var left = (64 - fitWidth) / 2;
        var top = (64 - fitHeight) / 2;

        for (var x = 0; x < fitWidth; x++)
        {
            var expected = Math.Clamp((x + 0.5) / fitWidth - (0.5 / width), 0, 1);
            ((double)input[((top + (fitHeight / 2)) * 64) + left + x]).ShouldBe(expected, 1.5 / Math.Min(width, 64) + 0.005);
        }
    }

    [Fact]
    public void Around_the_picture_there_is_grey()
    {
        var input = Input(TestPictures.Png(64, 32));

        input[..(16 * 64)].ShouldAllBe(v => v == 114 * (1 / 255f));
        input[((64 * 64) - (16 * 64))..(64 * 64)].ShouldAllBe(v => v == 114 * (1 / 255f));
        input[16 * 64].ShouldBeLessThan(0.05f);
    }

    [Fact]
    public void Shrinking_in_the_decoder_gives_what_shrinking_later_gives()
    {
        var jpeg = TestPictures.Jpeg(801, 555);
        using var picture = Picture.Open(jpeg, Limits);
        using var canvas = Canvas.Decode(picture);
        picture.ShrinkTo(64, 44);

        picture.Shrink.ShouldBe(8);
        picture.StoredWidth.ShouldBeInRange(100, 101);
        (picture.Width, picture.Height).ShouldBe((801, 555));
        var model = new InputSpec { Index = 0, Type = OrtPort.Float32, Width = 64, Height = 64 };
        var letterbox = Letterbox.Create(model, 801, 555);
        float[] shrunk = new float[3 * 64 * 64], whole = new float[3 * 64 * 64];
        using var writer = new InputWriter();
        writer.Write(picture, letterbox, model, MemoryMarshal.AsBytes(shrunk.AsSpan()));
        writer.Write(canvas, new Region(0, 0, 801, 555), letterbox, model, MemoryMarshal.AsBytes(whole.AsSpan()));
        Difference(shrunk, whole).ShouldBeLessThan(0.02f);
    }

    [Fact]
    public void Bgr_input_has_its_planes_the_other_way_round()
    {
        var png = TestPictures.Png(TestPictures.Flat(8, 8, (10, 20, 30)), 8, 8);
        var model = new InputSpec { Index = 0, Type = OrtPort.Float32, Width = 8, Height = 8, Bgr = true, Scale = 1 };
        using var picture = Picture.Open(png, Limits);
        using var writer = new InputWriter();
        var input = new float[3 * 64];

        writer.Write(picture, Letterbox.Create(model, 8, 8), model, MemoryMarshal.AsBytes(input.AsSpan()));

        (input[0], input[64], input[128]).ShouldBe((30f, 20f, 10f));
    }

    [Theory]
    [InlineData(OrtPort.Float32)]
    [InlineData(OrtPort.UInt8)]
    public void A_model_for_grey_sees_the_brightness(int type)
    {
        var png = TestPictures.Png(TestPictures.Flat(8, 8, (200, 100, 50)), 8, 8);
        var model = new InputSpec { Index = 0, Type = type, Width = 8, Height = 8, Channels = 1, Scale = 1 };
        using var picture = Picture.Open(png, Limits);
        using var writer = new InputWriter();
        var input = new byte[64 * (type == OrtPort.UInt8 ? 1 : sizeof(float))];

        writer.Write(picture, Letterbox.Create(model, 8, 8), model, input);

        // 0.299 * 200 + 0.587 * 100 + 0.114 * 50
        if (type == OrtPort.UInt8)
            input.ShouldAllBe(value => value == 124);
        else
            MemoryMarshal.Cast<byte, float>(input).ToArray().ShouldAllBe(value => Math.Abs(value - 124.2f) < 0.01f);
    }

    public static IEnumerable<object[]> Refused()
    {
        var jpeg = TestPictures.Jpeg(200, 150);
        var progressive = TestPictures.ProgressiveJpeg(200, 150);
        var png = TestPictures.Png(200, 150);
        var webp = TestPictures.WebP(200, 150);
        var gif = TestPictures.Gif(200, 150);
        yield return ["nothing", Array.Empty<byte>(), ErrorCodes.EmptyBody];
        yield return ["words", "<html><body>no picture</body></html>"u8.ToArray(), ErrorCodes.UnsupportedImage];
        yield return ["svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray(), ErrorCodes.UnsupportedImage];
        yield return ["pdf", "%PDF-1.7 and so on, and so on"u8.ToArray(), ErrorCodes.UnsupportedImage];
        yield return ["tiff", (byte[])[.. "II*\0"u8, .. new byte[60]], ErrorCodes.UnsupportedImage];
        yield return ["heic", (byte[])[0, 0, 0, 24, .. "ftypheic"u8, .. new byte[40]], ErrorCodes.HeicDisabled];
        yield return ["png of 65536 x 65536", TestPictures.PngHeader(65_536, 65_536), ErrorCodes.TooManyPixels];
        yield return ["jpeg of 20000 x 14000", TestPictures.JpegWithSize(20_000, 14_000), ErrorCodes.TooManyPixels];
        yield return ["png of 16385 x 1", TestPictures.PngHeader(16_385, 1), ErrorCodes.TooManyPixels];
        yield return ["png of 16000 x 6251", TestPictures.PngHeader(16_000, 6_251), ErrorCodes.TooManyPixels];
        yield return ["half a jpeg", jpeg[..(jpeg.Length / 2)], ErrorCodes.ImageTruncated];
        yield return ["a jpeg's header", jpeg[..100], ErrorCodes.ImageTruncated];
        yield return ["half a progressive jpeg", progressive[..(progressive.Length / 2)], ErrorCodes.ImageTruncated];
        yield return ["a jpeg without its last bytes", jpeg[..^6], ErrorCodes.ImageTruncated];
        yield return ["a progressive jpeg without its last bytes", progressive[..^6], ErrorCodes.ImageTruncated];
        yield return ["a progressive jpeg without its last scan", progressive[..LastScan(progressive)], ErrorCodes.ImageTruncated];
        yield return ["a progressive jpeg to the first byte of its last scan", progressive[..(LastScan(progressive) + 1)], ErrorCodes.ImageTruncated];
        yield return ["half a png", png[..(png.Length / 2)], ErrorCodes.ImageTruncated];
        yield return ["half a webp", webp[..(webp.Length / 2)], ErrorCodes.ImageTruncated];
        yield return ["half a gif", gif[..(gif.Length / 2)], ErrorCodes.ImageTruncated];
        yield return ["jpeg of 5000 scans", TestPictures.JpegOfManyScans(5_000), ErrorCodes.ImageTooComplex];
        yield return ["png with wrong bits", Broken(png, png.Length / 2, 40), ErrorCodes.ImageInvalid];
        yield return ["webp with wrong bits", Broken(webp, webp.Length / 2, 60), ErrorCodes.ImageInvalid];
        yield return ["png without pixels", TestPictures.PngHeader(100, 100), ErrorCodes.ImageInvalid];
        yield return ["jpeg signature, then zeros", (byte[])[0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 1, 0xFF, 0xDA, .. new byte[100]], ErrorCodes.ImageInvalid];
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_bad_picture_is_refused_for_what_it_is(string what, byte[] bytes, string code)
    {
        using var detector = ModelFile.Load(TestModels.Columns(1));

        foreach (var annotate in (bool[])[false, true])
        {
            var refusal = Should.Throw<SpotterException>(() => detector.Run(bytes, new VisionParameters { Annotate = annotate }), what);
            refusal.Code.ShouldBe(code, $"{what}: {refusal.Message}");
        }
    }

    /// <summary>Everything is there but the mark that says so, or there is more behind it.</summary>
    [Fact]
    public void An_end_that_is_missing_or_not_the_last_keeps_no_picture_out()
    {
        var jpeg = TestPictures.Jpeg(200, 150);
        byte[] film = [.. Enumerable.Repeat((byte[])[0xFF, 0xDA, 0, 8], 300).SelectMany(b => b)];
        foreach (var whole in (byte[][])[jpeg, TestPictures.ProgressiveJpeg(200, 150), TestPictures.CmykJpeg(200, 150, 10, 20, 30, 40)])
        {
            var pixels = Pixels(whole);
            Pixels(whole[..^2]).ShouldBe(pixels, "no end mark");
            Pixels(whole[..^1]).ShouldBe(pixels, "half an end mark");
            Pixels([.. whole, .. "MotionPhoto_Data"u8, .. film]).ShouldBe(pixels, "a film behind it");
            Input(whole[..^2]).ShouldBe(Input(whole));
        }
        Pixels(TestPictures.Png(200, 150)[..^12]).ShouldBe(TestPictures.Pattern(200, 150, 3), "PNG without IEND");
        Pixels(TestPictures.Gif(200, 150)[..^1]).ShouldBe(Pixels(TestPictures.Gif(200, 150)), "GIF without its trailer");
    }

    [Fact]
    public void Limits_are_those_that_were_set()
    {
        var png = TestPictures.Png(30, 20);

        Should.NotThrow(() => Picture.Open(png, new ImageLimits { MaxEdge = 30, MaxPixels = 600 }).Dispose());
        Should.Throw<SpotterException>(() => Picture.Open(png, new ImageLimits { MaxEdge = 29 })).Code.ShouldBe(ErrorCodes.TooManyPixels);
        Should.Throw<SpotterException>(() => Picture.Open(png, new ImageLimits { MaxPixels = 599 })).Code.ShouldBe(ErrorCodes.TooManyPixels);
    }

    private static int LastScan(byte[] jpeg) => jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);

    private static byte[] Broken(byte[] bytes, int from, int count)
    {
        var broken = (byte[])bytes.Clone();
        for (var i = from; i < from + count; i++)
            broken[i] ^= 0x5A;
        return broken;
    }

    private static byte[] Pixels(byte[] encoded)
    {
        using var picture = Picture.Open(encoded, Limits);
        using var canvas = Canvas.Decode(picture);
        return Copy(canvas);
    }

    private static unsafe byte[] Copy(Canvas canvas) => new ReadOnlySpan<byte>(canvas.Pixels, canvas.Height * canvas.Stride).ToArray();

    /// <summary>What a YOLOv8 model of 64 x 64 input would be given.</summary>
    private static float[] Input(byte[] encoded)
    {
        var model = new InputSpec { Index = 0, Type = OrtPort.Float32, Width = 64, Height = 64 };
        using var picture = Picture.Open(encoded, Limits);
        using var writer = new InputWriter();
        var input = new float[3 * 64 * 64];
        Array.Fill(input, float.NaN); // every place must be written
        writer.Write(picture, Letterbox.Create(model, picture.Width, picture.Height), model, MemoryMarshal.AsBytes(input.AsSpan()));
        return input;
    }

    /// <summary>Turns an upright picture into the raster that a camera would store with this orientation.</summary>
    private static (int Width, int Height, byte[] Pixels) Store(byte[] upright, int width, int height, int exif)
    {
        var (storedWidth, storedHeight) = exif >= 5 ? (height, width) : (width, height);
        var stored = new byte[upright.Length];
        for (var y = 0; y < storedHeight; y++)
        {
            for (var x = 0; x < storedWidth; x++)
            {
                // The visual meaning of row 0 and column 0, as the standard words it.
                var (ux, uy) = exif switch
                {
                    1 => (x, y), // top, left
                    2 => (width - 1 - x, y), // top, right
                    3 => (width - 1 - x, height - 1 - y), // bottom, right
                    4 => (x, height - 1 - y), // bottom, left
                    5 => (y, x), // left, top
                    6 => (width - 1 - y, x), // right, top
                    7 => (width - 1 - y, height - 1 - x), // right, bottom
                    _ => (y, height - 1 - x), // left, bottom
                };
                upright.AsSpan(((uy * width) + ux) * 3, 3).CopyTo(stored.AsSpan(((y * storedWidth) + x) * 3));
            }
        }
        return (storedWidth, storedHeight, stored);
    }

    private static int Difference(byte[] a, byte[] b) => a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second));

    private static float Difference(float[] a, float[] b) => a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second));
}
