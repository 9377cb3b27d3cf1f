using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Inference;
using Spotter.Vision.Results;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models whose outputs have the shapes, or the names, of those of another kind: they are told apart, or unsure, or refused.</summary>
public sealed class LookalikeTests
{
    private const string Unsure = "unsure";
    private const string Refused = "refused";

    /// <summary>What each may be: the engine, perhaps unsure; or refused.</summary>
    private static readonly Dictionary<string, (Func<TestGraph> Model, string Right)> Cases = new(StringComparer.Ordinal)
    {
        ["a reader of text whose columns are as many as MoveNet's numbers"] =
            (() => In(320, 48).Note("character", string.Join('\n', Enumerable.Range('A', 55).Select(c => (char)c))).Output("softmax_0.tmp_0", [1, 40, 56], OneHot(40, 56)), "read"),
        ["a classifier of 195 names beside a quality"] =
            (() => In(224, 224).Note("names", Names(195)).Output("logits", [1, 195], Random(195, -3, 3)).Output("quality", [1, 1], [0.1f]), Refused),
        ["landmarks of a face"] = (() => In(112, 112).Output("output", [1, 136], Random(136, 0, 1)), "classify unsure"),
        ["shapes of a face"] = (() => In(120, 120).Output("params", [1, 62], Random(62, -2, 2)), "classify unsure"),
        ["a hundred numbers without a name"] = (() => In(32, 32).Output("output", [1, 100], Random(100, -3, 3)), "classify unsure"),
        ["a hundred numbers with names"] = (() => In(32, 32).Note("names", Names(100)).Output("output", [1, 100], Random(100, -3, 3)), "classify"),
        ["classes of ImageNet without a name"] = (() => In(224, 224).Output("output", [1, 1000], Random(1000, -3, 3)), "classify"),
        ["a mask of roads, exported by Paddle"] = (() => Transposed(In(64, 64)).Output("sigmoid_0.tmp_0", [1, 1, 64, 64], Random(4096, 0, 1)), Unsure),
        ["joints in metres"] = (() => In(256, 256).Output("joints", [1, 1, 17, 3], Random(51, -0.6f, 0.6f)), Refused),
        ["joints in pixels"] = (() => In(256, 256).Output("keypoints", [1, 1, 17, 3], [.. Enumerable.Repeat((float[])[120, 90, 0.1f], 17).SelectMany(p => p)]), Refused),
        ["joints that may be x before y"] = (() => In(256, 256).Output("keypoints", [1, 1, 17, 3], [.. Enumerable.Repeat((float[])[0.1f, 0.4f, 0.9f], 17).SelectMany(p => p)]), Unsure),
        ["heatmaps of hands"] = (() => In(64, 64).Output("heatmaps", [1, 21, 16, 16], Random(21 * 256, 0, 0.1f)), Unsure),
        ["heatmaps without a name"] = (() => In(64, 64).Output("output", [1, 19, 16, 16], Random(19 * 256, 0, 0.1f)), Unsure),
        ["normals of a surface"] = (() => In(64, 64).Output("masked_normals", [1, 3, 64, 64], Random(3 * 4096, -1, 1)), Unsure),
        ["transparencies in whole numbers"] = (() => In(64, 64).Output("alpha", [1, 1, 64, 64], Random(4096, 0, 255), UInt8), "saliency unsure"),
        ["depths in whole numbers"] = (() => In(64, 64).Output("depth", [1, 64, 64], Random(4096, 0, 255), UInt8), "depth"),
        ["disparities in whole numbers"] = (() => In(64, 64).Output("disparity", [1, 64, 64], Random(4096, 0, 900), TestGraph.Int32), "depth"),
        ["brightnesses"] = (() => In(64, 64).Output("output", [1, 64, 64, 1], Random(4096, 0, 255), UInt8), Unsure),
        ["how many people there are"] = (() => Made("Relu", "density", Random(64, 0, 0.05f)), Unsure),
        ["depths, or whatever is above 0"] = (() => Made("Relu", "output", Random(64, 0, 5)), "depth unsure"),
        ["what is odd"] = (() => Made("Sigmoid", "anomaly_map", Random(64, -3, 0.05f)), Unsure),
        ["how far each pixel moves"] = (() => In(64, 64).Output("displacement", [1, 1, 64, 64], Random(4096, -3, 3)), Unsure),
        ["two maps"] = (() => In(64, 64).Output("a", [1, 1, 64, 64], Random(4096, 0, 1)).Output("b", [1, 1, 64, 64], Random(4096, 0, 1)), Unsure),
        ["squares of a picture without one for all of it"] = (() => In(224, 224).Output("image_features", [1, 49, 64], Random(49 * 64, -1, 1)), Refused),
        ["squares of a picture after one for all of it"] = (() => In(224, 224).Output("last_hidden_state", [1, 50, 64], Random(50 * 64, -1, 1)), "embed"),
        ["a vector of zeros"] = (() => In(224, 224).Output("features", [1, 128], new float[128]), "embed unsure"),
        ["a DETR that gives its features too"] = (() => In(96, 96).Output("logits", new Grid(1, 100, 92).Fill(-9).Column(91, 0, [.. Enumerable.Repeat(9f, 100)]))
            .Output("pred_boxes", [1, 100, 4], Random(400, 0.3f, 0.5f)).Output("last_hidden_state", [1, 100, 256], Random(25_600, -1, 1)), "detect"),
        ["a YOLO that gives its features too"] = (() => In(96, 96).Output("output0", new Grid(1, 84, 189)).Output("features", [1, 256], Random(256, -1, 1)), "detect"),
        ["a YOLO with a map of features that are no prototypes"] = (() => In(96, 96).Output("output0", new Grid(1, 84, 189)).Output("neck", [1, 64, 12, 12], Random(64 * 144, -1, 1)), "detect"),
        ["heatmaps after a transposed convolution"] = (() => Transposed(In(64, 64)).Output("heatmaps", [1, 1, 64, 64], Random(4096, 0, 0.1f)), Unsure),
        ["faces with more numbers than a YOLOv5 has"] = (() => In(96, 96).Output("output", [1, 567, 21], [.. Enumerable.Repeat((float[])
            [40, 40, 20, 20, 0.01f, 0.99f, 30, 30, 0.9f, 40, 30, 0.9f, 0, 0, 0, 0, 0, 0, 0, 0, 0], 567).SelectMany(r => r)]), Refused),
    };

