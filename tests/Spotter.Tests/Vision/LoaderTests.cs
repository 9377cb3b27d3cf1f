using System.Text;
using NetVips;
using Spotter.Vision.LibVips;

namespace Spotter.Tests.Vision;

/// <summary>What libvips may read is a short list, whatever it could read.</summary>
public sealed class LoaderTests
{
    public LoaderTests() => Vips.Start();

    [Theory]
    [InlineData("svgload_buffer")]
    [InlineData("tiffload_buffer")]
    public void Other_formats_are_blocked(string loader)
    {
        var bytes = Encoding.UTF8.GetBytes("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>");

        Should.Throw<VipsException>(() => Operation.Call(loader, (object)bytes)).Message.ShouldContain("blocked");
    }

    [Theory]
    [InlineData("jpegload")]
    [InlineData("pngload")]
    [InlineData("rawload")]
    [InlineData("vipsload")]
    public void Files_are_not_read(string loader)
    {
        object[] arguments = loader == "rawload" ? ["/dev/null", 1, 1, 1] : ["/dev/null"];

        Should.Throw<VipsException>(() => Operation.Call(loader, arguments)).Message.ShouldContain("blocked");
    }
}
