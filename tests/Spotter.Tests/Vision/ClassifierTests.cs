using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

public sealed class ClassifierTests
{
    private static readonly byte[] Picture = TestPictures.Png(64, 48);

    [Fact]
    public void Logits_become_probabilities()
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("logits", new Grid(1, 1000).Put(0, 281, MathF.Log(999 * 3), MathF.Log(999f / 2))));

        (model.Model.Engine, model.Model.Family).ShouldBe(("classify", "classifier"));
        var result = model.Run(Picture, new VisionParameters()).Result;

        result.Detections.ShouldBeNull();
        result.Labels!.Count.ShouldBe(5);
        // e to the logit over the sum of all: 2997, 499.5 and 998 ones.
        result.Labels[0].ShouldBe(new Label("tabby", 281, 0.6668));
        (result.Labels[1].ClassId, result.Labels[1].Confidence).ShouldBe((282, 0.1111));
    }

    [Theory]
    [InlineData(1, 1000, 1, 1)]
    [InlineData(1, 1, 1, 1000)]
    [InlineData(1, 1000)]
    public void Probabilities_are_left_as_they_are(params int[] shape)
    {
        var grid = new Grid(1, 1000).Put(0, 281, 0.7f, 0.2f, 0.1f);
        using var model = Load(Taking(1, 3, 32, 32).Output("prob", [.. shape], grid.Numbers));

        model.Run(Picture, new VisionParameters { Top = 2 }).Result.Labels!.Select(l => (l.ClassId, l.Confidence)).ShouldBe([(281, 0.7), (282, 0.2)]);
    }

    [Fact]
    public void A_class_for_nothing_comes_before_those_of_ImageNet()
    {
        using var model = Load(new TestGraph().Input("input", Float32, 1, 32, 32, 3).Output("softmax", new Grid(1, 1001).Put(0, 282, 0.9f, 0.1f)));

        model.Run(Picture, new VisionParameters { Top = 1 }).Result.Labels!.ShouldHaveSingleItem().ShouldBe(new Label("tabby", 282, 0.9));
    }

    [Fact]
    public void Bytes_are_probabilities_in_steps()
    {
        using var model = Load(new TestGraph().Input("input", UInt8, 1, 32, 32, 3).Output("MobilenetV2/Predictions", new Grid(1, 1001).Put(0, 282, 204, 51), UInt8));

        model.Run(Picture, new VisionParameters { Top = 3 }).Result.Labels!.Select(l => (l.Name, l.Confidence)).Take(2).ShouldBe([("tabby", 0.8), ("tiger cat", 0.2)]);
    }

    [Theory]
    [InlineData("ultralytics", "0..1", "rgb", "middle")]
    [InlineData("torchvision", "0..1, less 0.485/0.456/0.406, by 0.229/0.224/0.225", "rgb", "middle")]
    [InlineData("keras", "times 0.007843138, less 1/1/1, by 1/1/1", "rgb", "middle")]
    [InlineData("bytes", "0..255", "rgb", "middle")]
    [InlineData("caffe", "0..255, less 104/117/123, by 1/1/1", "bgr", "middle")]
    public void Pictures_are_prepared_as_is_usual_where_the_model_comes_from(string source, string normalisation, string colour, string fit)
    {
        var grid = new Grid(1, 1000).Put(0, 7, 1);
        using var model = Load(source switch
        {
            "ultralytics" => Taking(1, 3, 32, 32).Output("output0", grid).Note("task", "classify").Note("stride", "1").Note("names", "{" + string.Join(", ", Enumerable.Range(0, 1000).Select(i => $"{i}: 'x{i}'")) + "}"),
            "keras" => new TestGraph().Input("input", Float32, -1, 32, 32, 3).Output("output0", grid),
            "bytes" => new TestGraph().Input("input", UInt8, 1, 3, 32, 32).Output("output0", grid),
            "caffe" => Taking(1, 3, 32, 32).Output("output0", grid).From("onnx-caffe2"),
            _ => Taking(1, 3, 32, 32).Output("output0", grid),
        });

        var facts = model.Card.Facts.ToDictionary(f => f.Name, f => f.Value, StringComparer.Ordinal);
        (facts["normalisation"], facts["colour order"], facts["fit"]).ShouldBe((normalisation, colour, fit));
    }

    [Fact]
    public void Names_come_from_the_notes()
    {
        using var model = Load(Taking(1, 3, 32, 32).Note("task", "classify").Note("names", "{0: 'day', 1: 'night'}").Output("output0", new Grid(1, 2).Put(0, 0, 0.25f, 0.75f)));

        model.Run(Picture, new VisionParameters()).Result.Labels!.ShouldBe([new Label("night", 1, 0.75), new Label("day", 0, 0.25)]);
    }

    [Fact]
    public void As_many_labels_as_asked_for_and_only_those_wanted()
    {
        using var model = Load(Taking(1, 3, 32, 32).Note("names", "['a', 'b', 'c', 'd']").Output("output0", new Grid(1, 4).Put(0, 0, 0.4f, 0.3f, 0.2f, 0.1f)));

        Names(new VisionParameters { Top = 1 }).ShouldBe("a");
        Names(new VisionParameters { Top = 100 }).ShouldBe("a b c d");
        Names(new VisionParameters { Top = 3, Labels = ["D", "b"] }).ShouldBe("b d");
        Names(new VisionParameters { Labels = ["zebra"] }).ShouldBe("");
        // A picture always has a best label, however sure of boxes one wants to be.
        Names(new VisionParameters { Confidence = 0.99 }).ShouldBe("a b c d");
        // Tiles are for objects.
        Names(new VisionParameters { Tile = 32 }).ShouldBe("a b c d");

        string Names(VisionParameters options) => string.Join(' ', model.Run(Picture, options).Result.Labels!.Select(l => l.Name));
    }

    [Fact]
    public void Halves_are_read_as_floats_are()
    {
        using var model = Load(new TestGraph().Input("data", Float16, 1, 3, 32, 32).Output("softmax", new Grid(1, 4).Put(0, 0, 0.5f, 0.25f, 0.125f, 0.125f), Float16));

        model.Run(Picture, new VisionParameters { Top = 1 }).Result.Labels!.ShouldHaveSingleItem().ShouldBe(new Label("class 0", 0, 0.5));
    }

    [Fact]
    public void Other_outputs_do_not_hide_the_classes_when_the_task_is_stated()
    {
        using var model = Load(Taking(1, 3, 32, 32).Note("task", "classify").Note("names", "['a', 'b', 'c']").Output("features", new Grid(1, 512)).Output("logits", new Grid(1, 3).Put(0, 1, 5)));

        model.Run(Picture, new VisionParameters { Top = 1 }).Result.Labels!.ShouldHaveSingleItem().Name.ShouldBe("b");
    }

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
