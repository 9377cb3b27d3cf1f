using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

public sealed class LabelThresholdTests
{
    [Fact]
    public void A_label_may_need_more_or_less_than_the_others()
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Note("names", "['person', 'bus', 'dog']").Output("output0", new Grid(1, 7, 21)
            .Column(0, 0, 4, 4, 6, 6, 0.55f, 0, 0).Column(1, 0, 12, 4, 6, 6, 0.65f, 0, 0)
            .Column(2, 0, 4, 12, 6, 6, 0, 0.12f, 0).Column(3, 0, 12, 12, 6, 6, 0, 0.08f, 0)
            .Column(4, 0, 4, 24, 6, 6, 0, 0, 0.2f).Column(5, 0, 12, 24, 6, 6, 0, 0, 0.3f)).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());
        var thresholds = new Dictionary<string, double>(StringComparer.Ordinal) { ["person"] = 0.6, ["bus"] = 0.1 };

        Found(new VisionParameters()).ShouldBe([("person", 0.65), ("person", 0.55), ("dog", 0.3)]);
        Found(new VisionParameters { Thresholds = thresholds }).ShouldBe([("person", 0.65), ("dog", 0.3), ("bus", 0.12)]);
        // In parts of the picture, too.
        Found(new VisionParameters { Thresholds = thresholds, Region = new Region(0, 0, 32, 32) }).ShouldBe([("person", 0.65), ("dog", 0.3), ("bus", 0.12)]);

        List<(string, double)> Found(VisionParameters options) =>
            model.Run(TestPictures.Png(32, 32), options).Result.Detections!.Select(d => (d.Label, d.Confidence)).ToList();
    }
}
