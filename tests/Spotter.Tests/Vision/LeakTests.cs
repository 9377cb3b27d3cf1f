using System.Globalization;
using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Tests.Vision;

/// <summary>Memory after many pictures is what it was after a few.</summary>
[Collection(nameof(LeakTests))]
public sealed class LeakTests
{
    private const long Tolerance = 24 << 20;

    private static readonly int Pictures =
        int.TryParse(Environment.GetEnvironmentVariable("SPOTTER_TEST_LEAK_PICTURES"), CultureInfo.InvariantCulture, out var count) ? count : 400;

    [Fact]
    public void Memory_stays_flat_over_many_pictures()
    {
        using var detector = ModelFile.Load(TestModels.Columns(2, (16, 16, 10, 10, 1, 0.75f)));
        var jpeg = TestPictures.Jpeg(1000, 800);
        byte[][] pictures =
        [
            jpeg, TestPictures.Png(500, 400, 4), TestPictures.WebP(400, 300), TestPictures.Gif(300, 200), TestPictures.CmykJpeg(600, 500, 9, 99, 199, 19),
            TestPictures.WithExif(jpeg, 6), TestPictures.WithProfile(TestPictures.Pattern(700, 500, 3), 700, 500, 3, "jpegsave_buffer", TestProfiles.AdobeRgb()), jpeg[..(jpeg.Length / 2)], TestPictures.PngHeader(300, 300),
        ];
        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                try
                {
                    detector.Run(pictures[i % pictures.Length], new VisionParameters { Annotate = i % 3 == 0 }).Dispose();
                }
                catch (SpotterException refusal) when (refusal.Code is ErrorCodes.ImageTruncated or ErrorCodes.ImageInvalid)
                {
                    // Refusals must not leak either.
                }
            }
        }

        Run(Math.Max(120, Pictures / 10));
        var before = Resident();
        Run(Pictures);
        var after = Resident();

        // Every picture is over 1 MB when decoded: one in twenty that stayed would be seen.
        (after - before).ShouldBeLessThan(Tolerance, $"{before >> 20} MiB before, {after >> 20} MiB after {Pictures} pictures");
    }

    [Fact]
    public void Memory_stays_flat_over_many_loads()
    {
        var output = TestModels.Columns(2, (16, 16, 10, 10, 1, 0.75f));
        void Load(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var detector = ModelFile.Load(output, ("names", "['a', 'b']"));
                detector.Run(TestPictures.Png(32, 32), new VisionParameters()).Dispose();
            }
        }

        Load(20);
        var before = Resident();
        Load(60);

        (Resident() - before).ShouldBeLessThan(Tolerance);
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}

/// <summary>Runs while nothing else does: memory is the whole process's.</summary>
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakTestCollection;
