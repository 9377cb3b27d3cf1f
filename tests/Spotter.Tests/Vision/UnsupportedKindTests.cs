using Spotter.Core;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>Models that are not run are refused by what they are, with the outputs of the published files, and never read as something else.</summary>
public sealed class UnsupportedKindTests
{
    private static readonly Dictionary<string, (Func<TestGraph> Model, string Said)> Kinds = new(StringComparer.Ordinal)
    {
        ["YuNet of 2023"] = (() => Strided(Taking(1, 3, 96, 96), (8, 144), (16, 36), (32, 9)), "it is a YuNet face detector"),
        ["YuNet of 2022"] = (() => Taking(1, 3, 120, 160).Output("loc", new Grid(1118, 14)).Output("conf", new Grid(1118, 2)).Output("iou", new Grid(1118, 1)), "it is a YuNet face detector"),
        ["SCRFD"] = (() => Heads(Taking(1, 3, 96, 96), "4", [1, 4, 10], 288, 72, 18), "a face detector with landmarks (an SCRFD)"),
        ["SCRFD without landmarks"] = (() => Heads(Taking(1, 3, 96, 96), "score_", [1, 4], 288, 72, 18), "a face detector with landmarks (an SCRFD)"),
        ["RetinaFace"] = (() => Taking(1, 3, 96, 96).Output("input0", new Grid(1, 378, 4)).Output("571", new Grid(1, 378, 2)).Output("570", new Grid(1, 378, 10)), "a face detector with landmarks (a RetinaFace)"),
        ["NanoDet with six outputs"] = (() => NanoDet(Taking(1, 3, 320, 320), (8, 1600), (16, 400), (32, 100)), "it is a NanoDet with outputs of their own for each stride"),
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

    private static TestGraph Strided(TestGraph graph, params (int Stride, int Cells)[] strides)
    {
        foreach (var (kind, numbers) in ((string, int)[])[("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)])
        {
            foreach (var (stride, cells) in strides)
                graph.Output($"{kind}_{stride}", new Grid(1, cells, numbers));
        }
        return graph;
    }

    private static TestGraph Heads(TestGraph graph, string name, int[] kinds, params int[] cells)
    {
        foreach (var numbers in kinds)
        {
            foreach (var count in cells)
                graph.Output($"{name}{numbers}{count}", new Grid(count, numbers));
        }
        return graph;
    }

    private static TestGraph NanoDet(TestGraph graph, params (int Stride, int Cells)[] strides)
    {
        foreach (var (stride, cells) in strides)
            graph.Output($"cls_pred_stride_{stride}", new Grid(1, cells, 80));
        foreach (var (stride, cells) in strides)
            graph.Output($"dis_pred_stride_{stride}", new Grid(1, cells, 32));
        return graph;
    }
}
