using System.Diagnostics;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Filters;

namespace Spotter.Tests.Vision.Filters;

/// <summary>No filter's work explodes with a parameter: compared, in the same run, with copying the pixels once.</summary>
public sealed class FilterCostTests
{
    // The slowest takes half of this; what it is to find takes ten times as much.
    private const double MostCopies = 150;

    private const int Copies = 50;

    private const int Edge = 2000;

    private static readonly byte[] Picture = TestPictures.Png(TestPictures.Flat(Edge, Edge, (200, 100, 50)), Edge, Edge);

    public static TheoryData<string> Extremes() => [.. Requests.Keys];

    private static Dictionary<string, FilterRequest> Requests { get; } = new(StringComparer.Ordinal)
    {
        ["blur 1"] = new() { Kind = FilterKind.Blur, Level = 1 },
        ["blur half"] = new() { Kind = FilterKind.Blur, Level = Edge / 2 },
        ["blur all"] = new() { Kind = FilterKind.Blur, Level = Edge },
        ["contour"] = new() { Kind = FilterKind.Contour },
        ["rotate 90"] = new() { Kind = FilterKind.Rotate, Degrees = 90 },
        ["rotate 180"] = new() { Kind = FilterKind.Rotate, Degrees = 180 },
        ["rotate 270"] = new() { Kind = FilterKind.Rotate, Degrees = 270 },
        ["salt 0"] = new() { Kind = FilterKind.Salt, Amount = 0 },
        ["salt 1"] = new() { Kind = FilterKind.Salt, Amount = 1 },
        ["segment 0"] = new() { Kind = FilterKind.Segment, Threshold = 0 },
        ["segment 255"] = new() { Kind = FilterKind.Segment, Threshold = 255 },
        ["stretch"] = new() { Kind = FilterKind.Segment, Mode = FilterMode.Grey, Stretch = true },
    };

    [Theory]
    [MemberData(nameof(Extremes))]
    public void Its_work_per_pixel_is_that_of_some_copies(string name)
    {
        var copy = Least(() =>
        {
            byte[] from = new byte[Edge * Edge * 3], to = new byte[from.Length];
            from.AsSpan().Fill(1); // the pages are there
            to.AsSpan().Fill(1);
            var start = Stopwatch.GetTimestamp();
            // As long as a filter takes: what else the machine does finds its way into both.
            for (var i = 0; i < Copies; i++)
                from.CopyTo(to, 0);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds / Copies;
        });

        var filter = Least(() => Run(Requests[name]).Timings.PostMs);

        (filter / copy).ShouldBeLessThan(MostCopies, $"{name}: {filter:0.0} ms, a copy {copy:0.0} ms");
    }

    [Fact]
    public void Every_filter_is_in_the_table()
    {
        // Putting pictures together is bounded by what comes of it: the next test.
        Requests.Values.Select(r => r.Kind).Append(FilterKind.Concat).Distinct().Order().ShouldBe(Enum.GetValues<FilterKind>().Order());
    }

    [Fact]
    public void Putting_pictures_together_costs_about_what_each_of_them_does()
    {
        var one = Least(() => Total(() => Run(new() { Kind = FilterKind.Rotate, Degrees = 180 })));
        var narrow = TestPictures.Png(TestPictures.Flat(10, 16_000, (1, 2, 3)), 10, 16_000);

        Least(() => Total(() => Run(new() { Kind = FilterKind.Concat }, Picture, Picture))).ShouldBeLessThan(20 * one);
        // Scaled to a thousandth, and to a sixth in the other direction.
        Least(() => Total(() => Run(new() { Kind = FilterKind.Concat }, Picture, narrow))).ShouldBeLessThan(20 * one);
        Least(() => Total(() => Run(new() { Kind = FilterKind.Concat }, TestPictures.Png(10, 10), Picture, Picture))).ShouldBeLessThan(20 * one);
    }

    private static double Total(Func<InferenceResult> run)
    {
        var start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static InferenceResult Run(FilterRequest request, params byte[][] pictures)
    {
        using var made = PictureFilter.Run(request, [.. (pictures.Length == 0 ? [Picture] : pictures).Select(p => (ReadOnlyMemory<byte>)p)], new ImageLimits(), RandomSource.Seeded(1));
        return made;
    }

    // Whatever else the machine does makes it longer, never shorter.
    private static double Least(Func<double> measure) => Enumerable.Range(0, 7).Min(_ => measure());
}
