using Spotter.Cli.Watch;
using Spotter.Core;

namespace Spotter.Tests.Cli.Watch;

public sealed class JpegSplitterTests
{
    private static readonly byte[] First = [0xFF, 0xD8, 1, 2, 0xFF, 0x00, 0xFF, 0xD9];
    private static readonly byte[] Second = [0xFF, 0xD8, 3, 0xFF, 0xD9];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public void Pictures_come_out_whole_however_they_come(int piece)
    {
        var splitter = new JpegSplitter(100);

        ((byte[])[.. First, .. Second, .. First]).Chunk(piece).SelectMany(bytes => splitter.Add(bytes)).ShouldBe([First, Second, First]);
    }

    [Fact]
    public void What_has_no_end_is_refused()
    {
        var splitter = new JpegSplitter(10);

        splitter.Add(new byte[10]).ShouldBeEmpty();
        Should.Throw<SpotterException>(() => splitter.Add(new byte[1])).Code.ShouldBe(ErrorCodes.BodyTooLarge);
    }
}
