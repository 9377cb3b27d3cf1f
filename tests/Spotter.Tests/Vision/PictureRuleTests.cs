using System.Runtime.InteropServices;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Boxes;
using Spotter.Vision.Filters;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Tests.Vision;

/// <summary>The rules of docs/pictures.md: what a model is given, what is drawn on and what a filter works on are the same colours.</summary>
public sealed class PictureRuleTests
{
    private const int Edge = 64;

    private static readonly ImageLimits Limits = new();

    [Fact]
    public void What_is_transparent_is_white_whatever_colour_was_left_below_it()
    {
        foreach (var (name, picture) in Transparent(200, 100, 50))
        {
            ShouldBe(picture, (8, 8), (200, 100, 50), $"opaque, {name}");
            ShouldBe(picture, (8, 40), (255, 255, 255), $"transparent, {name}");
            if (name != "gif")
                ShouldBe(picture, (56, 32), (227, 177, 152), $"half, {name}");
        }
        var grey = TestPictures.Png(Quarters([100, 255], [100, 0], [100, 128]), Edge, Edge, 2);
        ShouldBe(grey, (8, 8), (100, 100, 100), "grey, opaque");
        ShouldBe(grey, (8, 40), (255, 255, 255), "grey, transparent");
        ShouldBe(grey, (56, 32), (177, 177, 177), "grey, half");
    }

