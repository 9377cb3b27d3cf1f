using Spotter.Core;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models that are not run are refused by what they are, with the outputs of the published files, and never read as something else.</summary>
public sealed class UnsupportedKindTests
{
    private static readonly Dictionary<string, (Func<TestGraph> Model, string Said)> Kinds = new(StringComparer.Ordinal)
    {
        ["YuNet of 2022"] = (() => Taking(1, 3, 120, 160).Output("loc", new Grid(1118, 14)).Output("conf", new Grid(1118, 2)).Output("iou", new Grid(1118, 1)), "it is a YuNet face detector of before 2023"),
        ["BlazeFace"] = (() => Taking(1, 3, 128, 128).Output("regressors", new Grid(1, 896, 16)).Output("classificators", new Grid(1, 896, 1)), "it is one of MediaPipe's detectors"),
        ["BlazeFace in four parts"] = (() => Taking(1, 128, 128, 3).Output("classificator_8", new Grid(1, 512, 1)).Output("classificator_16", new Grid(1, 384, 1))
            .Output("regressor_8", new Grid(1, 512, 16)).Output("regressor_16", new Grid(1, 384, 16)), "it is one of MediaPipe's detectors"),
        ["MediaPipe's detector of people"] = (() => Taking(1, 224, 224, 3).Output("Identity", new Grid(1, 2254, 12)).Output("Identity_1", new Grid(1, 2254, 1)), "it is one of MediaPipe's detectors"),
        ["queries that are heads"] = (() => Taking(1, 3, 320, 320).Output("a", new Grid(1, 1600, 84)).Output("b", new Grid(1, 400, 84)).Output("c", new Grid(1, 100, 84)), "look like one for each stride"),
    };

    public static TheoryData<string> Names => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_refused_by_name(string name)
    {
        var (model, said) = Kinds[name];
        using var file = new ModelFile(model().ToArray());

        var refusal = Should.Throw<SpotterException>(() => VisionModel.Load(file.Path, new VisionModelOptions()));

        refusal.Code.ShouldBe(ErrorCodes.ModelUnsupported);
        refusal.Message.ShouldContain(said);
        refusal.Message.ShouldNotContain(".yaml");
    }
}
