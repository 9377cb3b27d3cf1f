using System.Text.RegularExpressions;

namespace Spotter.Tests.Docs;

/// <summary>The pages lead to each other, and one leads to all.</summary>
public sealed partial class DocsLinkTests
{
    private const string Index = "docs/README.md";

    private static readonly string[] Others = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "models/starter/README.md", "src/Spotter.Engine/README.md"];

    public static TheoryData<string> Pages => [.. DocsPage.All, .. Others];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_a_heading(string page) =>
        TargetsIn(Prose(DocsPage.Text(page))).Select(target => Wrong(page, target)).Where(wrong => wrong is not null).ShouldBeEmpty();

    [Fact]
    public void The_index_names_every_page_once_below_what_it_is_for()
    {
        var rows = DocsPage.Text(Index).Split('\n').Select(line => Row().Match(line)).Where(m => m.Success).Select(m => FileOf(Index, m.Groups["target"].Value)).ToList();

        rows.ShouldBe(rows.Distinct(StringComparer.Ordinal));
        DocsPage.All.Where(page => page != Index).Except(rows, StringComparer.Ordinal).ShouldBeEmpty();
        // tools/site makes the table of contents of its rows: what is linked elsewhere would be missing there.
        TargetsIn(DocsPage.Text(Index)).Select(target => FileOf(Index, target)).ShouldBe(rows);
    }

    [Theory]
    [InlineData("[a](no.md)", "no.md")]
    [InlineData("[a](options.md#no-such-heading)", "no-such-heading")]
    [InlineData("[a](#no-such-heading)", "no-such-heading")]
    [InlineData("[a](../deploy/nowhere)", "deploy/nowhere")]
    public void A_link_that_leads_nowhere_is_named(string text, string said) =>
        TargetsIn(text).Select(target => Wrong("docs/jobs.md", target)).ShouldHaveSingleItem().ShouldNotBeNull().ShouldContain(said);

    [Theory]
    [InlineData("## A group that scales itself", "a-group-that-scales-itself")]
    [InlineData("## `classify`, `filter`", "classify-filter")]
    [InlineData("### When it doesn't work", "when-it-doesnt-work")]
    [InlineData("## See [this](that.md)", "see-this")]
    public void An_anchor_is_what_GitHub_makes_of_a_heading(string heading, string anchor) => AnchorsIn(heading).ShouldBe([anchor]);

    private static string? Wrong(string page, string target)
    {
        var file = FileOf(page, target);
        var path = Path.Combine(SharedFiles.Repository, file);
        if (!File.Exists(path) && !Directory.Exists(path))
            return $"{page} links {target}, and there is no {file}";
        return target.Split('#') is [_, var anchor] && !AnchorsIn(DocsPage.Text(file)).Contains(anchor, StringComparer.Ordinal) ? $"{page} links {target}, and {file} has no heading {anchor}" : null;
    }

    /// <summary>The file of the repository that a link of a page means.</summary>
    private static string FileOf(string page, string target) =>
        target.Split('#')[0] is { Length: > 0 } path
            ? Path.GetRelativePath(SharedFiles.Repository, Path.GetFullPath(Path.Combine(SharedFiles.Repository, Path.GetDirectoryName(page)!, path))).Replace('\\', '/')
            : page;

    private static IEnumerable<string> TargetsIn(string text) =>
        Link().Matches(text).Select(m => m.Groups["target"].Value).Where(t => !t.Contains(':', StringComparison.Ordinal));

    private static List<string> AnchorsIn(string text)
    {
        var anchors = new List<string>();
        foreach (var heading in Heading().Matches(Prose(text)).Select(m => Link().Replace(m.Groups["text"].Value, l => l.Groups["label"].Value)))
        {
            var anchor = Left().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');
            var before = anchors.Count(a => a == anchor);
            anchors.Add(before == 0 ? anchor : $"{anchor}-{before}");
        }
        return anchors;
    }

    /// <summary>A page without its blocks of code.</summary>
    private static string Prose(string text) => Block().Replace(text, "");

    [GeneratedRegex(@"\[(?<label>[^\]]+)\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Link();

    [GeneratedRegex(@"^\| .+ \| \[[^\]]+\]\((?<target>[^)\s]+)\) \|$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Row();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Left();

    [GeneratedRegex("^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Block();
}
