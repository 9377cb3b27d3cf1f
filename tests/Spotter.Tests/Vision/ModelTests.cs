using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Tests.Vision;

public sealed class ModelTests
{
    private const int Cells32 = TestModels.Anchors32;

    private static readonly long[] Input32 = [1, 3, 32, 32];

    [SharedTheory]
    [InlineData("yolov8n-uint8.onnx", "yolov8", 640)]
    [InlineData("yolox_nano.onnx", "yolox", 416)]
    [InlineData("yolox_nano_v5layout.onnx", "yolov5", 416)]
    public void A_real_model_says_what_it_is(string file, string family, int size)
    {
        var info = ModelInspector.Inspect(SharedFiles.Model(file)).Model;

        info.Id.ShouldBe(Path.GetFileNameWithoutExtension(file));
        (info.Engine, info.Family, info.InputWidth, info.InputHeight).ShouldBe(("detect", family, size, size));
        info.Labels.Count.ShouldBe(80);
        info.Labels[5].ShouldBe("bus");
        info.Labels[79].ShouldBe("toothbrush");
    }

    [SharedTheory]
    [InlineData("squeezenet_fp16.onnx")]
    [InlineData("squeezenet_fp32.onnx")]
    public void A_real_classifier_says_what_it_is(string file)
    {
        var info = ModelInspector.Inspect(SharedFiles.Model(file)).Model;

        (info.Engine, info.Family, info.InputWidth, info.InputHeight).ShouldBe(("classify", "classifier", 224, 224));
        info.Labels.Count.ShouldBe(1000);
        info.Labels[963].ShouldBe("pizza");
    }

    [Fact]
    public void A_missing_file_is_refused()
    {
        var refusal = Refusal(() => VisionModel.Load(Path.Combine(Path.GetTempPath(), "no-such-model.onnx"), new VisionModelOptions()));

        refusal.Code.ShouldBe(ErrorCodes.ModelNotFound);
        refusal.Message.ShouldContain("no-such-model.onnx");
    }

    [Theory]
    [InlineData("this is no model", "not an ONNX model")]
    [InlineData("<html><body>404: not found</body></html>", "not an ONNX model")]
    [InlineData("", "is empty")]
    public void A_file_that_is_no_model_is_refused(string content, string reason)
    {
        using var file = new ModelFile(System.Text.Encoding.UTF8.GetBytes(content));

        var refusal = Refusal(() => VisionModel.Load(file.Path, new VisionModelOptions()));

        refusal.Code.ShouldBe(ErrorCodes.ModelInvalid);
        refusal.Message.ShouldContain(reason);
        refusal.Message.ShouldContain(file.Path);
    }

    [Fact]
    public void A_model_that_is_cut_short_is_refused()
    {
        var whole = TestModels.Constant(Input32, [TestModels.Columns(3)]);
        using var file = new ModelFile(whole[..(whole.Length / 2)]);

        var refusal = Refusal(() => VisionModel.Load(file.Path, new VisionModelOptions()));

        refusal.Code.ShouldBe(ErrorCodes.ModelInvalid);
        refusal.Message.ShouldContain("cut short");
    }

    [Fact]
    public void A_task_that_is_not_known_is_refused()
    {
        using var file = new ModelFile(TestModels.Constant(Input32, [TestModels.Columns(3)], [("task", "depth")]));

        var refusal = Refusal(() => ModelInspector.Inspect(file.Path));

        refusal.Code.ShouldBe(ErrorCodes.ModelUnsupported);
        refusal.Message.ShouldContain("'depth'");
    }

    [Fact]
    public void A_task_that_the_outputs_do_not_fit_is_refused()
    {
        using var file = new ModelFile(TestModels.Constant(Input32, [TestModels.Columns(3)], [("task", "segment")]));

        Refusal(() => ModelInspector.Inspect(file.Path)).Message.ShouldContain("'segment'");
    }

    [Fact]
    public void Names_that_do_not_fit_the_output_are_refused()
    {
        using var file = new ModelFile(TestModels.Constant(Input32, [TestModels.Columns(3)], [("names", "{0: 'a', 1: 'b'}")]));

        Refusal(() => ModelInspector.Inspect(file.Path)).Message.ShouldContain("2 classes");
    }

    [Fact]
    public void Free_dimensions_take_the_size_from_the_notes()
    {
        using var file = new ModelFile(TestModels.Constant(
            [-1, 3, -1, -1], [TestModels.Columns(3)], [("imgsz", "[32, 32]"), ("names", "{0: 'ant', 1: 'bee', 2: \"driver's seat\"}")]));

        using var detector = VisionModel.Load(file.Path, new VisionModelOptions());

        (detector.Model.InputWidth, detector.Model.InputHeight).ShouldBe((32, 32));
        detector.Model.Labels.ShouldBe(["ant", "bee", "driver's seat"]);
    }

    [Fact]
    public void Classes_without_names_are_numbered()
    {
        using var detector = ModelFile.Load(TestModels.Columns(3));

        detector.Model.Id.ShouldBe("tiny");
        detector.Model.Labels.ShouldBe(["class 0", "class 1", "class 2"]);
    }

