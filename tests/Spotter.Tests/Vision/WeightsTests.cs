using System.Runtime.InteropServices;
using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;

namespace Spotter.Tests.Vision;

/// <summary>Models whose weights lie in files beside them.</summary>
public sealed class WeightsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Model => folder.File("tiny.onnx");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void They_are_read()
    {
        Write("tiny.onnx.data");
        Weights("tiny.onnx.data", 16);

        Box().ShouldBe(new Box(12, 12, 20, 20));
    }

    [Fact]
    public void They_may_lie_in_a_folder_below()
    {
        Write("weights/of tiny");
        Directory.CreateDirectory(folder.File("weights"));
        Weights("weights/of tiny", 16);

        Box().ShouldBe(new Box(12, 12, 20, 20));
    }

    [Fact]
    public void Other_weights_make_another_version()
    {
        Write("tiny.onnx.data");
        Weights("tiny.onnx.data", 16);
        var first = ModelVersion.Of(Model);
        Weights("tiny.onnx.data", 15);
        var second = ModelVersion.Of(Model);
        Weights("tiny.onnx.data", 16);

        second.ShouldNotBe(first, StringComparer.Ordinal);
        ModelVersion.Of(Model).ShouldBe(first);
        ModelInspector.Inspect(Model).Model.Version.ShouldBe(first);
    }

    [Fact]
    public void Other_labels_make_another_version()
    {
        File.WriteAllBytes(Model, TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2)]));
        File.WriteAllText(folder.File("tiny.yaml"), "labels: names.txt");
        var before = ModelStamp.Of(Model, earlier: null);
        File.WriteAllText(folder.File("names.txt"), "ant\nbee\n");
        var arrived = ModelStamp.Of(Model, before);
        var first = ModelVersion.Of(Model);
        File.WriteAllText(folder.File("names.txt"), "ant\nwasp\n");

        arrived.ShouldNotBe(before);
        ModelStamp.Of(Model, arrived).ShouldNotBe(arrived);
        ModelVersion.Of(Model).ShouldNotBe(first, StringComparer.Ordinal);
    }

    [Fact]
    public void A_stamp_changes_with_the_weights_alone()
    {
        Write("tiny.onnx.data");
        var absent = ModelStamp.Of(Model, earlier: null);
        ModelStamp.Of(Model, absent).ShouldBe(absent);
        Weights("tiny.onnx.data", 16);
        var there = ModelStamp.Of(Model, absent);
        there.ShouldNotBe(absent);
        ModelStamp.Of(Model, there).ShouldBe(there);

        // Of the same length, written at the same time.
        Weights("other", 15);
        File.SetLastWriteTimeUtc(folder.File("other"), File.GetLastWriteTimeUtc(folder.File("tiny.onnx.data")).AddMilliseconds(1));
        File.Move(folder.File("other"), folder.File("tiny.onnx.data"), overwrite: true);
        ModelStamp.Of(Model, there).ShouldNotBe(there);
    }

    [Fact]
    public void A_stamp_knows_the_files_that_a_new_model_names()
    {
        Write("one");
        var before = ModelStamp.Of(Model, earlier: null);
        Write("another one");
        var named = ModelStamp.Of(Model, before);
        Weights("another one", 16);

        ModelStamp.Of(Model, named).ShouldNotBe(named);
    }

    [Theory]
    [InlineData("tiny.onnx.data", "which is not there; put it into the model's folder.")]
    [InlineData("sub", "which is not there; put it into the model's folder.")]
    [InlineData("short", "which has 100 bytes where at least 588 are wanted; copy it again, whole.")]
    [InlineData("../outside", "which is no name within the model's own folder; put the file there and name it so.")]
    [InlineData("sub/../../outside", "which is no name within the model's own folder; put the file there and name it so.")]
    [InlineData("/etc/passwd", "which is no name within the model's own folder; put the file there and name it so.")]
    [InlineData("sub\\data", "which is no name within the model's own folder; put the file there and name it so.")]
    [InlineData("link", "which is a link that leads out of the model's own folder; put the file itself there.")]
    [InlineData("up/outside", "which is a link that leads out of the model's own folder; put the file itself there.")]
    public void Weights_that_cannot_be_taken_are_refused_by_name(string name, string why)
    {
        var models = Directory.CreateDirectory(folder.File("models")).FullName;
        Directory.CreateDirectory(Path.Combine(models, "sub"));
        Weights("outside", 16);
        File.WriteAllBytes(Path.Combine(models, "short"), new byte[100]);
        File.CreateSymbolicLink(Path.Combine(models, "link"), "../outside");
        Directory.CreateSymbolicLink(Path.Combine(models, "up"), "..");
        var model = Path.Combine(models, "tiny.onnx");
        File.WriteAllBytes(model, Graph(name).ToArray());

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(model, new VisionModelOptions()).Dispose());

        refusal.Code.ShouldBe(ErrorCodes.ModelInvalid);
        refusal.Message.ShouldBe($"{model} keeps its weights in another file, {name}, {why}");
        ModelStamp.Of(model, earlier: null).Model.Exists.ShouldBeTrue();
    }

    [Fact]
    public void They_are_found_wherever_a_graph_may_have_tensors()
    {
        var body = new TestGraph().External("e", [1], "e").Node("Constant", [], ["out"], ("value", TestGraph.Elsewhere("d", [2], "d", offset: 12)));
        File.WriteAllBytes(Model, TestGraph.Taking(1, 3, 32, 32)
            .Constant("numbers", [1], [1])
            .External("a", [4], "b").External("b", [4], "a", offset: 16).External("c", [4], "a")
            .Node("If", ["x"], ["y"], ("then_branch", body)).ToArray());

        OnnxFile.WeightsOf(Model).ShouldBe(new Dictionary<string, long>(StringComparer.Ordinal) { ["a"] = 32, ["b"] = 16, ["d"] = 20, ["e"] = 4 });
    }

    [Fact]
    public void Graphs_within_graphs_are_followed_only_so_deep()
    {
        var graph = new TestGraph().External("deep", [1], "deep");
        for (var i = 0; i < 200; i++)
            graph = new TestGraph().Node("If", ["x"], ["y"], ("then_branch", graph));
        File.WriteAllBytes(Model, graph.External("top", [1], "top").ToArray());

        OnnxFile.WeightsOf(Model).Keys.ShouldBe(["top"]);
    }

    private static TestGraph Graph(string name) => TestGraph.Taking(1, 3, 32, 32)
        .External("numbers", [1, 7, 21], name).Node("Identity", ["numbers"], ["output0"]).Output("output0", TestGraph.Float32, 1, 7, 21);

    private void Write(string weights) => File.WriteAllBytes(Model, Graph(weights).ToArray());

    /// <summary>Weights that find one thing of 8 x 8 around a place.</summary>
    private void Weights(string name, float centre)
    {
        var numbers = TestModels.Columns(3, (centre, centre, 8, 8, 1, 0.9f)).Numbers;
        File.WriteAllBytes(folder.File(name), MemoryMarshal.AsBytes<float>(numbers));
    }

    private Box Box()
    {
        using var model = VisionModel.Load(Model, new VisionModelOptions());
        return model.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem().Box;
    }
}
