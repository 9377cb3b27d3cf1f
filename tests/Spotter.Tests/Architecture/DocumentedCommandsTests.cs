using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Spotter.Cli.Commands;
using Spotter.Tests.Docs;

namespace Spotter.Tests.Architecture;

/// <summary>Commands in the README and the docs hold when they are typed, in bash and in zsh.</summary>
public sealed partial class DocumentedCommandsTests
{
    public static TheoryData<string> Pages => [.. DocsPage.All];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_of_spotter_is_understood(string page)
    {
        foreach (var line in CommandsOf(page))
        {
            if (Spotter().Match(line) is not { Success: true } found)
                continue;
            // What follows is the shell's.
            var words = CommandLineParser.SplitCommandLine(found.Groups["arguments"].Value.Replace('\'', '"')).TakeWhile(w => w is not ("|" or "&" or "&&") && w[0] is not ('>' or '<')).ToArray();
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

    private static IEnumerable<string> BlocksOf(string page) => DocsPage.Read(page).Where(s => s.IsShell).Select(s => string.Join('\n', s.Commands));

    private static IEnumerable<string> CommandsOf(string page) =>
        DocsPage.Read(page).Where(s => s.IsShell).SelectMany(s => s.Commands).Concat(Inline().Matches(DocsPage.Text(page)).Select(m => m.Groups["command"].Value));

    // A command in a sentence. One whose values are left out (`--blobs …`), or that is only named, can't be typed.
    [GeneratedRegex(@"`(?<command>(\./)?spotter [^`…]*[-A-Z./][^`…]*)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Inline();

    [GeneratedRegex(@"^\s*([A-Z_]+=\S+ )*(\./)?spotter(?<arguments> .*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Spotter();

    [GeneratedRegex("'[^']*'|\"[^\"]*\"", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Quoted();
}
