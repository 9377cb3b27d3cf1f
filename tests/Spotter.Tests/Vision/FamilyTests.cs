using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

public sealed class FamilyTests
{
    public static TheoryData<string> Names => [.. FamilyCases.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_family_is_told_and_finds_the_same(string name)
    {
        var expected = FamilyCases.All[name];
        using var model = Load(expected);

        model.Model.Family.ShouldBe(expected.Family);
        model.Model.Engine.ShouldBe(expected.Task);
        // The picture is twice the input's size.
        var result = model.Run(TestPictures.Png(2 * expected.Edge, 2 * expected.Edge), new VisionParameters()).Result;

        var found = result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();
        (found.Label, found.ClassId, Math.Round(found.Confidence, 3), found.Box).ShouldBe((expected.Label, expected.ClassId, 0.9, new Box(32, 48, 80, 96)));
        (found.Mask is not null, found.Keypoints is not null, found.Oriented is not null)
            .ShouldBe((expected.Task == "segment", expected.Task == "pose", expected.Task == "obb"));
    }

    [Theory]
    [InlineData("YOLOv5", "0..1 rgb letterbox")]
    [InlineData("YOLOv6", "0..1 rgb letterbox")]
    [InlineData("YOLOv8 with notes", "0..1 rgb letterbox")]
    [InlineData("YOLO26", "0..1 rgb letterbox")]
    [InlineData("YOLOX", "0..255 bgr letterbox at the top left")]
    [InlineData("YOLO-NAS", "0..1 rgb letterbox")]
    [InlineData("YOLO-NAS with suppression", "0..255 rgb letterbox")]
    [InlineData("YOLO with TensorRT's suppression", "0..1 rgb letterbox")]
    [InlineData("NanoDet-Plus", "0..255, less 103.53/116.28/123.675, by 57.375/57.12/58.395 bgr stretched")]
    [InlineData("D-FINE", "0..1 rgb stretched")]
    [InlineData("RT-DETR of Ultralytics", "0..1 rgb stretched")]
    [InlineData("RT-DETR from Hugging Face", "0..1 rgb stretched")]
    [InlineData("DETR from Hugging Face", "0..1, less 0.485/0.456/0.406, by 0.229/0.224/0.225 rgb stretched")]
    [InlineData("RF-DETR", "0..1, less 0.485/0.456/0.406, by 0.229/0.224/0.225 rgb stretched")]
    [InlineData("SSD of TensorFlow 1", "0..255 rgb stretched")]
    [InlineData("torchvision", "0..1 rgb stretched")]
    public void Pictures_are_prepared_as_the_family_was_trained(string name, string expected)
    {
        using var model = Load(FamilyCases.All[name]);

        var facts = model.Card.Facts.ToDictionary(fact => fact.Name, fact => fact.Value, StringComparer.Ordinal);

        $"{facts["normalisation"]} {facts["colour order"]} {facts["fit"].Replace(", filled with 114", "", StringComparison.Ordinal)}".ShouldBe(expected);
    }

    [Theory]
    [InlineData("RT-DETR")]
    [InlineData("DEIM in another order")]
    public void Boxes_are_in_pixels_of_the_size_that_the_model_is_told(string name)
    {
        using var model = Load(FamilyCases.All[name]);

        var found = model.Run(TestPictures.Png(480, 96), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        found.Box.ShouldBe(new Box(80, 24, 200, 48));
        var part = model.Run(TestPictures.Png(480, 200), new VisionParameters { Region = new Region(240, 100, 240, 96) }).Result.Detections.ShouldNotBeNull();
        part.ShouldHaveSingleItem().Box.ShouldBe(new Box(280, 124, 340, 148));
    }

    [Theory]
    [InlineData("SCRFD", "48,64 64,64 56,72 48,80 64,80")]
    [InlineData("YuNet", "48,64 64,64 56,72 48,80 64,80")]
    [InlineData("RetinaFace", "40,56 72,56 56,72 40,88 72,88")]
    public void Landmarks_of_faces_lie_where_their_head_says(string name, string expected)
    {
        using var model = Load(FamilyCases.All[name]);

        var points = model.Run(TestPictures.Png(192, 192), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Keypoints.ShouldNotBeNull();

        string.Join(' ', points.Select(p => FormattableString.Invariant($"{p.X},{p.Y}"))).ShouldBe(expected);
        points.Select(p => p.Name).ShouldBe(["right eye", "left eye", "nose", "right mouth corner", "left mouth corner"]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_family_lies_right_in_an_oblong_picture(string name)
    {
        var expected = FamilyCases.All[name];
        using var model = Load(expected);
        var edge = expected.Edge;

        var found = model.Run(TestPictures.Png(4 * edge, 2 * edge), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        found.Box.ShouldBe(model.Card.Input.Fit switch
        {
            // At a quarter of its size, with a quarter of the input above it, or nothing.
            Spotter.Vision.Models.Fit.Letterbox => new Box(64, 96 - edge, 160, 192 - edge).Within(4 * edge, 2 * edge),
            Spotter.Vision.Models.Fit.LetterboxTopLeft => new Box(64, 96, 160, 192),
            _ => new Box(64, 48, 160, 96),
        });
    }

    [Theory]
    [InlineData(416, 3598, 112, "nanodet")]
    [InlineData(320, 2125, 112, "nanodet")]
    [InlineData(320, 2125, 33, "nanodet")]
    [InlineData(320, 2100, 112, "nanodet")]
    [InlineData(416, 3549, 85, "yolox")]
    [InlineData(640, 8400, 84, "yolov8")]
    [InlineData(640, 8400, 85, "yolox")]
    [InlineData(640, 25200, 85, "yolov5")]
    [InlineData(640, 25200, 6, "yolov5")]
    [InlineData(1280, 102000, 85, "yolov5")]
    [InlineData(640, 84, 8400, "yolov8")]
    [InlineData(640, 5, 8400, "yolov8")]
    [InlineData(1024, 20, 21504, "yolov8")]
    [InlineData(1280, 84, 34000, "yolov8")]
    [InlineData(640, 300, 84, "rt-detr")]
    [InlineData(640, 300, 6, "end2end")]
    [InlineData(640, 100, 6, "end2end")]
    public void Shapes_of_well_known_exports_are_told_apart(int edge, int first, int second, string family)
    {
        var told = Spotter.Vision.Models.LayoutRules.Tell(
            [new Spotter.Vision.OnnxRuntime.OrtPort("output0", 1, [1, first, second])], new Spotter.Vision.Models.LayoutHints { Width = edge, Height = edge });

        told[0].Family.ShouldBe(family);
    }

    private static VisionModel Load(FamilyCase which)
    {
        using var file = new ModelFile(which.Model().ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}

internal static class BoxWithin
{
    public static Box Within(this Box box, int width, int height) =>
        new(Math.Clamp(box.X1, 0, width), Math.Clamp(box.Y1, 0, height), Math.Clamp(box.X2, 0, width), Math.Clamp(box.Y2, 0, height));
}