    /// <summary>What a file says of its output, and what it is when it is run.</summary>
    private static readonly Dictionary<string, Func<TestGraph>> Liars = new(StringComparer.Ordinal)
    {
        ["a map that is smaller"] = () => Free(In(64, 64), "logits", [1, 19, 64, 64], [1, 19, 8, 8]),
        ["a map that is larger"] = () => Free(In(64, 64), "logits", [1, 19, 8, 8], [1, 19, 64, 64]),
        ["a depth that isn't there"] = () => Free(In(64, 64), "depth", [1, 64, 64], [1, 0, 0]),
        ["a vector that is shorter"] = () => Free(In(224, 224), "embedding", [1, 512], [1, 128]),
        ["a vector that isn't there"] = () => Free(In(224, 224), "embedding", [1, 128], [1, 0]),
        ["keypoints that are fewer"] = () => Free(In(64, 64), "output_0", [1, 1, 17, 3], [1, 1, 2, 2]),
        ["a person's score that isn't there"] = () => Free(In(64, 64), "score", [1, 1], [0, 1]).Output("points", [1, 195], new float[195]).Output("world", [1, 117], new float[117]),
        ["boxes that are fewer"] = () => Free(In(96, 96), "output", [1, 567, 85], [1, 3, 7]),
        ["a map of text without columns"] = () => Free(Transposed(In(64, 64)), "maps", [1, 1, 64, 64], [1, 1, 0, 0]),
    };

    public static TheoryData<string> Kinds => [.. Cases.Keys];

