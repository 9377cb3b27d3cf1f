using System.Text.RegularExpressions;
using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>What is said beside a model goes before what the model says. What it does to pictures is in <see cref="PreparationTests"/>.</summary>
public sealed class OverrideTests
{
    private static readonly Grid Columns = new Grid(1, 7, 21).Column(9, 0, 16, 16, 8, 8, 0, 0.9f);

    [Fact]
    public void Task()
    {
        // Three keypoints and one class, or 52 classes: the shape is the same.
        using var boxes = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 56, 21)), "task: detect");
        using var poses = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 56, 21)), "");

        (boxes.Model.Engine, boxes.Model.Labels.Count).ShouldBe(("detect", 52));
        (poses.Model.Engine, poses.Model.Labels.Count).ShouldBe(("pose", 1));
        Fact(boxes, "task").ShouldBe(new ModelFact("task", "detect", FactSource.Overridden));
    }

    [Fact]
    public void Task_classify_of_two_outputs()
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("features", new Grid(1, 64)).Output("classes", new Grid(1, 2).Put(0, 0, 0.25f, 0.75f)), "{ task: classify, labels: [day, night] }");

        model.Run(Picture, new VisionParameters()).Result.Labels!.ShouldBe([new Label("night", 1, 0.75), new Label("day", 0, 0.25)]);
    }

    [Theory]
    [InlineData("yolox", "yolox", OutputLayout.Rows)]
    [InlineData("yolox-raw", "yolox", OutputLayout.Cells)]
    [InlineData("yolov6", "yolov6", OutputLayout.Rows)]
    [InlineData("yolov8", "yolov8", OutputLayout.ScoreRows)]
    public void Family(string said, string family, object layout)
    {
        var grid = new Grid(1, 21, 8).Fill(16);

        using var model = Load(Taking(1, 3, 32, 32).Output("output0", grid), $"family: {said}");

        (model.Model.Family, model.Card.Layout).ShouldBe((family, (OutputLayout)layout));
        Fact(model, "family").Source.ShouldBe(FactSource.Overridden);
    }

    [Theory]
    [InlineData(85, 80)]
    [InlineData(8, 3)]
    public void Labels_beside_a_model_say_what_it_finds_and_not_who_made_it(int numbers, int classes)
    {
        // Cells of a 416 x 416 input: of YOLOX, whose exports note nothing, and not the rows of a YOLOv5.
        var graph = Taking(1, 3, 416, 416).Output("output", new Grid(1, 3549, numbers));
        using var model = Load(graph, $"labels: [{string.Join(", ", Enumerable.Range(0, classes).Select(i => $"l{i}"))}]");

        (model.Model.Family, model.Model.Labels.Count).ShouldBe(("yolox", classes));
    }

    [Theory]
    [InlineData("labels: [ant, bee, 'cat, or not']", "ant|bee|cat, or not")]
    [InlineData("labels: { 0: ant, 2: it's }", "ant|class 1|it's")]
    [InlineData("labels:\n  0: ant\n  1: \"a \\\"bee\\\"\"\n  2: back\\slash", "ant|a \"bee\"|back\\slash")]
    [InlineData("labels: names.txt", "ant|bee||cat")]
    public void Labels(string overrides, string expected)
    {
        var count = expected.Split('|').Length;

        using var model = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 4 + count, 21)).Note("names", "['x']"), overrides, ("names.txt", "ant\nbee\n\ncat\n\n"));

        string.Join('|', model.Model.Labels).ShouldBe(expected);
        Fact(model, "labels").Source.ShouldBe(FactSource.Overridden);
    }

    [Theory]
    [InlineData("nchw", 3, 5)]
    [InlineData("nhwc", 5, 3)]
    public void Layout(string said, int width, int height)
    {
        // Three at both ends: only what is said tells which of them are colours.
        using var model = Load(Taking(1, 3, 5, 3).Output("output0", new Grid(1, 300, 6)), $"input: {{ layout: {said} }}");

        (model.Model.InputWidth, model.Model.InputHeight).ShouldBe((width, height));
    }

    [Fact]
    public void Boxes_in_shares()
    {
        using var columns = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 21).Column(9, 0, 0.5f, 0.5f, 0.25f, 0.25f, 0, 0.9f)), "boxes: shares");
        using var ended = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 300, 6).Put(0, 0, 0.375f, 0.375f, 0.625f, 0.625f, 0.9f, 1)), "boxes: shares");

        foreach (var model in (VisionModel[])[columns, ended])
            model.Run(Picture, new VisionParameters()).Result.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(24, 24, 40, 40));
    }

    [Fact]
    public void Boxes_in_pixels()
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("logits", new Grid(1, 300, 80).Fill(-9).Put(4, 2, 9)).Output("pred_boxes", new Grid(1, 300, 4).Put(4, 0, 16, 16, 8, 8)), "boxes: pixels");

        model.Run(Picture, new VisionParameters()).Result.Detections!.ShouldHaveSingleItem().Box.ShouldBe(new Box(24, 24, 40, 40));
        Fact(model, "boxes").ShouldBe(new ModelFact("boxes", "in pixels of the input", FactSource.Overridden));
    }

    [Theory]
    [InlineData("none", 0.5)]
    [InlineData("sigmoid", 0.6225)]
    [InlineData("softmax", 0.4519)]
    public void Activation(string said, double expected)
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 3).Put(0, 0, 0.5f, 0, 0)), $"activation: {said}");

        model.Run(Picture, new VisionParameters { Top = 1 }).Result.Labels![0].Confidence.ShouldBe(expected);
    }

    [Fact]
    public void Activation_of_boxes_in_columns()
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 21).Fill(-5).Column(9, 0, 16, 16, 8, 8, -5, MathF.Log(4))), "activation: sigmoid");

        var found = model.Run(Picture, new VisionParameters()).Result.Detections!.ShouldHaveSingleItem();
        (found.ClassId, found.Confidence).ShouldBe((1, 0.8));
    }

    [Fact]
    public void Keypoints()
    {
        using var model = Load(
            Taking(1, 3, 32, 32).Output("output0", new Grid(1, 13, 21).Column(9, 0, 16, 16, 8, 8, 0.9f, 12, 13, 20, 12, 20, 20, 12, 20)),
            "task: pose\nlabels: [hand]\nkeypoints: { count: 4, numbers: 2, names: [wrist, thumb, index, little], skeleton: [[0, 1], [0, 3]] }");

        var result = model.Run(Picture, new VisionParameters()).Result;
        result.Detections![0].Keypoints.ShouldBe([new("wrist", 24, 26, null), new("thumb", 40, 24, null), new("index", 40, 40, null), new("little", 24, 40, null)]);
        result.Skeleton!.Select(pair => string.Join('-', pair)).ShouldBe(["0-1", "0-3"]);
    }

    [Theory]
    [InlineData("width-height", 0.75)]
    [InlineData("height-width", 0.375)]
    public void Size(string said, double x)
    {
        // Boxes are in shares of the first number that the model is told.
        var graph = new TestGraph().Input("images", Float32, 1, 3, 32, 32).Input("size", Float32, 1, 2)
            .Constant("shares", [1, 2, 4], [0.25f, 0, 0.75f, 1, 0, 0, 0, 0]).Constant("zero", [1], [0], TestGraph.Int64)
            .Node("Gather", ["size", "zero"], ["first"], ("axis", 1)).Node("Mul", ["shares", "first"], ["boxes"])
            .Output("boxes", Float32, 1, 2, 4).Output("labels", new Grid(1, 2), TestGraph.Int64).Output("scores", new Grid(1, 2).Put(0, 0, 0.9f));
        using var model = Load(graph, $"size: {said}");

        var found = model.Run(TestPictures.Png(64, 32), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem();
        found.Box.X2.ShouldBe(64 * x);
        Fact(model, "size input").Source.ShouldBe(FactSource.Overridden);
    }

    [Fact]
    public void Nothing_said_is_nothing_overridden()
    {
        foreach (var empty in (string[])["", "# nothing\n", "input:\nkeypoints:\n", "---\n"])
        {
            using var model = Load(Taking(1, 3, 32, 32).Output("output0", Columns), empty);
            model.Card.Facts.ShouldNotContain(fact => fact.Source == FactSource.Overridden, empty);
        }
    }

    [Theory]
    [InlineData("task: [", "line 2 is no YAML")]
    [InlineData("- task", "it is no list of keys and values.")]
    [InlineData("tusk: detect", "'tusk' is unknown; known are task, family, labels, input, boxes, activation, blank, keypoints, size.")]
    [InlineData("task: track", "'task' is 'track'; it is one of detect, classify, segment, pose, obb, read, semantic, depth, saliency, embed.")]
    [InlineData("task: [detect]", "'task' is no text; it is one of detect, classify, segment, pose, obb, read, semantic, depth, saliency, embed.")]
    [InlineData("family: yolo99", "'family' is 'yolo99'; it is one of yolov4, yolov5, yolov5-face, yolov6, yolov8, yolox, yolox-raw, yolo-nas, yolov7-nms, end2end, nanodet, rt-detr, detr, ssd, paddle-detection, scrfd, yunet, retinaface, ultraface, yolact, movenet, mediapipe-pose, classifier, db, ctc, label-map, depth-map, saliency-map, embedding.")]
    [InlineData("labels: none.txt", "'labels' names the file none.txt, which is not there; put it into the model's folder.")]
    [InlineData("labels: empty.txt", "'labels' names the file empty.txt, which is empty.")]
    [InlineData("labels: []", "'labels' is no list of names.")]
    [InlineData("labels: [[a]]", "'labels' has an entry that is no text.")]
    [InlineData("labels: { a: b }", "'labels' is no list of numbers and names.")]
    [InlineData("input: 640", "'input' is no list of keys and values.")]
    [InlineData("input: { size: 640 }", "'input.size' is unknown; known are input.width, input.height, input.layout, input.colour, input.scale, input.mean, input.deviation, input.fit, input.fill, input.resize.")]
    [InlineData("input: { width: 0 }", "'input.width' is no whole number from 1 to 16384.")]
    [InlineData("input: { height: 6.5 }", "'input.height' is no whole number from 1 to 16384.")]
    [InlineData("input: { width: 64 }", "it gives the input another size than the model's own, which is fixed: images [1,3,32,32].")]
    [InlineData("input: { layout: nhwc }", "'input.layout' is nhwc, but the model's input is images [1,3,32,32].")]
    [InlineData("input: { layout: chw }", "'input.layout' is 'chw'; it is one of nchw, nhwc.")]
    [InlineData("input: { colour: grey }", "'input.colour' is 'grey'; it is one of rgb, bgr.")]
    [InlineData("input: { scale: much }", "'input.scale' has 'much', which is no number.")]
    [InlineData("input: { scale: 1/0 }", "'input.scale' has '1/0', which is no number.")]
    [InlineData("input: { scale: 0 }", "'input.scale' is 0, which leaves nothing of a picture.")]
    [InlineData("input: { mean: [1, 2] }", "'input.mean' has 2 numbers; 3 are wanted.")]
    [InlineData("input: { deviation: [1, 0, 1] }", "'input.deviation' has a number that is not above 0.")]
    [InlineData("input: { fit: squeeze }", "'input.fit' is 'squeeze'; it is one of letterbox, letterbox-top-left, stretch, crop.")]
    [InlineData("input: { fill: 256 }", "'input.fill' is no whole number from 0 to 255.")]
    [InlineData("input: { resize: big }", "'input.resize' is no whole number from 1 to 16384.")]
    [InlineData("boxes: inches", "'boxes' is 'inches'; it is one of pixels, shares.")]
    [InlineData("activation: tanh", "'activation' is 'tanh'; it is one of none, sigmoid, softmax.")]
    [InlineData("size: width-height", "it has 'size', but the model has no second input for the picture's size.")]
    [InlineData("keypoints: { count: 0 }", "'keypoints.count' is no whole number from 1 to 1000.")]
    [InlineData("keypoints: { numbers: 4 }", "'keypoints.numbers' is no whole number from 2 to 3.")]
    [InlineData("keypoints: { names: wrist }", "'keypoints.names' is no list of names.")]
    [InlineData("keypoints: { skeleton: [[1]] }", "'keypoints.skeleton' has an entry that is no pair of numbers.")]
    [InlineData("keypoints: { skeleton: 1 }", "'keypoints.skeleton' is no list of pairs.")]
    public void Each_mistake_has_its_sentence(string overrides, string sentence)
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Output("output0", Columns).ToArray());
        var beside = Path.ChangeExtension(file.Path, ".yaml");
        File.WriteAllText(beside, overrides);
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(file.Path)!, "empty.txt"), "\n\n");

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()).Dispose());

        refusal.Code.ShouldBe(ErrorCodes.ModelInvalid);
        refusal.Message.ShouldStartWith($"{beside} can't be used: {sentence}");
        refusal.Message.ShouldEndWith(".");
    }

    [Theory]
    [InlineData("../outside.txt", "is no name within the model's own folder")]
    [InlineData("sub\\names.txt", "is no name within the model's own folder")]
    [InlineData("/etc/passwd", "is no name within the model's own folder")]
    [InlineData("..", "is no name within the model's own folder")]
    [InlineData("C:names.txt", "is no name within the model's own folder")]
    [InlineData("out.txt", "is a link that leads out of the model's own folder")]
    [InlineData("out-by-folder.txt", "is a link that leads out of the model's own folder")]
    [InlineData("zero.txt", "is a link that leads out of the model's own folder")]
    [InlineData("sub", "is not there")]
    public void Labels_come_from_no_file_but_one_of_the_models_own_folder(string name, string sentence)
    {
        using var root = new TemporaryFolder();
        File.WriteAllText(Path.Combine(root.Path, "outside.txt"), "secret\n");
        var folder = Directory.CreateDirectory(Path.Combine(root.Path, "models")).FullName;
        Directory.CreateDirectory(Path.Combine(folder, "sub"));
        foreach (var file in (string[])["names.txt", "sub/names.txt", "sub\\names.txt", "C:names.txt"])
            File.WriteAllText(Path.Combine(folder, file), "ant\n");
        File.CreateSymbolicLink(Path.Combine(folder, "out.txt"), "../outside.txt");
        Directory.CreateSymbolicLink(Path.Combine(folder, "up"), "..");
        File.CreateSymbolicLink(Path.Combine(folder, "out-by-folder.txt"), "up/outside.txt");
        File.CreateSymbolicLink(Path.Combine(folder, "zero.txt"), "/dev/zero");

        var refusal = Should.Throw<SpotterException>(() => Read(folder, $"labels: '{name}'"));

        refusal.Code.ShouldBe(ErrorCodes.ModelInvalid);
        refusal.Message.ShouldContain($"'labels' names the file {name}, which {sentence}");
    }

    [Theory]
    [InlineData("names.txt")]
    [InlineData("./names.txt")]
    [InlineData("sub/names.txt")]
    public void Labels_may_lie_anywhere_in_the_models_own_folder(string name)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("sub"));
        File.WriteAllText(folder.File(name), "ant\n");

        Read(folder.Path, $"labels: '{name}'").Labels.ShouldBe(["ant"]);
    }

    [Fact]
    public void Labels_may_be_behind_links_within_the_models_own_folder()
    {
        // As volumes are mounted.
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(root.Path, "..2026"));
        File.WriteAllText(Path.Combine(root.Path, "..2026", "names.txt"), "ant\nbee\n");
        Directory.CreateSymbolicLink(Path.Combine(root.Path, "..data"), "..2026");
        File.CreateSymbolicLink(Path.Combine(root.Path, "names.txt"), "..data/names.txt");
        using var elsewhere = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(elsewhere.Path, "models"), root.Path);

        Read(Path.Combine(elsewhere.Path, "models"), "labels: names.txt").Labels.ShouldBe(["ant", "bee"]);
    }

    [Fact]
    public void Names_that_are_too_many_or_too_long_are_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "names.txt"), new string('a', 1001));
        foreach (var (text, sentence) in ((string, string)[])[
            ("labels: [" + string.Concat(Enumerable.Repeat("a,", 100_001)) + "]", "has 100001 names; at most 100000"),
            ("labels: [" + new string('a', 1001) + "]", "a name of more than 1000 characters"),
            ("labels: { 0: " + new string('a', 1001) + " }", "a name of more than 1000 characters"),
            ("labels: { 0: [a, b] }", "no list of numbers and names"),
            ("labels: names.txt", "a name of more than 1000 characters"),
        ])
        {
            Should.Throw<SpotterException>(() => Read(folder.Path, text)).Message.ShouldContain(sentence);
        }
    }

    private static ModelOverrides Read(string folder, string overrides)
    {
        File.WriteAllText(Path.Combine(folder, "tiny.yaml"), overrides);
        return ModelOverrides.Of(Path.Combine(folder, "tiny.onnx"));
    }

    [Fact]
    public void Every_example_of_the_manual_is_taken()
    {
        var manual = File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs", "models.md"));
        var examples = Regex.Matches(manual, "```yaml\n(?<example>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(match => match.Groups["example"].Value).ToList();
        examples.Count.ShouldBeGreaterThan(3);
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "names.txt"), "ant\nbee\n");
        foreach (var example in examples)
        {
            File.WriteAllText(Path.Combine(folder.Path, "mine.yaml"), example);
            ModelOverrides.Of(Path.Combine(folder.Path, "mine.onnx")).File.ShouldNotBeNull();
        }
    }

    [Fact]
    public void The_manual_names_every_key_and_every_family()
    {
        var manual = File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs", "models.md"));

        foreach (var name in (string[])[.. FamilyNames.All, .. ModelOverrides.AllKeys])
            manual.ShouldContain($"`{name}`", Case.Sensitive);
    }

    private static readonly byte[] Picture = TestPictures.Png(64, 64);

    private static ModelFact Fact(VisionModel model, string name) => model.Card.Facts.Last(fact => fact.Name == name);

    [Theory]
    [InlineData(".hidden")]
    [InlineData("a\nb")]
    [InlineData(null)]
    public void A_file_whose_name_is_no_name_of_a_model_is_refused_by_itself(string? name)
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 21)).ToArray());
        var odd = Path.Combine(Path.GetDirectoryName(file.Path)!, (name ?? new string('m', ModelInfo.LongestId + 1)) + ".onnx");
        File.Move(file.Path, odd);

        var refusal = Should.Throw<SpotterException>(() => ModelInspector.Inspect(odd));

        (refusal.Code, refusal.Message.Contains("rename the file", StringComparison.Ordinal)).ShouldBe((ErrorCodes.ModelInvalid, true));
    }

    private static VisionModel Load(TestGraph graph, string overrides, params (string Name, string Content)[] beside)
    {
        using var file = new ModelFile(graph.ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), overrides);
        foreach (var (name, content) in beside)
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(file.Path)!, name), content);
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