    [Fact]
    public void Hidden_colours_do_not_come_out_when_a_picture_is_made_smaller()
    {
        // Every other pixel is black below full transparency.
        var pixels = Enumerable.Range(0, 640 * 640).SelectMany(i => (byte[])(i % 2 == 0 ? [0, 0, 0, 0] : [255, 255, 255, 255])).ToArray();

        Model(TestPictures.Png(pixels, 640, 640, 4)).ShouldAllBe(v => v == 255);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Colours_of_a_profile_become_srgb(int larger)
    {
        foreach (var save in (string[])["pngsave_buffer", "jpegsave_buffer", "webpsave_buffer"])
        {
            ShouldBe(Flat(larger, save, TestProfiles.Swapped(), 50, 100, 200), (30, 30), (200, 100, 50), $"swapped, {save}");
            ShouldBe(Flat(larger, save, TestProfiles.Table(), 10, 55, 128), (30, 30), (188, 128, 56), $"table, {save}", tolerance: 5);
            ShouldBe(Flat(larger, save, TestProfiles.AdobeRgb(), 150, 150, 150), (30, 30), (151, 151, 151), $"Adobe RGB, grey, {save}");
            ShouldBe(Flat(larger, save, TestProfiles.AdobeRgb(), 144, 160, 90), (30, 30), (138, 161, 85), $"Adobe RGB, {save}");
        }
        var p3 = TestPictures.InP3(TestPictures.Flat(Edge, Edge, (200, 100, 50)), Edge, Edge);
        ShouldBe(p3, (30, 30), (200, 100, 50), "Display P3");
    }

    [Fact]
    public void A_profile_that_says_srgb_changes_nothing()
    {
        foreach (var profile in (byte[][])[TestProfiles.PlainSrgb(1024), TestProfiles.PlainSrgb(64), TestPictures.BuiltInProfile("srgb")])
        {
            ColourProfile.Counts(profile, isInk: false).ShouldBeFalse();
            var pattern = TestPictures.Pattern(Edge, Edge, 3);
            Pixels(TestPictures.WithProfile(pattern, Edge, Edge, 3, "pngsave_buffer", profile)).ShouldBe(pattern);
        }
        ColourProfile.Counts(TestProfiles.Swapped(), isInk: true).ShouldBeFalse("for other pictures");
        ColourProfile.Counts(TestPictures.BuiltInProfile("p3"), isInk: false).ShouldBeTrue();
        ColourProfile.Counts(TestProfiles.AdobeRgb(), isInk: false).ShouldBeTrue();
        ColourProfile.Counts(TestProfiles.Table(), isInk: false).ShouldBeTrue();
        ColourProfile.Counts(TestPictures.BuiltInProfile("cmyk"), isInk: true).ShouldBeTrue();
    }

    [Fact]
    public void A_profile_that_is_damaged_or_for_other_pictures_is_ignored()
    {
        foreach (var profile in (byte[][])[new byte[500], TestProfiles.Swapped()[..200], TestProfiles.LinearGrey(), [.. TestProfiles.Swapped()[..128], .. new byte[400]]])
            ShouldBe(Flat(1, "jpegsave_buffer", profile, 200, 100, 50), (30, 30), (200, 100, 50), "ignored");
        // Curves that are none, cut, or of a kind that there is not.
        foreach (var curve in (byte[][])["none"u8.ToArray(), TestProfiles.Points(64)[..100], TestProfiles.Function(5, 2.4, 1, 0, 1, 0)])
        {
            foreach (var save in (string[])["jpegsave_buffer", "webpsave_buffer"])
                ShouldBe(Flat(8, save, TestProfiles.P3(curve), 200, 100, 50), (30, 30), (200, 100, 50), $"a damaged curve, {save}");
        }
        foreach (var other in (string[])["link", "abst", "nmcl"])
        {
            var profile = TestProfiles.AdobeRgb();
            System.Text.Encoding.ASCII.GetBytes(other).CopyTo(profile, 12);
            ShouldBe(Flat(1, "jpegsave_buffer", profile, 144, 160, 90), (30, 30), (144, 160, 90), $"a profile of the class {other}");
        }
        var grey = Enumerable.Repeat((byte)100, Edge * Edge).ToArray();
        ShouldBe(TestPictures.WithProfile(grey, Edge, Edge, 1, "pngsave_buffer", TestProfiles.Swapped()), (30, 30), (100, 100, 100), "grey with a profile for colour");
    }

    [Fact]
    public void Grey_stays_as_it_is_stored_whatever_its_profile()
    {
        var grey = Enumerable.Repeat((byte)128, Edge * Edge).ToArray();

        ShouldBe(TestPictures.Png(grey, Edge, Edge, 1), (30, 30), (128, 128, 128), "grey");
        foreach (var save in (string[])["pngsave_buffer", "jpegsave_buffer"])
            ShouldBe(TestPictures.WithProfile(grey, Edge, Edge, 1, save, TestProfiles.LinearGrey()), (30, 30), (128, 128, 128), $"linear grey, {save}");
    }

    [Fact]
    public void Sixteen_bits_become_eight_with_alpha_and_profiles_as_ever()
    {
        static ushort[] Wide(byte[] pixels) => [.. pixels.Select(p => (ushort)(p * 257))];
        var colour = TestPictures.Png16(Wide(Quarters([200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 128])), Edge, Edge, 4);
        ShouldBe(colour, (8, 8), (200, 100, 50), "opaque");
        ShouldBe(colour, (8, 40), (255, 255, 255), "transparent");
        ShouldBe(colour, (56, 32), (227, 177, 152), "half");
        var grey = TestPictures.Png16(Wide(Quarters([100], [7], [240])), Edge, Edge, 1);
        ShouldBe(grey, (8, 8), (100, 100, 100), "grey");
        ShouldBe(grey, (56, 32), (240, 240, 240), "grey");
        var swapped = TestPictures.Png16(Wide(TestPictures.Flat(Edge, Edge, (50, 100, 200))), Edge, Edge, 3, TestProfiles.Swapped());
        ShouldBe(swapped, (30, 30), (200, 100, 50), "with a profile");
    }

    [Theory]
    [InlineData(Edge)]
    [InlineData(8 * Edge)]
    public void Inks_become_what_they_print_with_adobes_mark_and_without_it(int edge)
    {
        var cyan = TestPictures.CmykJpeg(edge, edge, 255, 0, 0, 0);
        ShouldBe(cyan, (30, 30), (0, 155, 225), "cyan", tolerance: 12);
        ShouldBe(TestPictures.WithoutSegment(cyan, 0xEE), (30, 30), (0, 155, 225), "cyan without the mark", tolerance: 12);
        var withProfile = TestPictures.CmykJpeg(edge, edge, 0, 255, 255, 0, TestPictures.BuiltInProfile("cmyk"));
        ShouldBe(withProfile, (30, 30), (232, 0, 0), "red by its own profile", tolerance: 12);
    }

    [Fact]
    public void Of_several_pictures_in_a_file_the_first_counts()
    {
        var first = Flat(1, "jpegsave_buffer", null, 200, 100, 50);
        ShouldBe([.. first, .. Flat(2, "jpegsave_buffer", null, 0, 0, 255)], (30, 30), (200, 100, 50), "MPO");
        ShouldBe(TestPictures.AnimatedGif(Edge, Edge, (200, 100, 50), (0, 0, 255)), (30, 30), (200, 100, 50), "GIF");
        ShouldBe(TestPictures.AnimatedWebP(Edge, (200, 100, 50), (0, 0, 255)), (30, 30), (200, 100, 50), "WebP");
    }

    [Theory]
    [InlineData("jpegsave_buffer")]
    [InlineData("pngsave_buffer")]
    [InlineData("webpsave_buffer")]
    public void Exif_turns_a_picture_in_any_format(string save)
    {
        // Stored with its top at the left: turned by a quarter clockwise it stands upright.
        var picture = TestPictures.WithOrientation(Quarters([250, 0, 0], [0, 0, 250], [0, 250, 0]), Edge, Edge, save, 6);

        ShouldBe(picture, (56, 8), (250, 0, 0), "stored at the top left", tolerance: 6);
        ShouldBe(picture, (8, 8), (0, 0, 250), "stored at the bottom left", tolerance: 6);
        ShouldBe(picture, (32, 56), (0, 250, 0), "stored at the right", tolerance: 6);
    }

    /// <summary>Opaque at the top left, transparent below that, half of it at the right.</summary>
    private static IEnumerable<(string Name, byte[] Picture)> Transparent(byte r, byte g, byte b)
    {
        var pixels = Quarters([r, g, b, 255], [250, 0, 250, 0], [r, g, b, 128]);
        yield return ("png", TestPictures.Png(pixels, Edge, Edge, 4));
        yield return ("png with a profile", TestPictures.WithProfile(Quarters([b, g, r, 255], [250, 0, 250, 0], [b, g, r, 128]), Edge, Edge, 4, "pngsave_buffer", TestProfiles.Swapped()));
        yield return ("webp", TestPictures.Encode(pixels, Edge, Edge, 4, "webpsave_buffer", ("lossless", true), ("exact", true)));
        yield return ("gif", TestPictures.WithProfile(pixels, Edge, Edge, 4, "gifsave_buffer", null));
    }

    /// <summary>Top left, bottom left, and the whole right half.</summary>
    private static byte[] Quarters(byte[] topLeft, byte[] bottomLeft, byte[] right) =>
        [.. Enumerable.Range(0, Edge * Edge).SelectMany(i => i % Edge >= Edge / 2 ? right : i / Edge < Edge / 2 ? topLeft : bottomLeft)];

    private static byte[] Flat(int larger, string save, byte[]? profile, byte r, byte g, byte b) =>
        TestPictures.WithProfile(TestPictures.Flat(larger * Edge, larger * Edge, (r, g, b)), larger * Edge, larger * Edge, 3, save, profile);

    /// <summary>At a place of the picture, or of what a model of 64 x 64 sees of it.</summary>
    private static void ShouldBe(byte[] picture, (int X, int Y) at, (int R, int G, int B) colour, string what, int tolerance = 3)
    {
        var seen = Model(picture);
        var place = (at.Y * Edge) + at.X;
        Check(((int)seen[place], (int)seen[(Edge * Edge) + place], (int)seen[(2 * Edge * Edge) + place]), "model");
        using var drawn = Annotator.Draw(picture, new VisionResult { Width = Edge, Height = Edge }, Limits);
        Check(Pixel(drawn.Bytes.ToArray(), at), "drawn");
        using var filtered = PictureFilter.Run(new() { Kind = FilterKind.Salt, Amount = 0 }, [picture], Limits, RandomSource.Seeded(1));
        Check(Pixel(filtered.Annotated.ToArray(), at), "filter");

        void Check((int R, int G, int B) found, string where)
        {
            var most = new[] { found.R - colour.R, found.G - colour.G, found.B - colour.B }.Max(Math.Abs);
            most.ShouldBeLessThanOrEqualTo(tolerance, $"{what}, {where}: {found} for {colour}");
        }
    }

    private static (int R, int G, int B) Pixel(byte[] picture, (int X, int Y) at = default)
    {
        using var opened = Picture.Open(picture, Limits);
        using var canvas = Canvas.Decode(opened);
        unsafe
        {
            var pixel = canvas.Row(at.Y * canvas.Height / Edge) + (at.X * canvas.Width / Edge * 3);
            return (pixel[0], pixel[1], pixel[2]);
        }
    }

    private static unsafe byte[] Pixels(byte[] picture)
    {
        using var opened = Picture.Open(picture, Limits);
        using var canvas = Canvas.Decode(opened);
        return new ReadOnlySpan<byte>(canvas.Pixels, canvas.Height * canvas.Stride).ToArray();
    }

    /// <summary>The three planes that a model of 64 x 64 input takes, 0 to 255.</summary>
    private static float[] Model(byte[] encoded)
    {
        var model = new InputSpec { Index = 0, Type = OrtPort.Float32, Width = Edge, Height = Edge, Scale = 1 };
        using var picture = Picture.Open(encoded, Limits);
        using var writer = new InputWriter();
        var letterbox = Letterbox.Create(model, picture.Width, picture.Height);
        picture.ShrinkTo(letterbox.Width, letterbox.Height);
        var input = new float[3 * Edge * Edge];
        writer.Write(picture, letterbox, model, MemoryMarshal.AsBytes(input.AsSpan()));
        return input;
    }
}
