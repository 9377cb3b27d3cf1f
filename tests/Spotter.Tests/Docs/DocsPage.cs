using System.Text.RegularExpressions;

namespace Spotter.Tests.Docs;

/// <summary>What a page of the docs shows at one place: a block, or a command in the first cell of a table.</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Language">The language of the block; <c>sh</c> for a command in a table.</param>
/// <param name="Text">What stands there.</param>
/// <param name="Notes">What comments in the page's source say of it; see <see cref="DocsPage"/>.</param>
public sealed record DocsStep(int Line, string Language, string Text, IReadOnlyList<DocsNote> Notes)
{
    /// <summary>Commands for a shell, without prompts.</summary>
    public bool IsShell => Language is "sh" or "bash" or "console";

    /// <summary>Why it can't be run by a test; empty when the page doesn't say; null when it is run.</summary>
    public string? NotRun => Find("not run");

    /// <summary>The file under which the block is kept for the commands after it; null for none.</summary>
    public string? File => Find("file");

    /// <summary>The command that prints such JSON; null for none.</summary>
    public string? Shows => Find("shows");

    /// <summary>The lines to type. In a <c>console</c> block those with a prompt; the others are what is printed.</summary>
    public IReadOnlyList<string> Commands => Language == "console"
        ? [.. Text.Split('\n').Where(l => l.StartsWith("$ ", StringComparison.Ordinal)).Select(l => l[2..])]
        : [.. Text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')];

    /// <summary>The text of a note of that name.</summary>
    public string? Find(string name) => Notes.FirstOrDefault(n => n.Name == name)?.Text;
}

/// <summary>A comment in a page's source, <c>name: text</c>.</summary>
public sealed record DocsNote(string Name, string Text);

/// <summary>
/// A page of the docs. Readers see the page; comments in its source say what else the tests must know: before a block, or in the
/// row of a command, <c>not run: REASON</c>; before a block, <c>file: NAME</c> keeps it for the commands after it, and
/// <c>shows: COMMAND</c> says what prints such JSON; anywhere, <c>run: COMMAND</c> is run there and not shown.
/// </summary>
public static partial class DocsPage
{
    private static readonly string[] Names = ["not run", "file", "shows", "run"];

    /// <summary>The READMEs for users, and the docs.</summary>
    public static IEnumerable<string> All =>
        ["README.md", "deploy/aws/README.md", .. Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "docs"), "*.md").Select(f => "docs/" + Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    /// <summary>The source of a page.</summary>
    public static string Text(string page) => System.IO.File.ReadAllText(Path.Combine(SharedFiles.Repository, page));

    /// <summary>What it shows, in its order.</summary>
    public static IReadOnlyList<DocsStep> Read(string page) => Parse(Text(page));

    /// <summary>As <see cref="Read"/>, of a text.</summary>
    public static IReadOnlyList<DocsStep> Parse(string text)
    {
        var steps = new List<DocsStep>();
        var pending = new List<DocsNote>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            var notes = NotesOf(line);
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                var end = Array.IndexOf(lines, "```", i + 1);
                if (end < 0)
                    throw new FormatException($"The block that begins in line {i + 1} has no end.");
                steps.Add(new DocsStep(i + 1, line[3..].Trim(), string.Join('\n', lines[(i + 1)..end]) + "\n", [.. pending]));
                pending.Clear();
                i = end;
            }
            else if (Row().Match(line) is { Success: true } row)
            {
                steps.Add(new DocsStep(i + 1, "sh", row.Groups["command"].Value.Replace("\\|", "|", StringComparison.Ordinal) + "\n", notes));
            }
            else if (notes.FirstOrDefault(n => n.Name == "run") is { } hidden)
            {
                steps.Add(new DocsStep(i + 1, "sh", hidden.Text + "\n", []));
            }
            else if (notes.Count > 0)
            {
                pending.AddRange(notes);
            }
            else if (line.Length > 0 && pending.Count > 0)
            {
                throw new FormatException($"The note '{pending[0].Name}' before line {i + 1} has no block.");
            }
        }
        return steps;
    }

    private static List<DocsNote> NotesOf(string line) =>
        [.. Note().Matches(line).Select(m => new DocsNote(m.Groups["name"].Value, m.Groups["text"].Value.Trim())).Where(n => Names.Contains(n.Name, StringComparer.Ordinal))];

    [GeneratedRegex("<!-- (?<name>[a-z ]+):(?<text>.*?)-->", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Note();

    [GeneratedRegex(@"^\| `(?<command>(\./|curl |benchmarks/)[^`]+)` \|", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Row();
}
