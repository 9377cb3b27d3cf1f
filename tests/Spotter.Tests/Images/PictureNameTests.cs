using System.Text;
using Spotter.Jobs;

namespace Spotter.Tests.Images;

public sealed class PictureNameTests
{
    [Theory]
    [InlineData("bus.jpg", "bus.jpg")]
    [InlineData("/etc/passwd", "passwd")]
    [InlineData("..\\..\\boot.ini", "boot.ini")]
    [InlineData("C:\\a/b\\c.png", "c.png")]
    [InlineData("a\0b\r\nc\u001b[31m.jpg", "abc[31m.jpg")]
    [InlineData("photo\u202Egpj.exe", "photogpj.exe")]
    [InlineData("  spaces.jpg ", "spaces.jpg")]
    [InlineData("", null)]
    [InlineData("folder/", null)]
    [InlineData(".", null)]
    [InlineData("..", null)]
    [InlineData("../..", null)]
    [InlineData("\u0007", null)]
    [InlineData(null, null)]
    [InlineData("half \ud83d.jpg", "half .jpg")]
    public void What_is_sent_becomes_a_name_and_never_a_path(string? sent, string? name) => PictureName.Of(sent).ShouldBe(name);

    [Fact]
    public void A_long_name_is_cut_between_characters()
    {
        var name = PictureName.Of(new string('a', 254) + "犬.jpg").ShouldNotBeNull();
        name.ShouldBe(new string('a', 254));
        Encoding.UTF8.GetByteCount(PictureName.Of(new string('犬', 400))!).ShouldBe(255);
    }

    [Theory]
    [InlineData("a.b.jpg", "a.b")]
    [InlineData("a", "a")]
    [InlineData(".a", ".a")]
    [InlineData("a.", "a")]
    public void The_stem_is_the_name_without_its_last_extension(string name, string stem) => PictureName.StemOf(name).ShouldBe(stem);
}