    public static TheoryData<string> LiarNames => [.. Liars.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_not_taken_for_the_other_kind(string name)
    {
        var (graph, right) = Cases[name];
        using var file = new ModelFile(graph().ToArray());

        string told;
        try
        {
            using var model = VisionModel.Load(file.Path, new VisionModelOptions());
            told = model.Model.Unsure is null ? model.Model.Engine : $"{model.Model.Engine} {Unsure}";
        }
        catch (SpotterException refusal)
        {
            told = refusal.Code == ErrorCodes.ModelUnsupported ? Refused : refusal.Message;
        }

        told.ShouldEndWith(right);
    }

    [Theory]
    [MemberData(nameof(LiarNames))]
    public void A_model_that_gives_other_shapes_than_its_file_says_is_refused(string name)
    {
        using var file = new ModelFile(Liars[name]().ToArray());

        Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions())).Code.ShouldBe(ErrorCodes.ModelUnsupported);
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("saliency")]
    public void Whole_numbers_are_values_where_the_task_says_so(string task)
    {
        using var file = new ModelFile(In(64, 64).Output("output", [1, 64, 64], Random(4096, 0, 1), UInt8).ToArray());
        File.WriteAllText(Path.ChangeExtension(file.Path, ".yaml"), $"task: {task}\n");

        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        (model.Model.Engine, model.Model.Unsure).ShouldBe((task, null));
    }

    [Fact]
    public void A_map_can_be_cancelled_and_tells_of_no_more_classes_than_anybody_reads()
    {
        using var file = new ModelFile(In(64, 64).Note("task", "semantic").Output("ids", [1, 64, 64], [.. Enumerable.Range(0, 4096).Select(i => (float)i)], TestGraph.Int32).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(64, 64), new VisionParameters()).Result.Regions.ShouldNotBeNull().Count.ShouldBe(256);
        // Each of the two long steps by itself: a run that was cancelled before would end earlier.
        var cancelled = new CancellationToken(canceled: true);
        var letterbox = Letterbox.Create(model.Card.Input, 64, 64);
        var lane = model.Rent();
        using var run = model.Infer(lane);
        using var map = new GreyMap(64, 64);
        Should.Throw<OperationCanceledException>(() => LabelMapReader.Read(model.Card, new ModelOutputs(run.All, 0, 1), letterbox, map, cancelled));
        Should.Throw<OperationCanceledException>(() => RegionBuilder.Build(model.Card, map, letterbox, null, cancelled));
        model.Return(lane);
    }

    [Fact]
    public void A_box_of_which_a_number_is_none_is_left_out()
    {
        // A prepared box without size that grows beyond all numbers.
        var scores = new Grid(1, 100, 81);
        for (var row = 0; row < 100; row++)
            scores.Put(row, 0, 1);
        using var file = new ModelFile(In(96, 96).Output("loc", new Grid(1, 100, 4).Put(50, 0, 0, 0, 1000, 1000)).Output("conf", scores.Put(50, 0, 0.8f, 0, 0, 0.2f))
            .Output("mask", new Grid(1, 100, 32)).Output("priors", new Grid(100, 4).Put(50, 0, 0.5f, 0.5f, 0, 0)).Output("proto", [1, 24, 24, 32], new float[24 * 24 * 32]).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(96, 96), new VisionParameters { Confidence = 0.1 }).Result.Detections.ShouldBeEmpty();
    }

    private static TestGraph In(int width, int height) => Taking(1, 3, height, width);

    /// <summary>A map of 8 x 8 for 64 x 64 that an operator makes.</summary>
    private static TestGraph Made(string op, string name, float[] numbers) =>
        In(64, 64).Constant("numbers", [1, 1, 8, 8], numbers).Node(op, ["numbers"], [name]).Output(name, Float32, 1, 1, 8, 8);

    private static TestGraph Transposed(TestGraph graph) =>
        graph.Constant("cells", [1, 1, 2, 2], new float[4]).Constant("kernel", [1, 1, 2, 2], new float[4]).Node("ConvTranspose", ["cells", "kernel"], ["larger"]);

    /// <summary>An output whose shape is computed from the picture, so that nobody can tell it before.</summary>
    private static TestGraph Free(TestGraph graph, string name, long[] declared, long[] real) => graph
        .Node("ReduceMean", ["images"], ["mean"], ("keepdims", 0)).Constant("nothing", [], [0]).Node("Mul", ["mean", "nothing"], ["zero"]).Node("Cast", ["zero"], ["none"], ("to", TestGraph.Int64))
        .Constant("edges", [real.Length], [.. real.Select(edge => (float)edge)], TestGraph.Int64).Node("Add", ["edges", "none"], ["shape"])
        .Constant("value", [1], [0.5f]).Node("Expand", ["value", "shape"], [name]).Output(name, Float32, declared);

    private static string Names(int count) => $"[{string.Join(", ", Enumerable.Range(0, count).Select(i => $"'n{i}'"))}]";

    private static float[] OneHot(int rows, int columns) => [.. Enumerable.Range(0, rows * columns).Select(i => i % columns == 0 ? 1f : 0)];

    private static float[] Random(int count, float from, float to)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => from + (random.NextSingle() * (to - from)))];
    }
}
