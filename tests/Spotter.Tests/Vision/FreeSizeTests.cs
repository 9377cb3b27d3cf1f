using Spotter.Vision.Models;

namespace Spotter.Tests.Vision;

/// <summary>Sizes of inputs that follow the picture.</summary>
public sealed class FreeSizeTests
{
    [Theory]
    [InlineData(960, 960, 960, 960)]
    [InlineData(1920, 1080, 960, 544)]
    [InlineData(1000, 333, 960, 320)]
    [InlineData(100, 100, 96, 96)]
    [InlineData(3000, 10, 960, 32)]
    public void Edges_are_steps_and_no_longer_than_the_longest(int width, int height, int inputWidth, int inputHeight) =>
        new FreeSize(32, 32, 960).For(width, height, 0).ShouldBe((inputWidth, inputHeight));

    [Theory]
    [InlineData(1000, 50, 960)]
    [InlineData(100, 50, 320)]
    [InlineData(100_000, 50, 3200)]
    public void A_line_keeps_its_height(int width, int height, int inputWidth) =>
        new FreeSize(1, 320, 3200, KeepsHeight: true).For(width, height, 48).ShouldBe((inputWidth, 48));
}
