using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Tests.Vision;
using Spotter.Vision;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Engines;

/// <summary>What a request for two models, or for crops, becomes on its way to a worker and in it.</summary>
public sealed class PipelineTests : IDisposable
{
    private static readonly ModelInfo Cars = new("cars", VisionTasks.Detect, "yolov8", 32, 32, ["car", "bus"]) { Version = "1" };
    private static readonly ModelInfo Plates = new("plates", VisionTasks.Detect, "yolov8", 32, 32, ["plate"]) { Version = "2" };
    private static readonly InputRef Picture = new("images/a", "image/png", 1, "00");

    private readonly TemporaryFolder folder = new();
    private readonly LoadedModels models = new();
    private int files;

    public void Dispose()
    {
        models.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void The_second_model_decides_the_queue_and_the_version()
    {
        var request = Resolve(("then", "plates"), ("then_labels", "CAR"), ("redact", "plate,bus"));

        (request.Model, request.Then, request.ModelVersion).ShouldBe(("cars", "plates", "1+2"));
        var parameters = request.Parameters.Read(VisionJson.Default.VisionParameters);
        parameters.Then.ShouldBe("plates");
        parameters.ThenLabels!.ShouldBe(["car"]);
        parameters.Redact!.ShouldBe(["plate", "bus"]);
        new JobSpec { Engine = request.Engine, Model = request.Model, Then = request.Then, Inputs = [] }.Queue.ShouldBe("detect/cars/plates");
        (Resolve().Then, Resolve().ModelVersion).ShouldBe((null, "1"));
        Resolve().CacheParameters.ShouldNotBe(request.CacheParameters);
    }

    [Theory]
    [InlineData("then", "gone", ErrorCodes.UnknownModel, "There is no model 'gone' to look at boxes; there is 'cars', 'plates'.")]
    [InlineData("then_labels", "car", ErrorCodes.InvalidRequest, "The field 'then_labels' comes without a 'then'; send both, or none.")]
    public void What_can_not_be_is_refused(string name, string value, string code, string message)
    {
        var refusal = Should.Throw<SpotterException>(() => Resolve((name, value)));

        (refusal.Code, refusal.Message).ShouldBe((code, message));
    }

    [Fact]
    public void A_worker_runs_both_and_says_which_versions()
    {
        var (first, second) = (Load(0), Load(1));
        var parameters = new VisionParameters { Then = second, Crops = true };

        using var run = Run(first, parameters, out var outputs);

        run.ModelVersion.ShouldBe("v0+v1");
        var result = run.Result.Read(VisionJson.Default.VisionResult);
        result.Then.ShouldBe(new ThenSummary(second, 1, 0));
        result.Detections!.ShouldHaveSingleItem().Then!.Detections!.ShouldHaveSingleItem().Label.ShouldBe("thing1");
        outputs.Made.Select(f => (f.Name, f.MediaType)).ShouldBe([("crop-1.jpg", "image/jpeg")]);
        File.ReadAllBytes(outputs.Made[0].Path)[..2].ShouldBe([0xFF, 0xD8]);
    }

    [Fact]
    public void A_worker_without_the_second_model_gives_the_job_back()
    {
        var first = Load(0);

        var refusal = Should.Throw<SpotterException>(() => Run(first, new VisionParameters { Then = "gone" }, out _));

        // Which the runner takes for a reason to give it to another worker.
        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.UnknownModel, "The worker that took the job has no model 'gone' any more."));
    }

    [Theory]
    [InlineData("{}", false)]
    [InlineData("""{"annotate":true}""", false)]
    [InlineData("""{"crops":true}""", true)]
    [InlineData("""{"then":"a"}""", true)]
    public void Such_jobs_run_alone(string parameters, bool alone)
    {
        var engine = (IBatchEngine)EngineCatalogue.BuiltIn.Find(VisionTasks.Detect)!;

        engine.RunsAlone(new JobSpec { Engine = VisionTasks.Detect, Inputs = [], Parameters = RawJson.OfText(parameters) }).ShouldBe(alone);
    }

    private string Load(int number)
    {
        var file = folder.File($"model{number}.onnx");
        File.WriteAllBytes(file, Taking(1, 3, 32, 32).Note("names", $"['thing{number}']").Output("output0", new Grid(1, 5, 21).Column(0, 0, 16, 16, 8, 8, 0.9f)).ToArray());
        var model = VisionModel.Load(file, new VisionModelOptions());
        models.Set(model, $"v{number}");
        return model.Model.Id;
    }

    private EngineResult Run(string model, VisionParameters parameters, out OutputFiles outputs)
    {
        outputs = new OutputFiles(() => folder.File($"{files++}"), 1_000_000);
        var spec = new JobSpec { Engine = VisionTasks.Detect, Model = model, Then = parameters.Then, Inputs = [], Parameters = RawJson.Of(parameters, VisionJson.Default.VisionParameters) };
        var host = new EngineHost(models, new ImageLimits(), RandomSource.System);
        return EngineCatalogue.BuiltIn.Find(VisionTasks.Detect)!.Run(new EngineJob(spec, [new EngineInput(TestPictures.Png(32, 32))], host) { Outputs = outputs }, new Progress<double>(), default);
    }

    private static JobRequest Resolve(params (string Name, string Value)[] fields)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        foreach (var (name, value) in fields)
            form.Set(name, value);
        return form.Resolve([Cars, Plates], [Picture]);
    }
}
