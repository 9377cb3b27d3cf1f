using System.Collections.Concurrent;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

/// <summary>Real models on real pictures, within the tolerance that the pictures' manifest states.</summary>
public sealed class GoldenTests
{
    private static readonly ConcurrentDictionary<string, Lazy<VisionModel>> Models = new(StringComparer.Ordinal);

    public static IEnumerable<object[]> Cases => Goldens.Detections();

    public static IEnumerable<object[]> Classified => Goldens.Classifications();

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

    [SharedTheory]
    [MemberData(nameof(Classified))]
    public void Every_stable_best_class_is_the_best(string model, string picture)
    {
        var result = Load(model).Run(File.ReadAllBytes(SharedFiles.Image(picture)), new VisionParameters { Top = 5 }).Result;

        result.Detections.ShouldBeNull();
        var labels = result.Labels.ShouldNotBeNull();
        labels.Count.ShouldBe(5);
        if (Goldens.Best(model, picture) is not var (classId, label, least, most))
            return;
        labels[0].ClassId.ShouldBe(classId);
        label.Split(',')[0].ShouldBe(labels[0].Name);
        labels[0].Confidence.ShouldBeInRange(least - 0.15, most + 0.15);
    }

    private static VisionModel Load(string model) =>
        Models.GetOrAdd(model, static name => new(() => VisionModel.Load(SharedFiles.Model(name), new VisionModelOptions()))).Value;

    private static void Compare(string model, string picture, bool annotate)
    {
        var detector = Load(model);
        var golden = Goldens.Of(model, picture);

        var findings = detector.Run(File.ReadAllBytes(SharedFiles.Image(picture)), new VisionParameters { Annotate = annotate });

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
