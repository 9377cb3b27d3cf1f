using System.Text.Json;
using Spotter.Tests.Vision;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Cli;

/// <summary>The commands with models that find no boxes.</summary>
public sealed class DetectMapTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string picture;

    public DetectMapTests() => picture = folder.File("a.png", TestPictures.Png(64, 32));

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Classes_of_pixels_are_said_by_their_shares_and_written_as_a_map()
    {
        var model = Model("roads", Taking(1, 3, 32, 64).Note("names", "['background', 'lake']").Output("output", new Grid(1, 32, 64).Put(0, 0, [.. Enumerable.Repeat(1f, 1024)]), TestGraph.Int64));
        var output = Path.Combine(folder.Path, "out");

        var ran = await SpotterProgram.RunAsync("detect", picture, "--model", model, "--out", output);

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldMatch(@"a\.png +50% background; 50% lake");
        Directory.GetFiles(output).Select(Path.GetFileName).ShouldBe(["a-labels.png", "a.jpg"], ignoreOrder: true);
        MapPicture.Read("", "", File.ReadAllBytes(Path.Combine(output, "a-labels.png"))).Numbers.Count(n => n == 1).ShouldBe(1024);
    }

    [Fact]
    public async Task A_map_of_values_is_said_by_its_range()
    {
        var model = Model("near", Taking(1, 3, 32, 64).Output("depth", new Grid(1, 32, 64).Put(0, 0, 5)));

        var ran = await SpotterProgram.RunAsync("detect", picture, "--model", model);

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldMatch(@"a\.png +0 to 5");
        ran.Output.ShouldContain("1 picture; 1 map; ");
    }

    [Fact]
    public async Task An_embedding_is_counted_for_people_and_listed_in_JSON()
    {
        var model = Model("faces", Taking(1, 3, 32, 32).Output("embedding", new Grid(1, 2).Put(0, 0, 3, 4)));

        (await SpotterProgram.RunAsync("detect", picture, "--model", model)).Output.ShouldMatch(@"a\.png +2 numbers");
        (await SpotterProgram.RunAsync("detect", picture, "--model", model, "--json")).Json().ShouldHaveSingleItem().GetProperty("embedding").Deserialize<float[]>()!.ShouldBe([0.6f, 0.8f], 0.0001);
        (await SpotterProgram.RunAsync("detect", picture, "--model", model, "--out", Path.Combine(folder.Path, "out"))).Status.ShouldBe(0);
        File.ReadAllText(Path.Combine(folder.Path, "out", "a.csv")).ShouldBe("a,0.6 0.8");
    }

    [Fact]
    public async Task Only_boxes_are_measured()
    {
        var model = Model("near", Taking(1, 3, 32, 64).Output("depth", new Grid(1, 32, 64)));
        folder.File("set/images/a.png", TestPictures.Png(64, 32));
        folder.File("set/labels/a.txt", "0 0.5 0.5 0.5 0.5\n"u8.ToArray());

        var ran = await SpotterProgram.RunAsync("models", "evaluate", model, "--dataset", Path.Combine(folder.Path, "set"));

        ran.Status.ShouldNotBe(0);
        ran.Errors.ShouldContain("near finds no objects, as its task is 'depth'; only boxes are measured.");
    }

    [Fact]
    public async Task An_inspection_says_what_is_made_of_a_picture()
    {
        var model = Model("near", Taking(1, 3, 32, 64).Output("depth", new Grid(1, 32, 64)));

        var ran = await SpotterProgram.RunAsync("models", "inspect", model);

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.ShouldMatch(@"family +depth-map +inferred");
        ran.Output.ShouldContain("a value of each cell: depth [1,32,64]");
    }

    private string Model(string id, TestGraph graph) => folder.File($"{id}.onnx", graph.ToArray());
}
