using System.Text.Json;
using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models that turn a picture into a vector, with the ports of the published exports: 3 and 4 first, and nothing after.</summary>
public sealed class EmbeddingTests
{
    private static readonly Dictionary<string, Func<TestGraph>> Kinds = new(StringComparer.Ordinal)
    {
        ["CLIP"] = () => Taking(-1, 3, 32, 32).Output("image_embeds", Vector(1, 512), declared: [-1, 512]).Output("last_hidden_state", new Grid(1, 50, 768).Fill(9), declared: [-1, 50, 768]),
        ["DINOv2"] = () => Taking(1, 3, 32, 32).Output("last_hidden_state", new Grid(1, 257, 384).Fill(9)).Output("pooler_output", Vector(1, 384)),
        ["DINOv2 without a pool"] = () => Taking(-1, 3, 32, 32).Output("last_hidden_state", Vector(1, 5, 384), declared: [-1, -1, 384]),
        ["MobileNet without its head"] = () => Taking(1, 3, 32, 32).Output("features", Vector(1, 1280, 1, 1)),
        ["ReID"] = () => Taking(1, 3, 64, 32).Output("embedding", Vector(1, 751)),
        ["ArcFace"] = () => Taking(1, 3, 112, 112).Constant("numbers", [1, 512], Vector(1, 512).Numbers).Constant("one", [512], Ones(1)).Constant("none", [512], Ones(0))
            .Node("BatchNormalization", ["numbers", "one", "none", "none", "one"], ["683"]).Output("683", Float32, 1, 512),
        ["divided by its length"] = () => Taking(1, 3, 32, 32).Constant("numbers", [1, 100], Vector(1, 100).Numbers).Node("ReduceL2", ["numbers"], ["length"], ("axes", Ints(1)), ("keepdims", 1))
            .Constant("least", [], [0.001f]).Node("Clip", ["length", "least"], ["some"]).Node("Div", ["numbers", "some"], ["output"]).Output("output", Float32, 1, 100),
        ["normalised"] = () => Taking(1, 3, 32, 32).Constant("numbers", [1, 100], Vector(1, 100).Numbers).Node("LpNormalization", ["numbers"], ["long"], ("axis", 1), ("p", 2))
            .Constant("shape", [2], [1, 100], TestGraph.Int64).Node("Reshape", ["long", "shape"], ["output"]).Output("output", Float32, 1, 100),
        ["of length 1 by its numbers"] = () => Taking(1, 3, 32, 32).Output("output", new Grid(1, 256).Put(0, 0, 0.6f, 0.8f).Put(0, 9, -0.0001f)),
        ["said to be one"] = () => Taking(1, 3, 32, 32).Note("task", "embed").Output("output", Vector(1, 12)),
    };

    public static TheoryData<string> Names => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_vector_has_length_1(string name)
    {
        using var model = Load(Kinds[name](), "");

        var result = model.Run(TestPictures.Png(80, 60), new VisionParameters()).Result;

        (model.Model.Engine, model.Model.Family, model.Model.Labels.Count, model.Model.Unsure).ShouldBe(("embed", "embedding", 0, null));
        var vector = result.Embedding.ShouldNotBeNull();
        vector.Count.ShouldBe(model.Card.Dimensions);
        (vector[0], vector[1], Math.Sqrt(vector.Sum(n => (double)n * n))).ShouldSatisfyAllConditions(
            v => v.Item1.ShouldBe(0.6f, 0.001f), v => v.Item2.ShouldBe(0.8f, 0.001f), v => v.Item3.ShouldBe(1, 0.00001));
        (result.Detections, result.Labels, result.Map).ShouldBe((null, null, null));
    }

    [Theory]
    [InlineData("CLIP", "0..1, less 0.48145467/0.4578275/0.40821072, by 0.26862955/0.2613026/0.2757771 middle")]
    [InlineData("DINOv2", "0..1, less 0.485/0.456/0.406, by 0.229/0.224/0.225 middle")]
    [InlineData("ArcFace", "0..1, less 0.5/0.5/0.5, by 0.5/0.5/0.5 stretched")]
    [InlineData("ReID", "0..1, less 0.485/0.456/0.406, by 0.229/0.224/0.225 stretched")]
    public void Pictures_are_prepared_as_is_usual(string name, string expected)
    {
        using var model = Load(Kinds[name](), "");

        var facts = model.Card.Facts.ToDictionary(f => f.Name, f => f.Value, StringComparer.Ordinal);

        $"{facts["normalisation"]} {facts["fit"]}".ShouldBe(expected);
    }

