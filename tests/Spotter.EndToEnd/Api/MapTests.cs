using NetVips;
using Spotter.Tests.Vision;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.EndToEnd.Api;

/// <summary>Models whose results are maps of a picture, or a vector: each says how light it is.</summary>
public sealed class MapService : RunningService
{
    private readonly TemporaryFolder folder = new();

    protected override IReadOnlyList<string> Arguments => [.. base.Arguments, .. Others().SelectMany(file => (string[])["--model", file])];

    /// <summary>A picture that is black on its left quarter and white elsewhere.</summary>
    public static byte[] Picture
    {
        get
        {
            using var image = (Image.Black(200, 100) + 255).Cast(Enums.BandFormat.Uchar).Bandjoin(255, 255).Mutate(m => m.DrawRect([0, 0, 0], 0, 0, 50, 100, fill: true));
            return image.PngsaveBuffer();
        }
    }

    private protected override string WriteModel(TemporaryFolder into)
    {
        var file = into.File("light.onnx");
        // A class that is sure where it is light, and one that is sure where it is dark.
        File.WriteAllBytes(file, Mean().Node("Neg", ["mean"], ["dark"]).Node("Concat", ["dark", "mean"], ["output"], ("axis", 1))
            .Output("output", Float32, 1, 2, 64, 64).Note("names", "['background', 'light']").ToArray());
        return file;
    }

    private IEnumerable<string> Others()
    {
        var (near, vector) = (folder.File("near.onnx"), folder.File("vector.onnx"));
        File.WriteAllBytes(near, Mean().Node("Identity", ["mean"], ["depth"]).Output("depth", Float32, 1, 1, 64, 64).ToArray());
        File.WriteAllBytes(vector, Taking(1, 3, 64, 64).Node("GlobalAveragePool", ["images"], ["embedding"]).Output("embedding", Float32, 1, 3, 1, 1).ToArray());
        return [near, vector];
    }

    private static TestGraph Mean() => Taking(1, 3, 64, 64).Node("ReduceMean", ["images"], ["mean"], ("axes", Ints(1)), ("keepdims", 1));
}

public sealed class MapTests(MapService service) : IClassFixture<MapService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task Classes_of_pixels_have_shares_a_file_and_a_drawn_picture()
    {
        var job = await Api.RunAsync(MapService.Picture, Part.Field("model", "light"));

        (SpotterApi.StateOf(job), job.GetProperty("engine").GetString()).ShouldBe(("succeeded", "semantic"), job.ToString());
        var regions = job.GetProperty("result").GetProperty("regions").EnumerateArray().ToList();
        regions.Select(r => r.GetProperty("label").GetString()).ShouldBe(["light", "background"]);
        regions[0].GetProperty("share").GetDouble().ShouldBe(0.75, 0.02);
        using var labels = Image.NewFromBuffer((await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/outputs/labels.png")).Bytes);
        (labels.Width, labels.Height, labels.Bands).ShouldBe((200, 100, 1));
        (labels[10, 50][0], labels[190, 50][0]).ShouldBe((0, 1));
        using var drawn = Image.NewFromBuffer((await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).Bytes);
        (drawn.Width, drawn.Height).ShouldBe((200, 100));
        // What is light is tinted, what is dark is not.
        Spread(drawn[150, 80]).ShouldBeGreaterThan(20);
        Spread(drawn[10, 80]).ShouldBeLessThan(12);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/output")).Text.ShouldContain("% light; ");
    }

    [Fact]
    public async Task A_map_of_depth_is_a_file_and_the_picture()
    {
        var job = await Api.RunAsync(MapService.Picture, Part.Field("model", "near"));

        (SpotterApi.StateOf(job), job.GetProperty("engine").GetString()).ShouldBe(("succeeded", "depth"), job.ToString());
        var map = job.GetProperty("result").GetProperty("map");
        map.GetProperty("greatest").GetDouble().ShouldBeGreaterThan(map.GetProperty("least").GetDouble());
        using var depth = Image.NewFromBuffer((await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/outputs/{map.GetProperty("file").GetString()}")).Bytes);
        (depth.Width, depth.Height, depth.Format).ShouldBe((200, 100, Enums.BandFormat.Ushort));
        (depth[5, 50][0], depth[195, 50][0]).ShouldBe((0, 65535));
        using var drawn = Image.NewFromBuffer((await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).Bytes);
        drawn[195, 50][0].ShouldBeGreaterThan(240);
        (await Api.SubmitAsync([Part.Field("model", "near"), Part.Field("redact", "*"), Part.Image(MapService.Picture)])).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task An_embedding_is_a_vector_of_length_one()
    {
        var job = await Api.RunAsync(MapService.Picture, Part.Field("model", "vector"));

        (SpotterApi.StateOf(job), job.GetProperty("engine").GetString()).ShouldBe(("succeeded", "embed"), job.ToString());
        var vector = job.GetProperty("result").GetProperty("embedding").EnumerateArray().Select(n => n.GetDouble()).ToList();
        vector.Count.ShouldBe(3);
        vector.Sum(n => n * n).ShouldBe(1, 1e-5);
    }

    private static double Spread(double[] colour) => colour.Max() - colour.Min();
}