    [Fact]
    public void A_side_output_does_not_hide_the_boxes()
    {
        using var file = new ModelFile(TestModels.Constant(Input32, [(new long[] { 1, 2 }, new float[2]), TestModels.Columns(3, (16, 16, 8, 8, 1, 0.9f))]));
        using var detector = VisionModel.Load(file.Path, new VisionModelOptions());

        detector.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem().ClassId.ShouldBe(1);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Numbers_that_mean_nothing_are_refused_when_the_model_is_loaded(float bad)
    {
        var output = TestModels.Columns(3);
        output.Numbers[100] = bad;

        Refusal(() => ModelFile.Load(output)).Code.ShouldBe(ErrorCodes.ModelOutputInvalid);
    }

    [Fact]
    public void Yolox_heads_and_yolox_boxes_are_told_apart_by_their_numbers()
    {
        float[] heads = new float[Cells32 * 6], boxes = new float[Cells32 * 6];
        for (var anchor = 0; anchor < Cells32; anchor++)
            (boxes[anchor * 6], boxes[(anchor * 6) + 1]) = (16, 16);
        new float[] { 0.5f, 0.5f, 0, 0, 0.9f, 1 }.CopyTo(heads, 5 * 6); // second row, second column of the finest grid
        new float[] { 12, 12, 8, 8, 0.9f, 1 }.CopyTo(boxes, 5 * 6);

        foreach (var numbers in (float[][])[heads, boxes])
        {
            using var detector = ModelFile.Load(([1, Cells32, 6], numbers));

            detector.Model.Family.ShouldBe("yolox");
            detector.Run(TestPictures.Png(32, 32), new VisionParameters()).Result.Detections!.ShouldHaveSingleItem()
                .Box.ShouldBe(new Box(8, 8, 16, 16));
        }
    }

    [Theory]
    [InlineData(7, Cells32, null, false, OutputLayout.Columns, 3)]
    [InlineData(7, Cells32, 3, true, OutputLayout.Columns, 3)]
    [InlineData(3 * Cells32, 8, null, false, OutputLayout.Rows, 3)]
    [InlineData(3 * Cells32, 8, 3, true, OutputLayout.Rows, 3)]
    [InlineData(Cells32, 8, 3, true, OutputLayout.Rows, 3)]
    [InlineData(Cells32, 7, 3, true, OutputLayout.ScoreRows, 3)]
    [InlineData(Cells32, 8, null, true, OutputLayout.Rows, 3)]
    [InlineData(Cells32, 8, null, false, OutputLayout.Cells, 3)]
    [InlineData(300, 6, 3, true, OutputLayout.EndToEnd, 3)]
    [InlineData(300, 84, null, false, OutputLayout.QueryRows, 80)]
    public void The_layout_follows_from_shape_and_notes(int first, int second, int? names, bool noted, object layout, int classes)
    {
        var told = Tell([1, first, second], names, noted).ShouldNotBeNull();

        told.Layout.ShouldBe((OutputLayout)layout);
        told.Classes.ShouldBe(classes);
    }

    [Theory]
    [InlineData(2, 7, Cells32)]
    [InlineData(1, 7, 22)]
    [InlineData(1, 4, Cells32)]
    [InlineData(1, Cells32, 5)]
    public void Other_shapes_are_no_detector(int batch, int first, int second) => Tell([batch, first, second], null, noted: true).ShouldBeNull();

    private static LayoutGuess? Tell(long[] shape, int? names, bool noted) => LayoutRules.Tell(
        [new OrtPort("output0", OrtPort.Float32, shape)], new LayoutHints { Width = 32, Height = 32, Names = names, Noted = noted }) is [var first, ..] ? first : null;

    [Theory]
    [InlineData("{0: 'person', 1: 'dog'}", "person|dog")]
    [InlineData("{\"0\": \"person\", \"1\": \"dog\"}", "person|dog")]
    [InlineData("['person', 'dog']", "person|dog")]
    [InlineData("{1: 'dog', 0: 'it\\'s'}", "it's|dog")]
    [InlineData("{0: 'a', 2: 'c'}", "a|class 1|c")]
    [InlineData("{0: 'a, b: {1: x}'}", "a, b: {1: x}")]
    [InlineData("{\"0\": \"caf\\u00e9\", \"1\": \"\\ud83d\\ude97\"}", "café|🚗")]
    [InlineData("{0: 'caf\\xe9', 1: '\\U0001f697'}", "café|🚗")]
    [InlineData("[\"{0: 'title', 1: 'text'}\"]", "title|text")]
    [InlineData("['title', 'text',]", "title|text")]
    [InlineData("{'person': 0, 'dog': 1}", "person|dog")]
    [InlineData("{\"dog\": 1, \"person\": 0}", "person|dog")]
    [InlineData("[{\"id\": 1, \"name\": \"dog\"}, {\"id\": 0, \"name\": \"person\"}]", "person|dog")]
    [InlineData("person,dog", "person|dog")]
    [InlineData("person\nguide dog, on duty\n", "person|guide dog, on duty")]
    public void Names_are_read_in_every_spelling(string notes, string expected) =>
        string.Join('|', LabelNames.Parse(notes).ShouldNotBeNull()).ShouldBe(expected);

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("{0: 'open")]
    [InlineData("{999999999999: 'far'}")]
    public void Names_that_can_not_be_read_are_none(string? notes) => LabelNames.Parse(notes).ShouldBeNull();

    private static SpotterException Refusal(Action load) => Should.Throw<SpotterException>(load);
}
