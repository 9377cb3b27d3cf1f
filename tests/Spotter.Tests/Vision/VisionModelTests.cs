using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

public sealed class DetectorTests
{
    [Fact]
    public void Boxes_come_back_in_pixels_of_the_picture_and_within_it()
    {
        // 320 x 160 lies in 32 x 32 as 32 x 16 at (0, 8).
        using var detector = ModelFile.Load(TestModels.Columns(2, (16, 16, 8, 4, 1, 0.876543f), (1, 9, 6, 6, 0, 0.95f)));

        var result = detector.Run(TestPictures.Png(320, 160), new VisionParameters()).Result;

        (result.Width, result.Height).ShouldBe((320, 160));
        result.Detections.ShouldBe(
        [
            new Detection("class 0", 0, 0.95, new Box(0, 0, 40, 40)),
            new Detection("class 1", 1, 0.8765, new Box(120, 60, 200, 100)),
        ]);
        result.Summary.ShouldNotBeNull().Select(entry => $"{entry.Key}: {entry.Value}").ShouldBe(["class 0: 1", "class 1: 1"]);
    }

    [Theory]
    [InlineData(0.25, 0.45, null, "a,b,a")]
    [InlineData(0.25, 0.9, null, "a,a,b,a")]
    [InlineData(0.75, 0.45, null, "a,b")]
    [InlineData(0.95, 0.45, null, "")]
    [InlineData(0.25, 0.45, "B", "b")]
    [InlineData(0.25, 0.45, "A", "a,a")]
    [InlineData(0.25, 0.45, "zebra", "")]
    public void Thresholds_and_labels_are_those_of_the_request(double confidence, double iou, string? label, string expected)
    {
        using var detector = ModelFile.Load(
            TestModels.Columns(2, (10, 10, 8, 8, 0, 0.9f), (10.5f, 10, 8, 8, 0, 0.85f), (10, 10, 8, 8, 1, 0.8f), (25, 25, 8, 8, 0, 0.5f)),
            ("names", "['a', 'b']"));

        var options = new VisionParameters { Confidence = confidence, Iou = iou, Labels = label is null ? null : [label] };
        var detections = detector.Run(TestPictures.Png(32, 32), options).Result.Detections.ShouldNotBeNull();

        string.Join(',', detections.Select(d => d.Label)).ShouldBe(expected);
        detections.Select(d => d.Confidence).ShouldBeInOrder(SortDirection.Descending);
    }

    [Fact]
    public void Boxes_that_lie_in_the_padding_are_left_out()
    {
        using var detector = ModelFile.Load(TestModels.Columns(1, (16, 3, 8, 4, 0, 0.9f)));

        detector.Run(TestPictures.Png(320, 160), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldBeEmpty();
    }

    [SharedFact]
    public async Task Lanes_at_once_find_what_one_lane_finds()
    {
        using var detector = VisionModel.Load(SharedFiles.Model("yolox_nano_v5layout.onnx"), new VisionModelOptions());
        string[] names = ["bus.jpg", "concert_gray.jpg", "street_rgba.png", "truck.webp", "waterfall_exif6.jpg"];
        var pictures = names.Select(name => File.ReadAllBytes(SharedFiles.Image(name))).ToArray();
        var alone = pictures.Select(p => detector.Run(p, new VisionParameters { Annotate = true })).ToArray();

        var lanes = Enumerable.Range(0, 4).Select(lane => Task.Run(() =>
        {
            for (var i = 0; i < 10; i++)
            {
                var which = (i + lane) % pictures.Length;
                var found = detector.Run(pictures[which], new VisionParameters { Annotate = true });
                found.Result.Detections.ShouldBe(alone[which].Result.Detections);
                found.Annotated.Span.SequenceEqual(alone[which].Annotated.Span).ShouldBeTrue();
            }
        }));

        await Task.WhenAll(lanes);
    }

    [SharedFact]
    public void More_threads_find_the_same()
    {
        using var one = VisionModel.Load(SharedFiles.Model("yolox_nano.onnx"), new VisionModelOptions());
        using var two = VisionModel.Load(SharedFiles.Model("yolox_nano.onnx"), new VisionModelOptions { Threads = 2 });
        var picture = File.ReadAllBytes(SharedFiles.Image("bus.jpg"));

        var found = two.Run(picture, new VisionParameters()).Result.Detections.ShouldNotBeNull();

        found.Select(d => (d.Label, Math.Round(d.Confidence, 2))).ShouldBe(
            one.Run(picture, new VisionParameters()).Result.Detections!.Select(d => (d.Label, Math.Round(d.Confidence, 2))));
    }
}
