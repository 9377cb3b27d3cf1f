using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Annotate;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Tests.Vision;
using Spotter.Vision;
using Spotter.Vision.Filters;

namespace Spotter.Tests.Engines;

/// <summary>Engines on real pictures and models, as workers run them.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly VisionResult Two = new()
    {
        Width = 40,
        Height = 20,
        Detections = [new Detection("bus", 5, 0.9, new Box(1, 1, 30, 18)), new Detection("dog", 6, 0.4, new Box(2, 2, 38, 9))],
    };

    private readonly LoadedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public void A_model_looks_at_a_picture_with_its_parameters()
    {
        var loaded = ModelFile.Load(TestModels.Columns(2, (16, 16, 8, 8, 1, 0.9f)));
        models.Set(loaded, "v1");
        var model = loaded.Model;
        var engine = EngineCatalogue.BuiltIn.FindOffered(model.Engine)!;

        using var found = Run(engine, RawJson.OfText("""{"confidence":0.5,"annotate":true}"""), model.Id, TestPictures.Png(32, 32));

        found.Result.Read(VisionJson.Default.VisionResult).Detections!.Count.ShouldBe(1);
        found.ModelVersion.ShouldBe("v1");
        found.Output!.Bytes.Length.ShouldBeGreaterThan(100);
        engine.Describe(found.Result).ShouldStartWith("1 ");
        using var none = Run(engine, RawJson.OfText("""{"confidence":0.95}"""), model.Id, TestPictures.Png(32, 32));
        none.Output.ShouldBeNull();
        engine.Describe(none.Result).ShouldBe("nothing found");
    }

    [Fact]
    public void A_model_that_is_gone_is_missing_here_only() =>
        Should.Throw<SpotterException>(() => Run(EngineCatalogue.BuiltIn.Find("detect")!, RawJson.EmptyObject, "gone", TestPictures.Png(32, 32)))
            .Code.ShouldBe(ErrorCodes.UnknownModel);

    [Fact]
    public void Only_what_is_certain_enough_is_drawn()
    {
        var (result, picture) = (RawJson.Of(Two, VisionJson.Default.VisionResult), TestPictures.Png(40, 20));

        var one = Drawn(AnnotateEngine.Parameters(result, 0.5), picture);

        one.ShouldBe(Drawn(AnnotateEngine.Parameters(RawJson.Of(Two with { Detections = [Two.Detections![0]] }, VisionJson.Default.VisionResult), 0), picture));
        one.ShouldNotBe(Drawn(AnnotateEngine.Parameters(result, 0.4), picture));
        AnnotateEngine.DrawsAll(result, 0.4).ShouldBeTrue();
        AnnotateEngine.DrawsAll(result, 0.5).ShouldBeFalse();
        AnnotateEngine.DrawsAll(RawJson.OfText("""{"width":1,"height":1}"""), 1).ShouldBeTrue();
    }

    [Fact]
    public void A_filter_makes_one_picture_of_several()
    {
        var engine = EngineCatalogue.BuiltIn.FindOffered("filter")!;
        var parameters = RawJson.Of(new FilterRequest { Kind = FilterKind.Concat }, FilterJson.Default.FilterRequest);

        using var made = Run(engine, parameters, null, TestPictures.Png(10, 20), TestPictures.Png(30, 20));

        var size = made.Result.Read(VisionJson.Default.VisionResult);
        (size.Width, size.Height).ShouldBe((40, 20));
        made.Output!.Bytes.Span[1..4].ToArray().ShouldBe("PNG"u8.ToArray());
        engine.Describe(made.Result).ShouldBeNull();
    }

    [Fact]
    public void Every_worker_takes_jobs_that_need_no_model_and_those_of_its_models()
    {
        EngineCatalogue.BuiltIn.QueuesOf([]).ShouldBe(["annotate", "filter"]);
        EngineCatalogue.BuiltIn.QueuesOf([new ModelInfo("m", VisionTasks.Pose, "yolov8", 1, 1, [])]).ShouldBe(["annotate", "filter", "pose/m"]);
    }

    private byte[] Drawn(RawJson parameters, byte[] picture)
    {
        using var drawn = Run(EngineCatalogue.BuiltIn.Find(AnnotateEngine.EngineName)!, parameters, null, picture);
        return drawn.Output!.Bytes.ToArray();
    }

    private EngineResult Run(IEngine engine, RawJson parameters, string? model, params byte[][] pictures)
    {
        var spec = new JobSpec { Engine = engine.Name, Model = model, Inputs = [], Parameters = parameters };
        var host = new EngineHost(models, new ImageLimits(), RandomSource.System);
        return engine.Run(new EngineJob(spec, [.. pictures.Select(p => new EngineInput(p))], host), new Progress<double>(), default);
    }
}
