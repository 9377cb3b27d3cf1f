using System.CommandLine;
using Spotter.Cli.Commands;

namespace Spotter.Tests.Cli;

/// <summary>What holds for every command and every option that there is.</summary>
public sealed class CommandTreeTests
{
    // What System.CommandLine says itself.
    private static readonly string[] ForeignWords =
        ["Required ", "expects a single", "Cannot parse", "not recognized", "Unrecognized", "is required", "was not provided", "was provided", "System.", "cannot be combined"];

    public static TheoryData<string> Commands { get; } = new(Tree(CommandLine.CreateRoot(), "").Select(c => c.Path));

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_says_each_default_once(string path)
    {
        var help = new StringWriter();
        var status = await CommandLine.Parse([.. Words(path), "--help"]).InvokeAsync(new() { Output = help }, default);

        status.ShouldBe(0);
        help.ToString().ShouldNotContain("[default", Case.Insensitive);
        foreach (var option in CommandAt(path).Options)
            (option.Description ?? "").Split("Default:").Length.ShouldBeLessThanOrEqualTo(2, option.Name);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Whatever_is_wrong_with_an_option_is_said_in_our_words(string path)
    {
        foreach (var option in CommandAt(path).Options.Where(o => o is not (System.CommandLine.Help.HelpOption or VersionOption)))
        {
            foreach (var wrong in (string[][])[[option.Name], [option.Name, "Z?", option.Name, "Z?"], [option.Name, "1", option.Name, "2"], [$"{option.Name}=Z?"]])
            {
                var parsed = CommandLine.Parse([.. Words(path), .. wrong]);
                if (parsed.Errors.Count > 0)
                    InOurWords(UsageFault.Words(parsed), string.Join(' ', Words(path).Concat(wrong)));
            }
        }
    }

    [Theory]
    [InlineData("--model takes a value; give it as --model NAME|FILE.", "detect a.jpg --model")]
    [InlineData("--model is given more than once; give it once.", "detect a.jpg --model a --model b")]
    [InlineData("--rate takes a value; give it as --rate R.", "load --images a --rate")]
    [InlineData("--rate takes a number of requests per second above 0, not fast.", "load --images a --rate fast")]
    [InlineData("--lanes takes a number from 1 to 1024, not many.", "detect a.jpg --lanes many")]
    [InlineData("--lanes is given more than once; give it once.", "detect a.jpg --lanes 1 --lanes 2")]
    [InlineData("--preset takes eco, balanced or fast, not best.", "simulate --trace day --preset best")]
    [InlineData("--priority takes high, normal or low, not urgent.", "load --images a --priority urgent")]
    [InlineData("--state takes queued or running, not dead.", "queue cancel --state dead")]
    [InlineData("`spotter queue stats` has no argument 'maybe'.", "queue stats --json=maybe")]
    [InlineData("`spotter queue` needs a command: cancel, dead, list, redrive or stats.", "queue")]
    [InlineData("`spotter detect` needs FILE: Pictures, or folders of pictures (subfolders included).", "detect")]
    [InlineData("`spotter models pull` has no argument 'b'.", "models pull a b")]
    [InlineData("--version stands alone.", "--version models list")]
    [InlineData("--cost-cap takes a number above 0, not Infinity.", "simulate --trace day --cost-cap Infinity")]
    [InlineData("--cost-cap takes a number above 0, not NaN.", "serve --cost-cap NaN")]
    public void What_is_wrong_is_said_with_what_to_do(string words, string line) =>
        UsageFault.Words(CommandLine.Parse(line.Split(' '))).ShouldBe(words);

    [Fact]
    public void A_required_option_is_asked_for_with_what_it_is() =>
        UsageFault.Words(CommandLine.Parse(["simulate"])).ShouldStartWith("`spotter simulate` needs --trace FILE: When jobs came");

    [Fact]
    public void A_number_too_large_to_be_one_is_no_cost_cap()
    {
        var endless = new string('9', 400);

        UsageFault.Words(CommandLine.Parse(["serve", "--cost-cap", endless])).ShouldBe($"--cost-cap takes a number above 0, not {endless}.");
        UsageFault.Words(CommandLine.Parse(["simulate", "--trace", "day", "--cost-cap", endless])).ShouldBe($"--cost-cap takes a number above 0, not {endless}.");
    }

    private static void InOurWords(string fault, string line)
    {
        foreach (var foreign in ForeignWords)
            fault.ShouldNotContain(foreign, Case.Sensitive, line);
    }

    private static Command CommandAt(string path) => Tree(CommandLine.CreateRoot(), "").Single(c => c.Path == path).Command;

    private static string[] Words(string path) => path.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<(string Path, Command Command)> Tree(Command command, string path) =>
        command.Subcommands.SelectMany(c => Tree(c, $"{path} {c.Name}".Trim())).Prepend((path, command));
}
