using System.Text.Json;

namespace Spotter.EndToEnd.Cameras;

/// <summary>The same picture gives the same boxes through our API and this door, up to rounding to pixels.</summary>
public sealed class CameraPhotoTests(StarterCameraService starter, PhotoCameraService photos) : IClassFixture<StarterCameraService>, IClassFixture<PhotoCameraService>
{
    [Theory]
    [InlineData("crossroads.jpg")]
    [InlineData("shop.jpg")]
    [InlineData("street.jpg")]
    public Task A_sample_gives_the_boxes_of_the_api(string sample) => CompareAsync(starter, Path.Combine(StarterCameraService.Folder, "samples", sample));

    [SharedTheory]
    [InlineData("bus.jpg")]
    [InlineData("bus_exif6.jpg")]
    [InlineData("street_rgba.png")]
    [InlineData("truck.webp")]
    public Task A_photograph_gives_the_boxes_of_the_api(string photo) => CompareAsync(photos, SharedFiles.Image(photo));

    private static async Task CompareAsync(RunningService service, string file)
    {
        var picture = await File.ReadAllBytesAsync(file);
        var own = (await service.Api.RunAsync(picture, Part.Field("confidence", "0.4"))).GetProperty("result").GetProperty("detections").EnumerateArray().ToList();

        var answer = await CameraCall.DetectAsync(service.Process.Address, picture);

        var predictions = answer.Json.GetProperty("predictions").EnumerateArray().ToList();
        predictions.ShouldNotBeEmpty(answer.Text);
        predictions.Select(Shown).ShouldBe(own.OrderByDescending(d => d.GetProperty("confidence").GetDouble()).Take(20).Select(d =>
        {
            var box = d.GetProperty("box");
            return (d.GetProperty("label").GetString(), d.GetProperty("confidence").GetDouble(), Pixel(box, "x1"), Pixel(box, "y1"), Pixel(box, "x2"), Pixel(box, "y2"));
        }));
    }

    private static (string?, double, double, double, double, double) Shown(JsonElement prediction) =>
        (prediction.GetProperty("label").GetString(), prediction.GetProperty("confidence").GetDouble(),
            prediction.GetProperty("x_min").GetInt32(), prediction.GetProperty("y_min").GetInt32(), prediction.GetProperty("x_max").GetInt32(), prediction.GetProperty("y_max").GetInt32());

    private static double Pixel(JsonElement box, string edge) => Math.Round(box.GetProperty(edge).GetDouble(), MidpointRounding.AwayFromZero);
}

/// <summary>A service with the model that comes with Spotter.</summary>
public sealed class StarterCameraService : RunningService
{
    public static string Folder { get; } = Path.Combine(SharedFiles.Repository, "models", "starter");

    protected override IReadOnlyDictionary<string, string> Variables => CameraCall.Patient;

    private protected override string WriteModel(TemporaryFolder into) => Path.Combine(Folder, "starter.onnx");
}

/// <summary>A service with a real model.</summary>
public sealed class PhotoCameraService : RunningService
{
    protected override IReadOnlyDictionary<string, string> Variables => CameraCall.Patient;

    private protected override string WriteModel(TemporaryFolder into) => SharedFiles.Exist ? SharedFiles.Model("yolox_nano.onnx") : base.WriteModel(into);
}
