using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Spotter.Cli.Commands;

namespace Spotter.Tests.Architecture;

/// <summary>Commands in the README and the docs hold when they are typed, in bash and in zsh.</summary>
public sealed partial class DocumentedCommandsTests
{
    public static TheoryData<string> Pages =>
        ["README.md", .. Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "docs"), "*.md").Select(f => "docs/" + Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_of_spotter_is_understood(string page)
    {
        foreach (var line in CommandsOf(page))
        {
            if (Spotter().Match(line) is not { Success: true } found)
                continue;
            // What follows is the shell's.
            var words = CommandLineParser.SplitCommandLine(found.Groups["arguments"].Value.Replace('\'', '"')).TakeWhile(w => w is not ("|" or ">" or "&" or "<" or "&&")).ToArray();
            CommandLine.CreateRoot().Parse(words, new() { ResponseFileTokenReplacer = null }).Errors.Select(e => e.Message).ShouldBeEmpty($"{page}: {line}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_block_for_a_shell_is_one_in_bash_and_in_zsh(string page)
    {
        foreach (var block in BlocksOf(page))
        {
            // zsh takes no comments when they are typed, and looks for files by what has a ? or a * in it.
            foreach (var line in block.Split('\n'))
            {
                var bare = Quoted().Replace(line, "");
                bare.ShouldNotMatch(@"(^|\s)#", page);
                bare.ShouldNotMatch(@"https?://\S*[?*]", page);
            }
            using var bash = Process.Start(new ProcessStartInfo("bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false })!;
            bash.StandardInput.Write(block);
            bash.StandardInput.Close();
            bash.StandardError.ReadToEnd().ShouldBeEmpty($"{page}: {block}");
        }
    }

    [Fact]
    public void There_are_commands_to_look_at()
    {
        BlocksOf("README.md").Count().ShouldBeGreaterThan(5);
        CommandsOf("docs/operations.md").Count(line => Spotter().IsMatch(line)).ShouldBeGreaterThan(5);
    }

    private static IEnumerable<string> BlocksOf(string page) => Block().Matches(Text(page)).Select(m => m.Groups["text"].Value);

    private static IEnumerable<string> CommandsOf(string page) =>
        BlocksOf(page).SelectMany(block => block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
            .Concat(Row().Matches(Text(page)).Select(m => m.Groups["command"].Value));

    private static string Text(string page) => File.ReadAllText(Path.Combine(SharedFiles.Repository, page));

    [GeneratedRegex(@"```(sh|bash)\n(?<text>.*?)```", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\| `(?<command>\./[^`]+)` \|", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\s*([A-Z_]+=\S+ )*\./spotter(?<arguments> .*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Spotter();

    [GeneratedRegex("'[^']*'|\"[^\"]*\"", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Quoted();
}
