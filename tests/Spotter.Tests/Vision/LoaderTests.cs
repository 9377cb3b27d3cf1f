using Spotter.Vision.LibVips;

namespace Spotter.Tests.Vision;

/// <summary>What libvips may read is a short list, whatever it could read.</summary>
public sealed unsafe class LoaderTests
{
    [Theory]
    [InlineData("svgload_buffer")]
    [InlineData("tiffload_buffer")]
    public void Other_formats_are_blocked(string loader)
    {
        byte[] bytes = [.. "<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>"u8];
        fixed (byte* p = bytes)
        {
            using var load = new VipsOperation(loader);
            load.Set("buffer", p, bytes.Length);

            Should.Throw<VipsException>(() => load.Run()).Message.ShouldContain("blocked");
        }
    }

    [Theory]
    [InlineData("jpegload")]
    [InlineData("pngload")]
    [InlineData("rawload")]
    [InlineData("vipsload")]
    public void Files_are_not_read(string loader)
    {
        using var load = new VipsOperation(loader);
        load.Set("filename", "/dev/null");
        if (loader == "rawload")
            load.Set("width", 1).Set("height", 1).Set("bands", 1);

        Should.Throw<VipsException>(() => load.Run()).Message.ShouldContain("blocked");
    }

    [Fact]
    public void An_operation_that_does_not_exist_is_refused_by_name() =>
        Should.Throw<VipsException>(() => new VipsOperation("no_such_thing")).Message.ShouldContain("no_such_thing");
}
