using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Annotate;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Tests.Vision;
using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Engines;

/// <summary>Models that map a picture, or embed it: from what a request may say to the files of the job.</summary>
public sealed class MapEngineTests : IDisposable
{
    private static readonly ModelInfo[] Known =
    [
        new("cars", VisionTasks.Detect, "yolov8", 32, 32, ["car"]) { Version = "1" },
        new("roads", VisionTasks.Semantic, "label-map", 32, 32, ["road", "sky"]) { Version = "2" },
        new("near", VisionTasks.Depth, "depth-map", 32, 32, []) { Version = "3" },
        new("faces", VisionTasks.Embed, "embedding", 32, 32, []) { Version = "4" },
    ];

    private static readonly InputRef Picture = new("images/a", "image/png", 1, "00");

    private readonly TemporaryFolder folder = new();
    private readonly LoadedModels models = new();
    private int files;

    public void Dispose()
    {
        models.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("roads", "zones", "a:0,0 1,0 1,1", "The model 'roads' finds no boxes, so 'zones' means nothing to it; leave it out, or choose a model that finds objects.")]
    [InlineData("near", "redact", "*", "The model 'near' finds no boxes, so 'redact' means nothing to it; leave it out, or choose a model that finds objects.")]
    [InlineData("faces", "crops", "true", "The model 'faces' finds no boxes, so 'crops' means nothing to it; leave it out, or choose a model that finds objects.")]
    [InlineData("roads", "then", "faces", "The model 'roads' finds no boxes, so 'then' means nothing to it; leave it out, or choose a model that finds objects.")]
    [InlineData("roads", "tile", "640", "The model 'roads' is shown the whole picture, so 'tile' means nothing to it; leave it out.")]
    [InlineData("near", "roi", "0,0,5,5", "The model 'near' is shown the whole picture, so 'roi' means nothing to it; leave it out.")]
    [InlineData("faces", "tile", "640", "The model 'faces' is shown the whole picture, so 'tile' means nothing to it; leave it out.")]
    [InlineData("roads", "thresholds", "road:0.5", "The model 'roads' is shown the whole picture, so 'thresholds' means nothing to it; leave it out.")]
    [InlineData("faces", "labels", "road", "The model 'faces' gives no labels, so 'labels' means nothing to it; leave it out.")]
    [InlineData("near", "labels", "road", "The model 'near' gives no labels, so 'labels' means nothing to it; leave it out.")]
    [InlineData("cars", "then", "near", "The model 'near' makes a map of a picture, so it can't be 'then'; choose a model that finds objects, classifies or embeds.")]
    public void What_means_nothing_is_refused(string model, string field, string value, string message)
    {
        var refusal = Should.Throw<SpotterException>(() => Resolve(model, field, value));

        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.InvalidRequest, message));
    }

    [Theory]
    [InlineData("roads", "labels", "SKY")]
    [InlineData("faces", "roi", "0,0,5,5")]
    [InlineData("cars", "then", "faces")]
    public void What_means_something_is_taken(string model, string field, string value) =>
        Resolve(model, field, value).Model.ShouldBe(model);

    [Fact]
    public void Results_that_can_not_be_drawn_again_are_not_cached()
    {
        Resolve("near", "confidence", "0.5").CacheParameters.ShouldBeNull();
        Resolve("roads", "confidence", "0.5").CacheParameters.ShouldNotBeNull();
        Resolve("faces", "confidence", "0.5").CacheParameters.ShouldNotBeNull();
        (EngineOf(VisionTasks.Depth).CanBeDrawn, EngineOf(VisionTasks.Saliency).CanBeDrawn, EngineOf(VisionTasks.Semantic).CanBeDrawn, EngineOf(VisionTasks.Embed).CanBeDrawn)
            .ShouldBe((false, false, true, true));
    }

    [Fact]
    public void A_map_of_classes_is_a_file_of_the_job_and_drawn_from_the_result()
    {
        var ids = new Grid(1, 32, 64);
        for (var y = 8; y < 24; y++)
            ids.Put(y, 10, [.. Enumerable.Repeat(1f, 40)]);
        var model = Load("roads", Taking(1, 3, 32, 64).Note("names", "['background', 'lake']").Output("output", ids, TestGraph.Int64));
        var picture = TestPictures.Png(TestPictures.Flat(640, 320, (90, 90, 90)), 640, 320);

        using var made = Run(VisionTasks.Semantic, model, new VisionParameters(), picture, out var outputs);
        using var atOnce = Run(VisionTasks.Semantic, model, new VisionParameters { Annotate = true }, picture, out _);

        made.Output.ShouldBeNull();
        var map = MapPicture.Read(outputs.Made[0].Name, outputs.Made[0].MediaType, File.ReadAllBytes(outputs.Made.ShouldHaveSingleItem().Path));
        (map.Name, map.Numbers.Count(n => n == 1)).ShouldBe(("labels.png", 400 * 160));
        EngineOf(VisionTasks.Semantic).Describe(made.Result).ShouldBe("68.8% background; 31.3% lake");
        var drawn = Drawn(made.Result, picture);
        atOnce.Output!.Bytes.ToArray().ShouldBe(drawn);
        // Two fifths of the class's colour within, nothing outside; the legend is in the upper left.
        var at = Decoded(drawn);
        at(300, 160).ShouldBe(Mixed(41, 121, 255), 4);
        at(105, 238).ShouldBe(Mixed(41, 121, 255), 12);
        at(300, 300).ShouldBe([90, 90, 90], 4);
        at(600, 160).ShouldBe([90, 90, 90], 4);
        at(3, 3).ShouldBe([35, 38, 41], 12);
    }

    [Fact]
    public void A_map_of_values_is_a_file_of_the_job_and_its_picture()
    {
        var model = Load("near", Taking(1, 3, 32, 64).Output("depth", new Grid(1, 32, 64).Put(0, 0, 5)));

        using var made = Run(VisionTasks.Depth, model, new VisionParameters(), TestPictures.Png(64, 32), out var outputs);

        outputs.Made.Select(f => (f.Name, f.MediaType)).ShouldBe([("depth.png", "image/png")]);
        made.Output!.Bytes.Span[..2].ToArray().ShouldBe([0xFF, 0xD8]);
        EngineOf(VisionTasks.Depth).Describe(made.Result).ShouldBe("0 to 5");
    }

    [Fact]
    public void An_embedding_makes_no_file()
    {
        var model = Load("faces", Taking(1, 3, 32, 32).Output("embedding", new Grid(1, 2).Put(0, 0, 3, 4)));

        using var made = Run(VisionTasks.Embed, model, new VisionParameters { Region = new Region(2, 2, 9, 9) }, TestPictures.Png(32, 32), out var outputs);

        (outputs.Made.Count, made.Output).ShouldBe((0, null));
        EngineOf(VisionTasks.Embed).Describe(made.Result).ShouldBe("0.6 0.8");
    }

    [Fact]
    public void Maps_run_alone_and_take_memory_of_their_own()
    {
        var spec = new JobSpec { Engine = VisionTasks.Depth, Inputs = [], Parameters = RawJson.OfText("{}") };
        var job = new EngineJob(spec, [new EngineInput(TestPictures.Png(100, 100))], new EngineHost(models, new ImageLimits(), RandomSource.System));

        ((IBatchEngine)EngineOf(VisionTasks.Depth)).RunsAlone(spec).ShouldBeTrue();
        ((IBatchEngine)EngineOf(VisionTasks.Embed)).RunsAlone(spec).ShouldBeFalse();
        (EngineOf(VisionTasks.Depth).MemoryOf(job) - EngineOf(VisionTasks.Detect).MemoryOf(job)).ShouldBe(6 * 100 * 100);
    }

    private static IOfferedEngine EngineOf(string task) => EngineCatalogue.BuiltIn.FindOffered(task)!;

    private static JobRequest Resolve(string model, string field, string value)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        form.Set("model", model);
        form.Set(field, value);
        return form.Resolve(Known, [Picture]);
    }

    private string Load(string id, TestGraph graph)
    {
        var file = folder.File($"{id}.onnx");
        File.WriteAllBytes(file, graph.ToArray());
        models.Set(VisionModel.Load(file, new VisionModelOptions()), "v");
        return id;
    }

    private EngineResult Run(string engine, string model, VisionParameters parameters, byte[] picture, out OutputFiles outputs)
    {
        outputs = new OutputFiles(() => folder.File($"{files++}"), 1_000_000);
        var spec = new JobSpec { Engine = engine, Model = model, Inputs = [], Parameters = RawJson.Of(parameters, VisionJson.Default.VisionParameters) };
        return EngineCatalogue.BuiltIn.Find(engine)!.Run(
            new EngineJob(spec, [new EngineInput(picture)], new EngineHost(models, new ImageLimits(), RandomSource.System)) { Outputs = outputs }, new Progress<double>(), default);
    }

    private byte[] Drawn(RawJson result, byte[] picture)
    {
        var spec = new JobSpec { Engine = AnnotateEngine.EngineName, Inputs = [], Parameters = AnnotateEngine.Parameters(result, 0) };
        using var drawn = EngineCatalogue.BuiltIn.Find(AnnotateEngine.EngineName)!.Run(
            new EngineJob(spec, [new EngineInput(picture)], new EngineHost(models, new ImageLimits(), RandomSource.System)), new Progress<double>(), default);
        return drawn.Output!.Bytes.ToArray();
    }

    private static double[] Mixed(params double[] colour) => [.. colour.Select(c => (90 * 0.6) + (c * 0.4))];

    private static unsafe Func<int, int, double[]> Decoded(byte[] jpeg)
    {
        using var picture = Spotter.Vision.Images.Picture.Open(jpeg, new ImageLimits());
        using var canvas = Spotter.Vision.Images.Canvas.Decode(picture);
        var (pixels, width) = (new ReadOnlySpan<byte>(canvas.Pixels, canvas.Stride * canvas.Height).ToArray(), canvas.Width);
        return (x, y) => [pixels[((y * width) + x) * 3], pixels[(((y * width) + x) * 3) + 1], pixels[(((y * width) + x) * 3) + 2]];
    }
}
