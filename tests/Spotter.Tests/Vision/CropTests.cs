using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Images;
using Spotter.Vision.Inference;
using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

public sealed class CropTests
{
    [Fact]
    public void Each_box_is_cut_out_of_the_upright_picture_at_full_size()
    {
        // 320 x 160 lies in 32 x 32 as 32 x 16 at (0, 8): ten pixels of the picture for one of the input.
        using var model = Detector(new Grid(1, 5, 21).Column(0, 0, 8, 16, 8, 8, 0.9f).Column(1, 0, 24, 12, 16, 4, 0.8f));
        var pixels = TestPictures.Pattern(320, 160, 3);

        var (result, crops) = Cut(model, TestPictures.Png(pixels, 320, 160), new VisionParameters { Crops = true });

        result.Detections!.Select(d => (d.Box, d.Crop)).ShouldBe([(new Box(40, 40, 120, 120), "crop-1.jpg"), (new Box(160, 20, 320, 60), "crop-2.jpg")]);
        crops.Select(c => (c.Name, c.Width, c.Height)).ShouldBe([("crop-1.jpg", 80, 80), ("crop-2.jpg", 160, 40)]);
        // JPEG changes colours a little.
        for (var i = 0; i < 3; i++)
            ((int)crops[1].Pixels[(((10 * 160) + 30) * 3) + i]).ShouldBeInRange(pixels[(((30 * 320) + 190) * 3) + i] - 6, pixels[(((30 * 320) + 190) * 3) + i] + 6);
    }

    [Fact]
    public void A_picture_that_lies_on_its_side_is_cut_upright()
    {
        using var model = Detector(new Grid(1, 5, 21).Column(0, 0, 16, 16, 16, 32, 0.9f));

        var (result, crops) = Cut(model, TestPictures.WithExif(TestPictures.Jpeg(320, 160), orientation: 6), new VisionParameters { Crops = true });

        (result.Width, result.Height).ShouldBe((160, 320));
        var box = result.Detections!.ShouldHaveSingleItem().Box;
        (crops[0].Width, crops[0].Height).ShouldBe(((int)(Math.Ceiling(box.X2) - Math.Floor(box.X1)), 320));
    }

    [Fact]
    public void Redaction_holds_for_them_and_what_is_drawn_is_not_on_them()
    {
        using var model = Detector(new Grid(1, 5, 21).Column(0, 0, 16, 16, 16, 16, 0.9f));
        var picture = TestPictures.Png(320, 320);
        var options = new VisionParameters { Crops = true, Annotate = true, Redact = ["thing"], RedactWith = RedactionKind.Fill };

        var (hidden, plain) = (Cut(model, picture, options).Crops[0], Cut(model, picture, options with { Redact = null }).Crops[0]);

        hidden.Pixels.Distinct().Count().ShouldBeLessThanOrEqualTo(3);
        // Without it the crop is the picture's own colours, without a frame: its corner is as in the pattern.
        ((int)plain.Pixels[0]).ShouldBeInRange((255 * 80 / 320) - 6, (255 * 80 / 320) + 6);
    }

    [Fact]
    public void A_picture_is_drawn_as_without_them_and_redacted_once()
    {
        using var model = Detector(new Grid(1, 5, 21).Column(0, 0, 16, 16, 16, 16, 0.9f));
        var options = new VisionParameters { Annotate = true, Redact = ["thing"], RedactWith = RedactionKind.Blur };

        using var without = model.Run(TestPictures.Png(320, 320), options);
        using var with = model.Run(TestPictures.Png(320, 320), options with { Crops = true }, new RunExtras { OnFile = static (_, _, _) => { } });

        with.Annotated.ToArray().ShouldBe(without.Annotated.ToArray());
    }

    [Fact]
    public void There_are_no_more_than_the_most()
    {
        var grid = new Grid(1, 5, 21 * 4);
        for (var i = 0; i < 84; i++)
            grid.Column(i, 0, (i % 10 * 6) + 3, (i / 10 * 6) + 3, 4, 4, 0.9f - (i * 0.005f));
        using var file = new ModelFile(Taking(1, 3, 64, 64).Note("names", "['thing']").Output("output0", grid).ToArray());
        using var model = VisionModel.Load(file.Path, new VisionModelOptions());

        var (result, crops) = Cut(model, TestPictures.Png(64, 64), new VisionParameters { Crops = true });

        result.Detections!.Count.ShouldBeGreaterThan(Crops.Most);
        crops.Count.ShouldBe(Crops.Most);
        result.Detections!.Select(d => d.Crop is null).ShouldBe(Enumerable.Range(0, result.Detections!.Count).Select(i => i >= Crops.Most));
    }

    private static VisionModel Detector(Grid output)
    {
        using var file = new ModelFile(Taking(1, 3, 32, 32).Note("names", "['thing']").Output("output0", output).ToArray());
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }

    private static (VisionResult Result, List<(string Name, int Width, int Height, byte[] Pixels)> Crops) Cut(VisionModel model, byte[] picture, VisionParameters options)
    {
        var crops = new List<(string, int, int, byte[])>();
        using var found = model.Run(picture, options, new RunExtras { OnFile = (name, _, bytes) => crops.Add(Decoded(name, bytes)) });
        return (found.Result, crops);
    }

    private static unsafe (string, int, int, byte[]) Decoded(string name, ReadOnlyMemory<byte> encoded)
    {
        using var picture = Picture.Open(encoded, new ImageLimits());
        using var canvas = Canvas.Decode(picture);
        return (name, canvas.Width, canvas.Height, new Span<byte>(canvas.Pixels, canvas.Width * canvas.Height * 3).ToArray());
    }
}
