using NetVips;
using Spotter.Core.Images;
using Spotter.Vision.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Tests.Vision;

/// <summary>Profiles of three curves and a matrix, converted by look-up, against the colour management system that libvips has.</summary>
public sealed class ColourTableTests
{
    private const int Edge = 64;

    private static readonly double[] SrgbFunction = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];

    private static readonly Dictionary<string, Func<byte[]>> Profiles = new(StringComparer.Ordinal)
    {
        ["Display P3 of libvips"] = () => TestPictures.BuiltInProfile("p3"),
        ["Adobe RGB"] = TestProfiles.AdobeRgb,
        ["bands in another order"] = TestProfiles.Swapped,
        ["points"] = () => TestProfiles.P3(TestProfiles.Points(1024)),
        ["few points"] = () => TestProfiles.P3(TestProfiles.Points(33)),
        ["linear light"] = () => TestProfiles.P3(TestProfiles.Points(0)),
        ["function 0"] = () => TestProfiles.P3(TestProfiles.Function(0, 1.8)),
        ["function 1"] = () => TestProfiles.P3(TestProfiles.Function(1, 2.2, 1.1, -0.1)),
        ["function 2"] = () => TestProfiles.P3(TestProfiles.Function(2, 2.2, 1.05, -0.1, 0)),
        ["function 3"] = () => TestProfiles.P3(TestProfiles.Function(3, SrgbFunction)),
        ["function 4"] = () => TestProfiles.P3(TestProfiles.Function(4, [.. SrgbFunction[..3], 0.08, 0.04, 0, 0])),
        ["a curve for each"] = () => TestProfiles.P3(TestProfiles.Function(0, 1.8), TestProfiles.Points(0), TestProfiles.Function(3, SrgbFunction)),
    };

    public static TheoryData<string> Names => [.. Profiles.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_pixel_is_within_one_level_of_what_libvips_makes_of_it(string name)
    {
        var profile = Profiles[name]();
        ColourProfile.TableOf(profile).ShouldNotBeNull();
        var pixels = Pixels();
        var picture = TestPictures.WithProfile(pixels, Edge, Edge, 3, "pngsave_buffer", profile);

        var converted = Converted(picture);

        var right = ByLibVips(picture);
        var worst = Enumerable.Range(0, right.Length).MaxBy(i => Math.Abs(right[i] - converted[i]));
        Math.Abs(right[worst] - converted[worst]).ShouldBeLessThanOrEqualTo(1, $"number {worst}: {pixels[worst]} became {converted[worst]}, and {right[worst]} by libvips");
        // One level off is the exception.
        Enumerable.Range(0, right.Length).Count(i => right[i] != converted[i]).ShouldBeLessThan(right.Length / 5);
        converted.ShouldNotBe(pixels);
    }

    [Fact]
    public void What_is_more_than_curves_and_a_matrix_or_less_is_left_to_libvips()
    {
        ColourProfile.TableOf(TestProfiles.Table()).ShouldBeNull();
        ColourProfile.TableOf(TestPictures.BuiltInProfile("cmyk")).ShouldBeNull();
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Points(64)[..100])).ShouldBeNull("fewer points than it says");
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Function(5, SrgbFunction))).ShouldBeNull("no such function");
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Function(4, SrgbFunction))).ShouldBeNull("too few numbers");
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Function(3, 2.4, 1, -0.9, 1, 0.5))).ShouldBeNull("the power of a negative number");
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Function(2, 2.2, 1, 0, 0.05))).ShouldBeNull("black that gives light");
        ColourProfile.TableOf(TestProfiles.P3(TestProfiles.Function(4, [.. SrgbFunction[..3], 0.08, 0.04, 0.04, 0]))).ShouldBeNull("more light than the most");
        ColourProfile.TableOf(TestProfiles.P3("none"u8.ToArray())).ShouldBeNull("no curve");
    }

    /// <summary>Every grey, every corner of the cube, and colours all over.</summary>
    private static byte[] Pixels()
    {
        var pixels = new byte[Edge * Edge * 3];
        new Random(1).NextBytes(pixels);
        for (var i = 0; i < 256; i++)
            pixels.AsSpan(3 * i, 3).Fill((byte)i);
        for (var corner = 0; corner < 8; corner++)
        {
            for (var band = 0; band < 3; band++)
                pixels[(3 * (256 + corner)) + band] = (byte)(((corner >> band) & 1) * 255);
        }
        return pixels;
    }

    private static unsafe byte[] Converted(byte[] encoded)
    {
        using var picture = Picture.Open(encoded, new ImageLimits());
        using var canvas = Canvas.Decode(picture);
        return new Span<byte>(canvas.Pixels, Edge * Edge * 3).ToArray();
    }

    private static byte[] ByLibVips(byte[] encoded)
    {
        Vips.Start();
        using var stored = Image.NewFromBuffer(encoded);
        using var converted = stored.IccTransform("srgb", intent: Enums.Intent.Perceptual, embedded: true, depth: 8);
        return converted.WriteToMemory<byte>();
    }
}