    [Fact]
    public void A_classifier_stays_one()
    {
        using var named = Load(Taking(1, 3, 32, 32).Note("names", $"[{string.Join(',', Enumerable.Range(0, 128).Select(i => $"'x{i}'"))}]").Output("features", new Grid(1, 128)), "");
        using var known = Load(Taking(1, 3, 32, 32).Output("output", new Grid(1, 1000)), "");
        using var said = Load(Taking(1, 3, 32, 32).Output("embedding", new Grid(1, 512)), "task: classify");

        foreach (var model in (VisionModel[])[named, known, said])
            (model.Model.Engine, model.Model.Unsure).ShouldBe(("classify", null));
    }

    [Fact]
    public void As_many_numbers_as_networks_are_wide_are_unsure_until_somebody_says()
    {
        var graph = () => Taking(1, 3, 32, 32).Output("output", new Grid(1, 512).Put(0, 3, 7));
        using (var model = Load(graph(), ""))
            model.Model.Unsure.ShouldBe("It was taken for classifier with 512 classes, but its outputs also fit embedding with 512 numbers; say what it is in tiny.yaml beside it, with task and labels.");
        using var embeds = Load(graph(), "task: embed");
        using var classifies = Load(graph(), "family: classifier");
        (embeds.Model.Engine, embeds.Model.Unsure, classifies.Model.Engine, classifies.Model.Unsure).ShouldBe(("embed", null, "classify", null));
    }

    [Fact]
    public void Scores_beside_a_vector_leave_it_open_which_counts() =>
        Should.Throw<SpotterException>(() => Load(Taking(1, 3, 32, 32).Output("features", new Grid(1, 512)).Output("logits", new Grid(1, 3)), "")).Code.ShouldBe(ErrorCodes.ModelUnsupported);

    [Fact]
    public void More_numbers_than_a_result_holds_are_refused() =>
        Should.Throw<SpotterException>(() => Load(Taking(1, 3, 32, 32).Output("features", new Grid(1, VectorRules.MostDimensions + 1)), "task: embed")).Code.ShouldBe(ErrorCodes.ModelUnsupported);

    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(float.MaxValue, 0.0441942f)]
    [InlineData(float.Epsilon, 0.0441942f)]
    public void Any_length_is_brought_to_1_but_none(float number, float expected)
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("features", new Grid(1, 512).Fill(number)), "");

        model.Run(TestPictures.Png(8, 8), new VisionParameters()).Result.Embedding!.ShouldAllBe(n => Math.Abs(n - expected) < 0.0001);
    }

    [Fact]
    public void Several_pictures_go_through_together()
    {
        // The mean of each picture and its negative.
        using var model = Load(Taking(-1, 3, 8, 8).Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(2, 3)), ("keepdims", 0)).Output("mean", Float32, -1, 3), "{ task: embed, input: { mean: 0, deviation: 1 } }");

        var answers = model.Run([Of(255, 0, 0), Of(0, 255, 0), Of(0, 0, 255)]);

        answers.Select(a => a.InferenceResult!.Result.Embedding!.ToList().IndexOf(1)).ShouldBe([0, 1, 2]);

        static BatchPicture Of(byte red, byte green, byte blue) => new(TestPictures.Png(TestPictures.Flat(16, 16, (red, green, blue)), 16, 16), new VisionParameters());
    }

    [Fact]
    public void A_second_model_embeds_what_the_first_finds()
    {
        using var first = ModelFile.Load(([1, 5, 21], new Grid(1, 5, 21).Column(0, 0, 16, 16, 8, 8, 0.9f).Numbers), ("names", "['thing']"));
        using var second = Load(Kinds["CLIP"](), "");

        var found = first.Run(TestPictures.Png(32, 32), new VisionParameters { Then = "second" }, new RunExtras { Then = second }).Result.Detections.ShouldNotBeNull();

        found.ShouldHaveSingleItem().Then!.Embedding!.Count.ShouldBe(512);
    }

    [Fact]
    public void The_result_is_a_list_of_numbers()
    {
        using var model = Load(Taking(1, 3, 32, 32).Output("embedding", new Grid(1, 3).Put(0, 0, 0, -2, 0)), "");

        JsonSerializer.Serialize(model.Run(TestPictures.Png(32, 16), new VisionParameters()).Result, VisionJson.Default.VisionResult)
            .ShouldBe("""{"width":32,"height":16,"detections":null,"labels":null,"summary":null,"embedding":[0,-1,0]}""");
    }

    private static Grid Vector(params long[] shape)
    {
        var grid = new Grid(shape);
        grid.Numbers[0] = 3;
        grid.Numbers[1] = 4;
        return grid;
    }

    private static float[] Ones(float number) => [.. Enumerable.Repeat(number, 512)];

    private static VisionModel Load(TestGraph graph, string overrides)
    {
        using var file = new ModelFile(graph.ToArray());
        if (overrides.Length > 0)
            File.WriteAllText(ModelOverrides.FileOf(file.Path), overrides);
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
