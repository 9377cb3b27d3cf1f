using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>What is only inferred is tried before it serves: then it is right, or refused, or said to be unsure.</summary>
public sealed class TrialTests
{
    private const float Sure = 0.9f;

    [Fact]
    public void A_shape_that_fits_several_kinds_is_unsure_until_somebody_says_which()
    {
        using var file = new ModelFile(Taking(1, 3, 416, 416).Output("output", new Grid(1, 3549, 33)).ToArray());

        using (var model = VisionModel.Load(file.Path, new VisionModelOptions()))
        {
            model.Model.Unsure.ShouldBe("It was taken for yolox with 28 classes, but its outputs also fit yolov8 with 29 classes or nanodet with 1 class; say what it is in tiny.yaml beside it, with family and labels.");
            model.Card.Facts.ShouldContain(new ModelFact("family", "yolox", FactSource.Assumed));
        }

        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "family: nanodet\nlabels: { 0: plate }\n");
        using var said = VisionModel.Load(file.Path, new VisionModelOptions());
        (said.Model.Family, said.Model.Unsure).ShouldBe(("nanodet", null));
    }

    [Fact]
    public void A_shape_that_fits_several_kinds_is_told_by_its_numbers()
    {
        // The last 32 numbers of a NanoDet are logits of distances: no probabilities.
        var numbers = new Grid(1, 3549, 33).Fill(-3);
        for (var row = 0; row < 3549; row++)
            numbers.Put(row, 0, 0.01f);
        numbers.Put(1800, 0, Sure);
        numbers.Put(1800, 1, [.. Enumerable.Repeat(7f, 32)]);
        using var model = Load(Taking(1, 3, 416, 416).Output("output", numbers));

        (model.Model.Family, model.Model.Labels.Count, model.Model.Unsure).ShouldBe(("nanodet", 1, null));
    }

    [Fact]
    public void Much_that_is_found_in_noise_makes_it_unsure()
    {
        var columns = new Grid(1, 84, 8400);
        for (var i = 0; i < 150; i++)
            columns.Column(i, 0, 20 + (i % 15 * 40), 20 + (i / 15 * 40), 30, 30).Column(i, 4, Sure);
        using var model = Load(Taking(1, 3, 640, 640).Output("output0", columns));

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("but it finds much where there is nothing");
        model.Card.Facts.ShouldContain(new ModelFact("trial", "finds 150 in grey, 150 in noise, 150 in drawn shapes", FactSource.Inferred));
    }

    [Fact]
    public void Boxes_outside_the_picture_make_it_unsure()
    {
        using var model = Load(Taking(1, 3, 640, 640).Output("output0", new Grid(1, 300, 6).Put(0, 0, 900, 900, 950, 950, Sure, 2)));

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("but 3 of its 3 boxes lie outside the picture, or have no area");
    }

    [Fact]
    public void A_class_beyond_names_that_are_assumed_makes_it_unsure()
    {
        using var model = Load(Taking(1, 3, 640, 640).Output("output0", new Grid(1, 300, 6).Put(0, 0, 10, 10, 50, 50, Sure, 200)));

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("but it finds classes beyond the 80 whose names are assumed");
    }

    [Fact]
    public void Numbers_that_are_none_make_it_unsure()
    {
        // The root of a negative number, for all but the darkest pictures.
        using var model = Load(Taking(1, 3, 32, 32)
            .Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(1, 2, 3)), ("keepdims", 0)).Constant("little", [1], [0.1f]).Node("Sub", ["little", "mean"], ["rest"]).Node("Sqrt", ["rest"], ["root"])
            .Constant("zero", [1], [0]).Node("Mul", ["root", "zero"], ["nought"]).Constant("columns", [1, 7, 21], new float[147]).Node("Add", ["columns", "nought"], ["output0"])
            .Output("output0", Float32, 1, 7, 21));

        model.Model.Unsure.ShouldNotBeNull().ShouldContain("but it gives numbers that are infinite or not numbers at all about grey");
    }

    [Theory]
    [InlineData(3f, 2f)]
    [InlineData(0.9f, 7f)]
    [InlineData(0.9f, 1.5f)]
    public void Findings_that_can_not_be_are_refused(float score, float classId)
    {
        using var file = new ModelFile(Taking(1, 3, 640, 640).Note("names", "['ant', 'bee', 'cat']").Output("output0", new Grid(1, 300, 6).Put(0, 0, 10, 10, 50, 50, score, classId)).ToArray());

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()));

        refusal.Code.ShouldBe(ErrorCodes.ModelUnsupported);
        refusal.Message.ShouldContain("are no findings, whichever of their 6 numbers are the corners, the score and the class");
    }

    [Fact]
    public void Landmarks_are_not_taken_for_scores()
    {
        // YOLOv5-face: a box, a score, five landmarks in pixels, and one class.
        float[] row = [100, 100, 50, 50, Sure, 90, 90, 110, 90, 100, 100, 92, 112, 108, 112, 1];
        using var file = new ModelFile(Taking(1, 3, 640, 640).Output("output0", new Grid(1, 25200, 16).Put(9, 0, row)).ToArray());

        using (var model = VisionModel.Load(file.Path, new VisionModelOptions()))
            (model.Model.Family, model.Model.Unsure).ShouldBe(("yolov5-face", null));

        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: detect");
        Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()))
            .Message.ShouldContain("it was taken for yolov5 with 11 classes, but then it would be 90 sure of something in grey, where 0 is the least and 1 the most");
    }

    [Fact]
    public void Eleven_classes_or_one_with_landmarks_are_unsure_until_one_is_stated()
    {
        var rows = new Grid(1, 25200, 16);
        using var silent = new ModelFile(Taking(1, 3, 640, 640).Output("output0", rows).ToArray());
        using (var model = VisionModel.Load(silent.Path, new VisionModelOptions()))
            model.Model.Unsure.ShouldNotBeNull().ShouldContain("its outputs also fit yolov5-face with 1 class; say what it is");

        using var named = new ModelFile(Taking(1, 3, 640, 640).Note("names", "['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']").Output("output0", rows).ToArray());
        using (var model = VisionModel.Load(named.Path, new VisionModelOptions()))
            (model.Model.Family, model.Model.Unsure).ShouldBe(("yolov5", null));

        File.WriteAllText(Path.ChangeExtension(named.Path, ".yaml"), "family: yolov5-face\nlabels: { 0: face }\n");
        using (var model = VisionModel.Load(named.Path, new VisionModelOptions()))
            (model.Model.Family, model.Model.Engine).ShouldBe(("yolov5-face", "pose"), "what is stated beats the file's notes");
        File.WriteAllText(Path.ChangeExtension(silent.Path, ".yaml"), "family: yolov5-face");
        using (var model = VisionModel.Load(silent.Path, new VisionModelOptions()))
            (model.Model.Family, model.Model.Engine, model.Model.Unsure).ShouldBe(("yolov5-face", "pose", null));
    }

    [Theory]
    [InlineData("Sigmoid", new[] { 2f, 1f, -3f }, new[] { 0.8808, 0.7311, 0.0474 })]
    [InlineData("Softmax", new[] { 2f, 1f, -3f }, new[] { 0.7275, 0.2676, 0.0049 })]
    [InlineData("Identity", new[] { 200f, 199f, 0f }, new[] { 0.7311, 0.2689, 0 })]
    [InlineData("LogSoftmax", new[] { 2f, 1f, -3f }, new[] { 0.7275, 0.2676, 0.0049 })]
    [InlineData("Sigmoid", new[] { -1.4f }, new[] { 0.1978 })]
    [InlineData("Identity", new[] { 0.2f }, new[] { 0.2 })]
    [InlineData("Identity", new[] { -1.4f }, new[] { 0.1978 })]
    public void A_classifier_is_as_sure_as_its_last_operator_says(string last, float[] numbers, double[] expected)
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Constant("numbers", [1, numbers.Length], numbers)
            .Node(last, ["numbers"], ["scores"]).Constant("shape", [2], [1, numbers.Length], TestGraph.Int64).Node("Reshape", ["scores", "shape"], ["output"])
            .Output("output", Float32, 1, numbers.Length).ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: classify\n");
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        var labels = model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Labels.ShouldNotBeNull();

        labels.Select(l => l.Confidence).ShouldBe(expected, 0.0002);
    }

    [Theory]
    [InlineData("Sigmoid", "Sigmoid", "probabilities", FactSource.Inferred, new[] { 0.8808, 0.7311 })]
    [InlineData("Sigmoid", "Identity", "logits, softmax", FactSource.Assumed, new[] { 0.7687, 0.2313 })]
    public void Joined_scores_are_as_sure_as_all_that_are_joined(string first, string second, string scores, FactSource source, double[] expected)
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Constant("a", [1, 1], [2]).Constant("b", [1, 1], [first == second ? 1 : -0.32f])
            .Node(first, ["a"], ["c"]).Node(second, ["b"], ["d"]).Node("Concat", ["c", "d"], ["output"], ("axis", 1)).Output("output", Float32, 1, 2).ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: classify\n");
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Labels.ShouldNotBeNull().Select(l => l.Confidence).ShouldBe(expected, 0.0002);
        model.Card.Facts.ShouldContain(new ModelFact("scores", scores, source));
    }

    [Fact]
    public void Weighted_sums_are_logits_even_if_they_are_all_from_0_to_1()
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Constant("a", [1, 2], [0.1f, 0.2f]).Constant("b", [1, 2], [0.1f, 0.2f]).Node("Add", ["a", "b"], ["sum"])
            .Constant("shape", [2], [1, 2], TestGraph.Int64).Node("Reshape", ["sum", "shape"], ["output"]).Output("output", Float32, 1, 2).ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), "task: classify\n");
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Labels.ShouldNotBeNull().Select(l => l.Confidence).ShouldBe([0.5498, 0.4502], 0.0002);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public void A_few_classes_of_a_free_number_of_pictures_are_no_findings(int classes)
    {
        using var model = Load(Taking(-1, 3, 32, 32).Output("output", new Grid(1, classes).Put(0, 0, [.. Enumerable.Range(0, classes).Select(i => i - 1.7f)]), declared: [-1, classes]));

        (model.Model.Engine, model.Model.Labels.Count).ShouldBe((VisionTasks.Classify, classes));
        model.Model.Unsure.ShouldNotBeNull().ShouldContain("it names no classes and ends in no softmax or sigmoid");
    }

    [Fact]
    public void A_class_that_has_no_name_is_not_dropped()
    {
        var logits = new Grid(1, 300, 11).Fill(-9).Put(5, 10, 4);
        using var file = new ModelFile(Taking(1, 3, 96, 96).Note("names", "['a','b','c','d','e','f','g','h','i','j']")
            .Output("logits", logits).Output("pred_boxes", new Grid(1, 300, 4)).ToArray());

        Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()))
            .Message.ShouldContain("it has 10 names and scores 11 classes");
    }

    [Fact]
    public void The_background_has_no_name()
    {
        var logits = new Grid(1, 100, 11).Fill(-9);
        for (var query = 0; query < 100; query++)
            logits.Put(query, 10, 9);
        using var model = Load(Taking(1, 3, 96, 96).Note("names", "['a','b','c','d','e','f','g','h','i','j']").Output("logits", logits).Output("pred_boxes", new Grid(1, 100, 4)));

        model.Card.Background.ShouldBe(BackgroundColumn.Last);
        model.Card.Facts.ShouldContain(new ModelFact("background", "the last column of scores", FactSource.Inferred));
    }

    [Fact]
    public void What_a_model_is_assumed_to_find_is_not_called_inferred()
    {
        using var model = Load(Taking(1, 3, 640, 640).Output("output0", new Grid(1, 84, 8400)));

        model.Card.Facts.ShouldContain(new ModelFact("labels", "80", FactSource.Assumed));
        model.Model.Unsure.ShouldBeNull();
    }

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
