using System.Text.Json;
using Spotter.Tests.Vision;
using Spotter.Vision;

namespace Spotter.EndToEnd.Api;

/// <summary>Real photographs and a real model through the whole service.</summary>
public sealed class PhotoTests(PhotoService service) : IClassFixture<PhotoService>
{
    private const string Model = "yolox_nano.onnx";

    [SharedTheory]
    [InlineData("bus.jpg")]
    [InlineData("bus_exif6.jpg")]
    [InlineData("street_rgba.png")]
    [InlineData("concert_gray.jpg")]
    [InlineData("truck.webp")]
    [InlineData("mug_8mp.jpg")]
    public async Task A_photograph_gives_its_stable_boxes(string photo)
    {
        var job = await service.Api.RunAsync(await File.ReadAllBytesAsync(SharedFiles.Image(photo)));

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        var result = job.GetProperty("result").Deserialize(VisionJson.Default.VisionResult)!;
        var golden = Goldens.Of(Model, photo);
        (result.Width, result.Height).ShouldBe((golden.Width, golden.Height));
        var found = result.Detections.ShouldNotBeNull();
        foreach (var expected in golden.Detections.Where(g => g.Stable))
            found.ShouldContain(d => d.Label == expected.Label && Goldens.Overlap(d.Box, expected.Box) >= 0.75, expected.ToString());
        result.Summary.ShouldBe(VisionResult.Summarize(found));
    }

    [SharedFact]
    public async Task A_turned_photograph_is_drawn_upright_and_without_its_exif()
    {
        var photo = await File.ReadAllBytesAsync(SharedFiles.Image("bus_exif6.jpg"));
        photo.AsSpan().IndexOf("Exif"u8).ShouldBeGreaterThan(0);
        var job = await service.Api.RunAsync(photo);

        var drawn = await service.Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image");

        drawn.Bytes.AsSpan().IndexOf("Exif"u8).ShouldBe(-1);
        var header = Core.Images.ImageHeader.Read(drawn.Bytes, complete: true);
        (header.Width, header.Height).ShouldBe((810, 1080));
    }
}

/// <summary>A service with a real model.</summary>
public sealed class PhotoService : RunningService
{
    private protected override string WriteModel(TemporaryFolder into) =>
        SharedFiles.Exist ? SharedFiles.Model("yolox_nano.onnx") : base.WriteModel(into);
}
