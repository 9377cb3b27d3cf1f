using Spotter.Core;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

public sealed class BatchRunTests : IDisposable
{
    private static readonly int[] AllButFirst = [1, 2, 3];

    private readonly ModelFile file = new(BrightnessModel());
    private readonly VisionModel model;

    public BatchRunTests() => model = VisionModel.Load(file.Path, new VisionModelOptions());

    [Fact]
    public void Pictures_that_go_through_together_have_the_answers_that_they_have_alone()
    {
        var pictures = Enumerable.Range(1, 8).Select(i => TestPictures.Png(TestPictures.Flat(10 + (7 * i), 40, ((byte)(i * 30), (byte)(i * 30), (byte)(i * 30))), 10 + (7 * i), 40)).ToList();

        var together = model.Run([.. pictures.Select(p => new BatchPicture(p, new VisionParameters { Confidence = 0.05 }))]);

        for (var i = 0; i < pictures.Count; i++)
        {
            using var alone = model.Run(pictures[i], new VisionParameters { Confidence = 0.05 });
            var found = together[i].InferenceResult.ShouldNotBeNull().Result;
            (found.Width, found.Height).ShouldBe((alone.Result.Width, alone.Result.Height));
            found.Detections!.Select(d => (d.Label, d.Confidence, d.Box)).ShouldBe(alone.Result.Detections!.Select(d => (d.Label, d.Confidence, d.Box)));
        }
        together.Select(a => a.InferenceResult!.Result.Detections![0].Confidence).Distinct().Count().ShouldBe(8, "each picture has a brightness of its own");
    }

    [Fact]
    public void One_that_can_not_be_read_takes_nothing_away_from_the_others()
    {
        var good = TestPictures.Png(TestPictures.Flat(20, 20, (200, 200, 200)), 20, 20);
        byte[] cut = [.. TestPictures.Jpeg(200, 150).Take(900)];

        var answers = model.Run([new BatchPicture(cut, new VisionParameters()), new BatchPicture(good, new VisionParameters { Annotate = true }), new BatchPicture(default, new VisionParameters())]);

        answers[0].Refusal.ShouldNotBeNull().Code.ShouldBeOneOf(ErrorCodes.ImageTruncated, ErrorCodes.ImageInvalid);
        answers[2].Refusal.ShouldNotBeNull().Code.ShouldBe(ErrorCodes.EmptyBody);
        using var found = answers[1].InferenceResult.ShouldNotBeNull();
        found.Result.Detections!.ShouldHaveSingleItem().ClassId.ShouldBe(1);
        found.Annotated.Length.ShouldBeGreaterThan(100);
        found.Timings.EncodeMs.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Tiles_and_regions_are_looked_at_one_picture_at_a_time_with_the_same_answers()
    {
        var picture = TestPictures.Png(TestPictures.Flat(64, 64, (200, 200, 200)), 64, 64);
        var options = new VisionParameters { Region = new Region(0, 0, 32, 32) };

        var answers = model.Run([new BatchPicture(picture, options), new BatchPicture(picture, new VisionParameters())]);

        using var alone = model.Run(picture, options);
        answers[0].InferenceResult!.Result.Detections!.Select(d => d.Box).ShouldBe(alone.Result.Detections!.Select(d => d.Box));
        answers.ShouldAllBe(a => a.Refusal == null);
    }

    [Fact]
    public void A_model_for_one_picture_at_a_time_answers_one_after_the_other()
    {
        using var single = ModelFile.Load(TestModels.Columns(2, (16, 16, 8, 8, 1, 0.9f)));
        var picture = new BatchPicture(TestPictures.Png(32, 32), new VisionParameters());

        single.AtOnce(100).ShouldBe(1);
        single.Run([picture, picture, picture]).ShouldAllBe(a => a.InferenceResult!.Result.Detections!.Count == 1);
    }

    public void Dispose()
    {
        model.Dispose();
        file.Dispose();
    }

    /// <summary>Finds one thing of class 1, as sure of it as the picture is bright; takes any number of pictures.</summary>
    private static byte[] BrightnessModel()
    {
        var boxes = new Grid(1, 7, TestModels.Anchors32).Column(0, 0, 16, 16, 12, 12);
        var sure = new Grid(1, 7, TestModels.Anchors32).Column(0, 5, 1);
        return TestGraph.Taking(-1, 3, 32, 32)
            .Node("ReduceMean", ["images"], ["mean"], ("axes", AllButFirst), ("keepdims", 1))
            .Constant("shape", [3], [-1, 1, 1], TestGraph.Int64)
            .Node("Reshape", ["mean", "shape"], ["bright"])
            .Constant("sure", sure.Shape, sure.Numbers).Constant("boxes", boxes.Shape, boxes.Numbers)
            .Node("Mul", ["bright", "sure"], ["scores"])
            .Node("Add", ["scores", "boxes"], ["output0"])
            .Output("output0", TestGraph.Float32, -1, 7, TestModels.Anchors32)
            .Note("names", "{0: 'dark', 1: 'bright', 2: 'none'}")
            .ToArray();
    }
}
