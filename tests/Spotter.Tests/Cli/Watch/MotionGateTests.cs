using Spotter.Cli.Watch;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Tests.Vision;
using Spotter.Vision.Images;

namespace Spotter.Tests.Cli.Watch;

public sealed class MotionGateTests
{
    private readonly MotionGate gate = new(0.01);

    [Fact]
    public void The_first_picture_passes_and_the_same_again_does_not()
    {
        gate.Passes(Grey(100)).ShouldBeTrue();
        gate.Passes(Grey(100)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(40, false)]
    [InlineData(41, true)]
    public void Enough_cells_have_to_differ(int cells, bool passes)
    {
        gate.Passes(Grey(100));

        gate.Passes(Grey(100, cells, 200)).ShouldBe(passes);
    }

    [Theory]
    [InlineData(MotionGate.Levels, false)]
    [InlineData(MotionGate.Levels + 1, true)]
    [InlineData(-MotionGate.Levels - 1, true)]
    public void Noise_counts_for_nothing(int by, bool passes)
    {
        gate.Passes(Grey(100));

        gate.Passes(Grey((byte)(100 + by))).ShouldBe(passes);
    }

    [Fact]
    public void It_compares_with_the_last_one_that_passed_so_slow_changes_are_seen()
    {
        gate.Passes(Grey(100));

        gate.Passes(Grey(115)).ShouldBeFalse();
        gate.Passes(Grey(130)).ShouldBeTrue();
        gate.Passes(Grey(115)).ShouldBeFalse();
    }

    [Fact]
    public void After_another_picture_was_looked_at_the_next_one_passes()
    {
        gate.Passes(Grey(100));
        gate.Forget();

        gate.Passes(Grey(100)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(640, 480)]
    [InlineData(33, 257)]
    [InlineData(1920, 1080)]
    public void A_picture_of_one_shade_has_cells_of_it(int width, int height)
    {
        foreach (var bands in (int[])[1, 3])
        {
            var pixels = new byte[width * height * bands];
            pixels.AsSpan().Fill(180);
            foreach (var save in (string[])["jpegsave_buffer", "pngsave_buffer"])
            {
                var cells = Thumbnail.Of(TestPictures.Encode(pixels, width, height, bands, save), new ImageLimits());

                cells.Length.ShouldBe(Thumbnail.Edge * Thumbnail.Edge);
                // A picture with fewer pixels than cells leaves some empty, the same ones each time.
                cells.Where(c => c != 0).ShouldAllBe(c => Math.Abs(c - 180) <= 2);
                cells.Count(c => c == 0).ShouldBe((Thumbnail.Edge - Math.Min(width, Thumbnail.Edge)) * Thumbnail.Edge);
            }
        }
    }

    [SharedFact]
    public void A_photo_differs_from_another_and_not_from_itself_saved_again()
    {
        var bus = Thumbnail.Of(File.ReadAllBytes(SharedFiles.Image("bus.jpg")), new ImageLimits());
        var cat = Thumbnail.Of(File.ReadAllBytes(SharedFiles.Image("cat_laptop.jpg")), new ImageLimits());

        MotionGate.ShareOf(bus, cat).ShouldBeGreaterThan(0.3);
        MotionGate.ShareOf(bus, bus).ShouldBe(0);
    }

    [Fact]
    public void What_is_no_picture_is_refused() =>
        Should.Throw<SpotterException>(() => Thumbnail.Of("no picture"u8.ToArray(), new ImageLimits())).Code.ShouldBe(ErrorCodes.UnsupportedImage);

    private static byte[] Grey(byte shade, int others = 0, byte other = 0)
    {
        var cells = new byte[Thumbnail.Edge * Thumbnail.Edge];
        cells.AsSpan().Fill(shade);
        cells.AsSpan(0, others).Fill(other);
        return cells;
    }
}
