using System.Text.Json;
using Spotter.Cli;
using Spotter.Cli.Commands;

namespace Spotter.Tests.Cli;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("a\u001b[2Jb", "a?[2Jb")]
    [InlineData("a\u009b31mb", "a?31mb")]
    [InlineData("a\u001b]8;;http://x\u0007b", "a?]8;;http://x?b")]
    [InlineData("a\u202eb\u2066c", "a?b?c")]
    [InlineData("a\bb\u007f", "a?b?")]
    [InlineData("a\r\nb\nc", "a b c")]
    [InlineData("a\tb\u2028c", "a?b?c")]
    [InlineData("Straße 🚦 日本語 👩‍🚒", "Straße 🚦 日本語 👩‍🚒")]
    public void A_line_holds_no_command(string text, string plain) => PlainText.OneLine(text).ShouldBe(plain);

    [Fact]
    public void Whatever_way_it_is_written_no_command_gets_through_and_lines_stay_lines()
    {
        using var to = new StringWriter();
        using var writer = new PlainWriter(to);

        writer.Write('\u001b');
        writer.Write("a\u001b[0m\tb\n");
        writer.Write("c\u009b".ToCharArray());
        writer.Write("d\u202e".AsSpan());
        writer.WriteLine("e\u0007");
        writer.Write(string.Concat("{0}", "\u001b"), "f\u001b");

        to.ToString().ShouldBe($"?a?[0m\tb\nc?d?e?{Environment.NewLine}f??");
    }

    [Fact]
    public void JSON_for_programs_has_its_own_way_and_loses_nothing()
    {
        const string Label = "a\u001b[2J\u009b\u007f\u202e\nb";
        var line = JsonLines.Compact(JsonSerializer.SerializeToElement(Label));

        PlainText.Lines(line).ShouldBe(line);
        JsonDocument.Parse(line).RootElement.GetString().ShouldBe(Label);
    }
}
