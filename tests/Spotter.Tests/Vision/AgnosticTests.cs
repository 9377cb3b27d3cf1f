using FsCheck;
using FsCheck.Fluent;
using Spotter.Vision;
using Spotter.Vision.Boxes;
using Spotter.Vision.Inference;
using Spotter.Vision.Results;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Suppression across labels: one object keeps one box, whatever it was taken for.</summary>
public sealed class AgnosticTests
{
    private static Gen<Candidate> Candidate =>
        from x in Gen.Choose(0, 40)
        from y in Gen.Choose(0, 40)
        from w in Gen.Choose(1, 30)
        from h in Gen.Choose(1, 30)
        from score in Gen.Choose(1, 1000)
        from classId in Gen.Choose(0, 5)
        from anchor in Gen.Choose(0, int.MaxValue)
        from degrees in Gen.Choose(0, 179)
        select new Candidate(x, y, x + w, y + h, score / 1000f, classId, anchor, (float)(degrees * Math.PI / 180));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_two_that_are_left_overlap_too_much_and_whoever_goes_had_a_better_one(bool turned) => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Zip(Candidate.ListOf(), Gen.Choose(0, 100)).ToArbitrary(),
        sample =>
        {
            var (input, iou) = (sample.Item1, sample.Item2 / 100.0);
            var candidates = new Candidates();
            foreach (var candidate in input)
                candidates.Add(candidate);
            NonMaxSuppression.Apply(candidates, iou, turned, agnostic: true);
            var kept = candidates.Span.ToArray();

            double Overlap(Candidate a, Candidate b) => turned ? RotatedOverlap.Of(a, b) : NonMaxSuppression.Overlap(a, b);
            var apart = Enumerable.Range(0, kept.Length).All(i => kept.Skip(i + 1).All(other => Overlap(kept[i], other) <= iou));
            var excused = input.All(c => kept.Contains(c) || kept.Any(k => k.Score >= c.Score && Overlap(k, c) > iou));
            return apart && excused;
        }));

    [Fact]
    public void Tiles_are_put_together_across_labels_only_when_asked()
    {
        TileMerge Merge()
        {
            var merge = new TileMerge(new Region(0, 0, 200, 100));
            merge.Add(new Region(0, 0, 120, 100), [new Detection("car", 0, 0.9, new Box(40, 40, 60, 60))]);
            merge.Add(new Region(80, 0, 120, 100), [new Detection("truck", 1, 0.8, new Box(41, 40, 61, 60)), new Detection("truck", 1, 0.7, new Box(150, 40, 170, 60))]);
            return merge;
        }

        Merge().Merge(0.45).Select(d => d.Confidence).ShouldBe([0.9, 0.8, 0.7]);
        Merge().Merge(0.45, agnostic: true).Select(d => d.Confidence).ShouldBe([0.9, 0.7]);
    }

    [Fact]
    public void One_object_under_two_labels_is_found_once()
    {
        using var model = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'truck']")
            .Output("output0", new Grid(1, 6, 21).Column(0, 0, 16, 16, 10, 10, 0.8f, 0).Column(1, 0, 16, 16, 10, 10, 0, 0.9f).Column(2, 0, 5, 5, 4, 4, 0.7f, 0)));

        Found(model, new VisionParameters()).ShouldBe([("truck", 0.9), ("car", 0.8), ("car", 0.7)]);
        Found(model, new VisionParameters { Agnostic = true }).ShouldBe([("truck", 0.9), ("car", 0.7)]);
    }

    [Fact]
    public void So_is_one_from_a_model_that_gives_no_duplicates_of_a_label()
    {
        var rows = new Grid(1, 3, 6).Put(0, 0, 8, 8, 24, 24, 0.8f, 0).Put(1, 0, 8, 8, 24, 25, 0.9f, 1).Put(2, 0, 0, 0, 4, 4, 0.7f, 0);
        using var model = Load(Taking(1, 3, 32, 32).Note("names", "['car', 'truck']").Output("output0", rows));

        Found(model, new VisionParameters()).ShouldBe([("truck", 0.9), ("car", 0.8), ("car", 0.7)]);
        Found(model, new VisionParameters { Agnostic = true }).ShouldBe([("truck", 0.9), ("car", 0.7)]);
    }

    [Fact]
    public void Turned_boxes_are_compared_as_they_are_turned()
    {
        // The second lies across the first and is another object; the third is the first, a little turned.
        var columns = new Grid(1, 4 + 2 + 1, 21)
            .Column(0, 0, 16, 16, 20, 2, 0.9f, 0, 0).Column(1, 0, 16, 16, 20, 2, 0, 0.8f, MathF.PI / 2).Column(2, 0, 16, 16, 20, 2, 0, 0.7f, 0.01f);
        using var model = Load(Taking(1, 3, 32, 32).Note("task", "obb").Note("names", "['ship', 'plane']").Output("output0", columns));

        Found(model, new VisionParameters()).ShouldBe([("ship", 0.9), ("plane", 0.8), ("plane", 0.7)]);
        Found(model, new VisionParameters { Agnostic = true }).ShouldBe([("ship", 0.9), ("plane", 0.8)]);
    }

    private static List<(string Label, double Confidence)> Found(VisionModel model, VisionParameters options) =>
        model.Run(TestPictures.Png(32, 32), options).Result.Detections!.Select(d => (d.Label, d.Confidence)).ToList();

    private static VisionModel Load(TestGraph graph)
    {
        using var file = new ModelFile(graph.ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }
}
