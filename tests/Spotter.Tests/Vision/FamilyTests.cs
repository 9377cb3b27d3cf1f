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
    [InlineData("YOLOv5-face", "0..1 rgb letterbox")]
    [InlineData("MoveNet of one person", "0..255 rgb letterbox, filled with 0")]
    [InlineData("MoveNet with its colours first", "0..255 rgb letterbox, filled with 0")]
    [InlineData("MediaPipe's pose landmarks", "0..1 rgb letterbox, filled with 0")]
    [InlineData("YOLACT", "0..255, less 123.68/116.78/103.94, by 58.4/57.12/57.38 rgb stretched")]
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
    [InlineData("YOLOv5-face", "48,64 64,64 56,72 48,80 64,80")]
    public void Landmarks_of_faces_lie_where_their_head_says(string name, string expected)
    {
        using var model = Load(FamilyCases.All[name]);

        var points = model.Run(TestPictures.Png(192, 192), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Keypoints.ShouldNotBeNull();

        string.Join(' ', points.Select(p => FormattableString.Invariant($"{p.X},{p.Y}"))).ShouldBe(expected);
        points.Select(p => p.Name).ShouldBe(["right eye", "left eye", "nose", "right mouth corner", "left mouth corner"]);
    }

    [Theory]
    [InlineData("MoveNet of one person", 17, "left eye")]
    [InlineData("MoveNet of six", 17, "left eye")]
    [InlineData("MediaPipe's pose landmarks", 33, "left eye inner")]
    public void Keypoints_of_people_have_their_places_and_how_sure_they_are(string name, int count, string second)
    {
        using var model = Load(FamilyCases.All[name]);

        var result = model.Run(TestPictures.Png(192, 192), new VisionParameters()).Result;

        var points = result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Keypoints.ShouldNotBeNull();
        points.Count.ShouldBe(count);
        points[0].ShouldBe(new Keypoint("nose", 32, 48, 0.9));
        points[1].ShouldBe(new Keypoint(second, 80, 96, 0.9));
        points.Skip(2).ShouldAllBe(p => p.X == 56 && p.Y == 72 && p.Confidence == 0.9);
        result.Skeleton.ShouldNotBeNull().ShouldAllBe(pair => pair.All(p => p < count));
    }

    [Theory]
    [InlineData(0.2f, 0.9f, 0.3f)]
    [InlineData(0.1f, 0.4f, 0.25f)]
    public void Somebody_without_a_box_lies_around_what_was_found(float left, float right, float sure)
    {
        // The third keypoint is too little sure to count for the box.
        var points = Enumerable.Range(0, 17).SelectMany(i => (float[])[i == 1 ? 0.75f : 0.5f, i switch { 0 => left, 1 => right, 2 => 0.99f, _ => (left + right) / 2 }, i == 2 ? 0.1f : sure]);
        using var file = new ModelFile(new TestGraph().Input("input", TestGraph.Int32, 1, 96, 96, 3).Output("output_0", [1, 1, 17, 3], [.. points]).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        var found = model.Run(TestPictures.Png(100, 100), new VisionParameters { Confidence = 0.2 }).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem();

        found.Confidence.ShouldBe(((16 * sure) + 0.1) / 17, 0.001);
        found.Box.ShouldBe(new Box(Math.Round(100 * left, 1), 50, Math.Round(100 * right, 1), 75));
    }

    [Fact]
    public void Nobody_is_found_where_no_keypoint_is_sure()
    {
        using var file = new ModelFile(new TestGraph().Input("input", TestGraph.Int32, 1, 96, 96, 3).Output("output_0", [1, 1, 17, 3], [.. Enumerable.Repeat(0.15f, 51)]).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(100, 100), new VisionParameters { Confidence = 0.01 }).Result.Detections.ShouldBeEmpty();
    }

    [Fact]
    public void A_mask_of_YOLACT_is_that_of_a_YOLO_with_the_same_prototypes()
    {
        var random = new Random(3);
        var (prototypes, coefficients) = (new float[32 * 24 * 24], new float[32]);
        for (var i = 0; i < prototypes.Length; i++)
            prototypes[i] = random.NextSingle() - 0.5f;
        for (var i = 0; i < coefficients.Length; i++)
            coefficients[i] = random.NextSingle() - 0.5f;
        var last = new float[prototypes.Length];
        for (var i = 0; i < prototypes.Length; i++)
            last[(i % (24 * 24) * 32) + (i / (24 * 24))] = prototypes[i];
        var yolo = TestGraph.Taking(1, 3, 96, 96).Output("output0", new Grid(1, 116, 189).Column(50, 0, 28, 36, 24, 24).Column(50, 6, 0.9f).Column(50, 84, coefficients)).Output("output1", [1, 32, 24, 24], prototypes);
        var nothing = new Grid(1, 100, 81);
        for (var row = 0; row < 100; row++)
            nothing.Put(row, 0, 1);
        // In another order than the project's own export.
        var yolact = TestGraph.Taking(1, 3, 96, 96).Output("proto", [1, 24, 24, 32], last).Output("priors", new Grid(100, 4).Put(50, 0, 28f / 96, 36f / 96, 0.25f, 0.25f))
            .Output("conf", nothing.Put(50, 0, 0.1f, 0, 0, 0.9f)).Output("mask", new Grid(1, 100, 32).Put(50, 0, coefficients)).Output("loc", new Grid(1, 100, 4));

        var masks = new[] { yolo, yolact }.Select(graph =>
        {
            using var file = new ModelFile(graph.ToArray());
            using var model = VisionModel.Load(file.Path, new VisionModelOptions());
            return model.Run(TestPictures.Png(96, 96), new VisionParameters()).Result.Detections.ShouldNotBeNull().ShouldHaveSingleItem().Mask.ShouldNotBeNull();
        }).ToList();

        masks[1].Rle.ShouldBeEquivalentTo(masks[0].Rle);
        masks[0].Polygons.ShouldNotBeEmpty();
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
