using System.Globalization;
using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Tests.Vision;

/// <summary>Damaged pictures by the hundred: each gives a result or a refusal, and the process lives on.</summary>
public sealed class HostilePictureTests
{
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("SPOTTER_TEST_HOSTILE_PICTURES"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 600;

    [Theory]
    [InlineData("jpeg")]
    [InlineData("progressive")]
    [InlineData("cmyk")]
    [InlineData("profile")]
    [InlineData("table")]
    [InlineData("no end")]
    [InlineData("exif")]
    [InlineData("png")]
    [InlineData("png16")]
    [InlineData("webp")]
    [InlineData("gif")]
    [InlineData("animation")]
    public void Mutated_pictures_are_read_or_refused(string kind)
    {
        using var detector = ModelFile.Load(TestModels.Columns(2, (16, 16, 10, 10, 1, 0.75f)));
        var original = kind switch
        {
            "jpeg" => TestPictures.Jpeg(120, 90),
            "progressive" => TestPictures.ProgressiveJpeg(120, 90),
            "cmyk" => TestPictures.CmykJpeg(60, 40, 10, 200, 30, 40),
            "profile" => TestPictures.WithProfile(TestPictures.Pattern(60, 40, 4), 60, 40, 4, "webpsave_buffer", TestProfiles.AdobeRgb()),
            "table" => TestPictures.WithProfile(TestPictures.Pattern(60, 40, 3), 60, 40, 3, "jpegsave_buffer", TestProfiles.Table()),
            "no end" => TestPictures.ProgressiveJpeg(120, 90)[..^2],
            "exif" => TestPictures.WithExif(TestPictures.Jpeg(60, 40), 6),
            "png" => TestPictures.Png(60, 40, 4),
            "png16" => TestPictures.Png16(60, 40),
            "webp" => TestPictures.WebP(60, 40),
            "gif" => TestPictures.Gif(60, 40),
            _ => TestPictures.AnimatedGif(60, 40, (1, 2, 3), (4, 5, 6)),
        };
        var random = RandomSource.Seeded(kind.Length * 7919);
        string[] expected =
        [
            ErrorCodes.EmptyBody, ErrorCodes.UnsupportedImage, ErrorCodes.TooManyPixels, ErrorCodes.ImageTruncated,
            ErrorCodes.ImageInvalid, ErrorCodes.ImageTooComplex, ErrorCodes.HeicDisabled,
        ];

        int read = 0, refused = 0;
        for (var round = 0; round < Rounds / 12; round++)
        {
            var mutant = PictureMutator.Mutate(original, random);
            try
            {
                var result = detector.Run(mutant, new VisionParameters { Annotate = round % 2 == 0 }).Result;
                result.Width.ShouldBeGreaterThan(0);
                read++;
            }
            catch (SpotterException refusal)
            {
                expected.ShouldContain(code => code == refusal.Code, refusal.Message);
                refused++;
            }
        }

        (read + refused).ShouldBe(Rounds / 12);
        refused.ShouldBeGreaterThan(0);
        detector.Run(original, new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();
    }
}
