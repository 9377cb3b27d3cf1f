using System.Text.Json;
using System.Text.RegularExpressions;
using Spotter.Tests.Docs;

namespace Spotter.EndToEnd.Site;

/// <summary>The documentation site has all pages, and what they link.</summary>
public sealed partial class SiteTests
{
    [SiteFact]
    public void Every_page_of_the_docs_is_there_with_its_title()
    {
        foreach (var page in DocsPage.All.Where(p => p != "docs/README.md"))
        {
            var title = Heading().Match(DocsPage.Text(page)).Groups["text"].Value.Replace("`", "", StringComparison.Ordinal);
            SitePage.Read(Path.ChangeExtension(page, "html")).Title.ShouldBe(title, page);
        }
        SitePage.Read("index.html").Title.ShouldBe("Spotter's docs");
    }

    [SiteFact]
    public void What_engines_are_written_with_is_explained()
    {
        foreach (var type in (string[])["Spotter.Engine.IJobEngine", "Spotter.Engine.EngineWork", "Spotter.Engine.EngineProgram", "Spotter.Core.EngineDeclaration"])
            SitePage.Read($"api/{type}.html").Title.ShouldBe($"{(type.Contains(".I", StringComparison.Ordinal) ? "Interface" : "Class")} {type.Split('.')[^1]}");
        SitePage.Read("api/Spotter.Engine.EngineWork.html").Html.ShouldContain("Says how far it is, 0 to 1.");
    }

    [SiteFact]
    public void Every_link_of_the_site_leads_somewhere()
    {
        var links = SitePage.All.SelectMany(page => page.Links.Where(l => !IsElsewhere(l.Target)).Select(link => (Page: page, link.Target))).ToList();

        links.Count.ShouldBeGreaterThan(500);
        links.Count(l => l.Target.Contains('#', StringComparison.Ordinal)).ShouldBeGreaterThan(50);
        links.Select(l => l.Page.Wrong(l.Target)).Where(wrong => wrong is not null).ShouldBeEmpty();
    }

    [SiteFact]
    public void No_page_loads_anything_from_elsewhere()
    {
        SitePage.All.SelectMany(page => page.Links.Where(l => l.Element != "a" && IsElsewhere(l.Target)).Select(l => $"{page.Path} loads {l.Target}")).ShouldBeEmpty();
        foreach (var style in Directory.EnumerateFiles(SiteFactAttribute.Folder!, "*.css", SearchOption.AllDirectories))
            Loaded().Matches(File.ReadAllText(style)).Select(m => m.Groups["target"].Value).Where(t => !t.StartsWith("data:", StringComparison.Ordinal) && IsElsewhere(t)).ShouldBeEmpty(style);
    }

    [SiteFact]
    public void What_the_pages_say_to_the_tests_is_not_shown()
    {
        SitePage.All.Where(page => Note().IsMatch(page.Html)).Select(p => p.Path).ShouldBeEmpty();
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(SiteFactAttribute.Folder!, "index.json")));
        index.RootElement.EnumerateObject().Count().ShouldBeGreaterThan(40);
        index.RootElement.EnumerateObject().Where(p => Note().IsMatch(p.Value.GetProperty("summary").GetString()!)).Select(p => p.Name).ShouldBeEmpty();
    }

    private static bool IsElsewhere(string target) => target.StartsWith("//", StringComparison.Ordinal) || Scheme().IsMatch(target);

    [GeneratedRegex("^# (?<text>.+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Heading();

    [GeneratedRegex("^[a-z]+:", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"(?:url\(|@import )['""]?(?<target>[^'"")]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Loaded();

    [GeneratedRegex("(?:<|&lt;)!-- ?(?:not run|file|shows|run):", RegexOptions.NonBacktracking)]
    private static partial Regex Note();
}
