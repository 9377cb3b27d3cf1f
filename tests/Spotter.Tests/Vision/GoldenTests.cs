using System.Collections.Concurrent;
using Spotter.Core.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Vision;

/// <summary>Real models on real pictures, within the tolerance that the pictures' manifest states.</summary>
public sealed class GoldenTests
{
    private static readonly ConcurrentDictionary<string, Lazy<Detector>> Detectors = new(StringComparer.Ordinal);

    public static IEnumerable<object[]> Cases => Goldens.Cases();

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Every_stable_golden_is_found_and_nothing_is_made_up(string model, string picture)
    {
        Compare(model, picture, annotate: false);
    }

    [SharedTheory]
    [InlineData("yolox_nano_v5layout.onnx", "bus.jpg")]
    [InlineData("yolox_nano_v5layout.onnx", "bus_exif6.jpg")]
    [InlineData("yolox_nano.onnx", "street_rgba.png")]
    [InlineData("yolov8n-uint8.onnx", "concert_gray.jpg")]
    [InlineData("yolov8n-uint8.onnx", "mug_8mp.jpg")]
    public void Drawing_the_picture_changes_nothing_about_what_is_found(string model, string picture)
    {
        Compare(model, picture, annotate: true);
    }

    private static void Compare(string model, string picture, bool annotate)
    {
        var detector = Detectors.GetOrAdd(model, static name => new(() => Detector.Load(SharedFiles.Model(name), new DetectorOptions()))).Value;
        var golden = Goldens.Of(model, picture);

        var findings = detector.Run(File.ReadAllBytes(SharedFiles.Image(picture)), new JobOptions { Annotate = annotate });

        findings.Result.Width.ShouldBe(golden.Width);
        findings.Result.Height.ShouldBe(golden.Height);
        var found = findings.Result.Detections.ShouldNotBeNull();
        foreach (var expected in golden.Detections.Where(g => g.Stable))
        {
            found.ShouldContain(
                d => d.ClassId == expected.ClassId && d.Label.Equals(expected.Label, StringComparison.Ordinal) && Goldens.Overlap(d.Box, expected.Box) >= 0.75
                    && d.Confidence >= expected.Least - 0.15 && d.Confidence <= expected.Most + 0.15,
                $"{expected}; found: {string.Join("; ", found)}");
        }
        foreach (var detection in found.Where(d => d.Confidence >= 0.6))
            golden.Detections.ShouldContain(g => g.ClassId == detection.ClassId && Goldens.Overlap(g.Box, detection.Box) >= 0.5, detection.ToString());
    }
}
