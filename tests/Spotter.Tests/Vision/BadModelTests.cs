using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>What can't be run is refused when it is loaded, with one sentence that says what is wrong and what to do.</summary>
public sealed partial class BadModelTests
{
    private const string Unsupported = ErrorCodes.ModelUnsupported;
    private const string Invalid = ErrorCodes.ModelInvalid;

    private static readonly Grid Columns = new Grid(1, 7, 21).Column(9, 0, 16, 16, 8, 8, 0, 0.9f);

    public static IReadOnlyDictionary<string, (Func<byte[]> Model, string Code, string Sentence)> All { get; } =
        new Dictionary<string, (Func<byte[]>, string, string)>(StringComparer.Ordinal)
        {
            ["nothing in it"] = (() => [], Invalid, "FILE is empty; fetch or export the model again."),
            ["text"] = (() => "this is no model"u8.ToArray(), Invalid, "FILE is not an ONNX model; export the model to ONNX, or give the right file."),
            ["web page"] = (() => "\n<!DOCTYPE html><html>Not found</html>"u8.ToArray(), Invalid, "FILE is a web page and not an ONNX model; fetch the model again."),
            ["pointer"] = (() => "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"u8.ToArray(), Invalid, "FILE is a pointer of Git LFS and not the model itself; fetch the model with git lfs pull."),
            ["PyTorch"] = (() => [0x50, 0x4B, 3, 4, .. new byte[60]], Invalid, "FILE is an archive, as PyTorch's weights are, and not an ONNX model; export the model to ONNX, or unpack it."),
            ["TensorFlow Lite"] = (() => [0x1C, 0, 0, 0, .. "TFL3"u8, .. new byte[60]], Invalid, "FILE is a TensorFlow Lite model and not an ONNX model; export the model to ONNX."),
            ["newer opset"] = (() => Good().Opset(99).ToArray(), Unsupported, "FILE was written for opset 99 of ONNX, and this build of ONNX Runtime knows them up to N; export the model with a lower opset, or use a newer build with SPOTTER__NATIVE__ONNXRUNTIME."),
            ["newer format"] = (() => Good().Format(99).ToArray(), Unsupported, "FILE has version 99 of the ONNX format, and this build of ONNX Runtime knows them up to N; save it with a lower one, or use a newer build with SPOTTER__NATIVE__ONNXRUNTIME."),
            ["custom operators"] = (() => Good().Opset(1, "my.ops").Node("my.ops", "Blur", ["images"], ["blurred"]).Node("", "Sin", ["blurred"], ["sine"]).ToArray(), Unsupported, "FILE needs operators that are not part of ONNX (my.ops.Blur); export the model without them."),
            ["TensorRT's suppression"] = (() => Taking(1, 3, 32, 32).Opset(1, "TRT").Node("TRT", "EfficientNMS_TRT", ["images"], ["num_dets"]).Output("num_dets", Whole, 1, 1).ToArray(), Unsupported, "FILE needs operators that are not part of ONNX (TRT.EfficientNMS_TRT); export the model without them."),
            ["unknown operator"] = (() => Good().Node("Frobnicate", ["images"], ["other"]).ToArray(), Unsupported, "FILE needs the operator Frobnicate, which this build of ONNX Runtime has not for opset 13; export the model without it."),
            ["operator of a later opset"] = (() => Good().Node("Gelu", ["images"], ["other"]).Output("other", Float32, 1, 3, 32, 32).ToArray(), Unsupported, "FILE needs the operator Gelu, which this build of ONNX Runtime has not for opset 13; export the model without it."),
            ["operator for other numbers"] = (() => new TestGraph().Input("images", UInt8, 1, 3, 32, 32).Node("Sin", ["images"], ["other"]).Output("other", UInt8, 1, 3, 32, 32).ToArray(), Invalid, "FILE is an invalid ONNX model (Type Error: Type 'tensor(uint8)' of input parameter (images) of operator (Sin) in node () is invalid); export the model again."),
            ["no implementation"] = (() => Good().Opset(22).Node("Cast", ["images"], ["brief"], ("to", 16)).Node("Sin", ["brief"], ["other"]).Output("other", 16, 1, 3, 32, 32).ToArray(), Unsupported, "FILE needs the operator Sin, which this build of ONNX Runtime has not for opset 22; export the model without it."),
            ["two inputs"] = (() => Good().Input("mask", Float32, 1, 1, 32, 32).ToArray(), Unsupported, "FILE is not understood: its input mask [1,1,32,32] is neither a picture nor [1,2] for the picture's size."),
            ["three numbers beside the picture"] = (() => Good().Input("im_info", Float32, 1, 3).ToArray(), Unsupported, "FILE is not understood: its input im_info [1,3] is neither a picture nor [1,2] for the picture's size."),
            ["two pictures"] = (() => Good().Input("before", Float32, 1, 3, 32, 32).ToArray(), Unsupported, "FILE is not understood: its input before [1,3,32,32] is a second picture; only one is fed."),
            ["three inputs"] = (() => Good().Input("mask", Float32, 1, 1, 32, 32).Input("size", Longs, 1, 2).ToArray(), Unsupported, "FILE is not understood: it has 3 inputs (images [1,3,32,32], mask [1,1,32,32], size int64 [1,2]); a picture, and perhaps the picture's size, are all that is fed."),
            ["no input"] = (() => new TestGraph().Output("output0", Columns).ToArray(), Unsupported, "FILE is not understood: it has no input for a picture."),
            ["only a size"] = (() => new TestGraph().Input("size", Longs, 1, 2).Output("output0", Columns).ToArray(), Unsupported, "FILE is not understood: its input size int64 [1,2] is no picture: it would have to be float32, float16, uint8 or int32 [1,3,height,width] or [1,height,width,3]."),
            ["one colour"] = (() => Taking(1, 1, 32, 32).Output("output0", Columns).ToArray(), Unsupported, "FILE is not understood: its input images [1,1,32,32] takes pictures of one colour; only models for RGB or BGR are run."),
            ["four channels"] = (() => Taking(1, 4, 32, 32).Output("output0", Columns).ToArray(), Unsupported, "FILE is not understood: its input images [1,4,32,32] is no picture: it would have to be float32, float16, uint8 or int32 [1,3,height,width] or [1,height,width,3]."),
            ["words"] = (() => new TestGraph().Input("input_ids", Longs, 1, 128).Output("output0", new Grid(1, 2)).ToArray(), Unsupported, "FILE is not understood: its input input_ids int64 [1,128] is no picture: it would have to be float32, float16, uint8 or int32 [1,3,height,width] or [1,height,width,3]."),
            ["four pictures at once"] = (() => Taking(4, 3, 32, 32).Output("output0", new Grid(4, 7, 21)).ToArray(), Unsupported, "FILE is not understood: its input images [4,3,32,32] takes 4 pictures at once and no fewer; export it for one, or with a free first dimension."),
            ["no classes"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 4, 21)).ToArray(), Unsupported, "FILE is not understood: it has 0 classes, so there is nothing that it could find; export it with its classes."),
            ["no classes in rows"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 63, 5)).ToArray(), Unsupported, "FILE is not understood: it has 0 classes, so there is nothing that it could find; export it with its classes."),
            ["no classes in cells"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 21, 5)).ToArray(), Unsupported, "FILE is not understood: it has 0 classes, so there is nothing that it could find; export it with its classes."),
            ["no classes to tell apart"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 0)).ToArray(), Unsupported, "FILE is not understood: it has 0 classes, so there is nothing that it could find; export it with its classes."),
            ["bare heads"] = (() => Taking(1, 3, 32, 32).Output("a", new Grid(1, 3, 4, 4, 85)).Output("b", new Grid(1, 3, 2, 2, 85)).Output("c", new Grid(1, 3, 1, 1, 85)).ToArray(), Unsupported, "FILE is not understood: its outputs are the bare heads of a YOLO; export it with its boxes decoded (for YOLOv7 with --grid)."),
            ["a picture for a picture"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 3, 64, 64)).ToArray(), Unsupported, "FILE is not understood: none of its outputs is a layout that is known (inputs images [1,3,32,32]; outputs output0 [1,3,64,64]); what it is can be said in FILE.yaml."),
            ["an SSD without suppression"] = (() => Taking(1, 3, 300, 300).Output("scores", new Grid(1, 3000, 21)).Output("boxes", new Grid(1, 3000, 4).Column(0, 0, [.. Enumerable.Range(0, 3000).Select(i => i % 4f)])).ToArray(), Unsupported, "FILE is not understood: 2250 of the 3000 boxes of its output boxes [1,3000,4] have their corners exchanged, so they are not decoded; export it with its boxes decoded."),
            ["other classes than named"] = (() => Good().Note("names", "['a', 'b']").ToArray(), Unsupported, "FILE is not understood: none of its outputs is a known layout of its 2 classes (inputs images [1,3,32,32]; outputs output0 [1,7,21]); what it is can be said in FILE.yaml."),
            ["a name of thousands of characters"] = (() => Good().Note("names", $"['a', 'b', '{new string('c', 1001)}']").ToArray(), Unsupported, "FILE is not understood: one of its labels has 1001 characters; 1000 are the most."),
            ["another task"] = (() => Good().Note("task", "track").ToArray(), Unsupported, "FILE is not understood: its task is 'track'; tasks are detect, classify, segment, pose, obb, read, semantic, depth, saliency and embed."),
            ["a task without its output"] = (() => Good().Note("task", "segment").ToArray(), Unsupported, "FILE is not understood: none of its outputs is a layout that is known for the task 'segment' (inputs images [1,3,32,32]; outputs output0 [1,7,21]); what it is can be said in FILE.yaml."),
            ["keypoints of four numbers"] = (() => Good().Note("task", "pose").Note("kpt_shape", "[17, 4]").ToArray(), Unsupported, "FILE is not understood: its kpt_shape is [17, 4]; keypoints have 2 or 3 numbers."),
            ["no numbers"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 21).Fill(float.NaN)).ToArray(), ErrorCodes.ModelOutputInvalid, "tiny gave numbers that are infinite or not numbers at all; export the model again."),
            ["endless numbers"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 21).Put(3, 3, float.NegativeInfinity)).ToArray(), ErrorCodes.ModelOutputInvalid, "tiny gave numbers that are infinite or not numbers at all; export the model again."),
            ["fewer numbers than declared"] = (() => Taking(1, 3, 32, 32).Output("output0", new Grid(1, 7, 20), declared: [1, 7, 21]).ToArray(), Unsupported, "FILE is not understood: none of its outputs is a layout that is known (inputs images [1,3,32,32]; outputs output0 [1,7,20]); what it is can be said in FILE.yaml."),
            ["a run that fails"] = (() => Taking(1, 3, -1, -1).Constant("shape", [3], [1, 7, 22], Longs).Node("Reshape", ["images", "shape"], ["output0"]).Output("output0", Float32, 1, 7, 21).ToArray(), ErrorCodes.ModelInvalid, "FILE can't be run on a picture of 640 x 640 pixels: its operator Reshape fails (The input tensor cannot be reshaped to the requested shape. Input shape:{1,3,640,640}, requested shape:{1,7,22}); if it wants another size, say so with input.width and input.height in FILE.yaml."),
            ["an output twice"] = (() => Good().Output("output0", Columns).ToArray(), Invalid, "FILE is an invalid ONNX model (Duplicate definition of name (output0)); export the model again."),
            ["an input that nobody gives"] = (() => Taking(1, 3, 32, 32).Node("Identity", ["nowhere"], ["output0"]).Output("output0", Float32, 1, 7, 21).ToArray(), Invalid, "FILE is an invalid ONNX model (Node input 'nowhere' is not a graph input, initializer, or output of a previous node); export the model again."),
        };

    private const int Longs = TestGraph.Int64;
    private const int Whole = TestGraph.Int32;

    public static TheoryData<string> Names => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_is_refused_with_its_sentence(string name)
    {
        var (model, code, sentence) = All[name];
        using var file = new ModelFile(model());

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()).Dispose());

        var said = refusal.Message.Replace(file.Path, "FILE", StringComparison.Ordinal).Replace(Path.ChangeExtension(file.Path, null), "FILE", StringComparison.Ordinal);
        Version().Replace(said, "up to N").ShouldBe(sentence);
        refusal.Code.ShouldBe(code);
    }

    /// <summary>A file may end after its graph and the versions of its operators, so what is cut off after them isn't missed.</summary>
    [Fact]
    public void Cut_short_anywhere()
    {
        var whole = Good().Note("names", "['a', 'b', 'c']").ToArray();
        var complete = Good().ToArray().Length;
        using var file = new ModelFile(whole);
        for (var length = whole.Length - 1; length > 0; length--)
        {
            if (length == complete)
                continue;
            File.WriteAllBytes(file.Path, whole[..length]);

            var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()).Dispose(), $"{length} bytes");

            refusal.Code.ShouldBe(Invalid);
            string[] sentences =
            [
                $"{file.Path} is not an ONNX model; export the model to ONNX, or give the right file.",
                $"{file.Path} is cut short: it ends after {length} bytes in the middle of its graph; fetch or export the model again.",
                $"{file.Path} does not say which versions of ONNX's operators it needs, so it is cut short or damaged; fetch or export the model again.",
            ];
            sentences.Contains(refusal.Message, StringComparer.Ordinal).ShouldBeTrue(refusal.Message);
            (length < 40 || refusal.Message != sentences[0]).ShouldBeTrue(refusal.Message);
        }
    }

    [Fact]
    public void Numbers_that_are_none_for_some_pictures_fail_their_job()
    {
        // The root of a negative number: for pictures brighter than half.
        using var file = new ModelFile(Taking(1, 3, 32, 32)
            .Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(1, 2, 3)), ("keepdims", 0)).Constant("half", [1], [0.5f]).Node("Sub", ["half", "mean"], ["rest"]).Node("Sqrt", ["rest"], ["root"])
            .Constant("columns", Columns.Shape, Columns.Numbers).Constant("zero", [1], [0]).Node("Mul", ["root", "zero"], ["nought"]).Node("Add", ["columns", "nought"], ["output0"])
            .Output("output0", Float32, 1, 7, 21).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        model.Run(TestPictures.Png(TestPictures.Flat(32, 32, (40, 40, 40)), 32, 32), new VisionParameters()).Result.Detections!.Count.ShouldBe(1);
        foreach (var options in (VisionParameters[])[new(), new() { Annotate = true }, new() { Tile = 32 }])
        {
            var refusal = Should.Throw<SpotterException>(() => model.Run(TestPictures.Png(TestPictures.Flat(80, 80, (240, 240, 240)), 80, 80), options));
            refusal.Code.ShouldBe(ErrorCodes.ModelOutputInvalid);
            refusal.Message.ShouldBe("tiny gave numbers that are infinite or not numbers at all; export the model again.");
        }
        model.Run(TestPictures.Png(TestPictures.Flat(32, 32, (40, 40, 40)), 32, 32), new VisionParameters()).Result.Detections!.Count.ShouldBe(1);
    }

    private static TestGraph Good() => Taking(1, 3, 32, 32).Output("output0", Columns);

    [System.Text.RegularExpressions.GeneratedRegex("up to [0-9]+", System.Text.RegularExpressions.RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial System.Text.RegularExpressions.Regex Version();
}
