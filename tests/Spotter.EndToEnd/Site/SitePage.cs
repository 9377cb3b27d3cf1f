using System.Net;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Site;

/// <summary>A page of the site that <c>tools/site</c> made.</summary>
/// <param name="Path">Where it is, from the site's folder.</param>
/// <param name="Html">Its source.</param>
internal sealed partial record SitePage(string Path, string Html)
{
    private static string Folder => SiteFactAttribute.Folder!;

    /// <summary>All pages.</summary>
    public static IReadOnlyList<SitePage> All { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.html", SearchOption.AllDirectories).Select(f => Read(System.IO.Path.GetRelativePath(Folder, f))).OrderBy(p => p.Path, StringComparer.Ordinal)];

    /// <summary>The text of its first heading.</summary>
    public string? Title => Heading().Match(Html) is { Success: true } found ? WebUtility.HtmlDecode(Tag().Replace(found.Groups["text"].Value, "")).Trim() : null;

    /// <summary>What it links or loads, with the name of the element.</summary>
    public IEnumerable<(string Element, string Target)> Links =>
        Reference().Matches(Html).Select(m => (m.Groups["element"].Value, WebUtility.HtmlDecode(m.Groups["target"].Value)));

    /// <summary>True if an address can lead to a place in it.</summary>
    public bool Has(string anchor) => Html.Contains($"id=\"{WebUtility.HtmlEncode(anchor)}\"", StringComparison.Ordinal);

    /// <summary>The page of that path.</summary>
    public static SitePage Read(string path) => new(path, File.ReadAllText(System.IO.Path.Combine(Folder, path)));

    /// <summary>What is wrong with a link of this page to a place of the site; null when it leads there.</summary>
    public string? Wrong(string target)
    {
        var (path, anchor) = target.Split('#', 2) is [var before, var after] ? (before, Uri.UnescapeDataString(after)) : (target, "");
        var file = path.Length == 0 ? Path : System.IO.Path.GetRelativePath(Folder, System.IO.Path.GetFullPath(System.IO.Path.Combine(Folder, System.IO.Path.GetDirectoryName(Path)!, Uri.UnescapeDataString(path))));
        if (file.StartsWith("..", StringComparison.Ordinal) || !File.Exists(System.IO.Path.Combine(Folder, file)))
            return $"{Path} links {target}, and there is no {file}";
        return anchor.Length == 0 || Read(file).Has(anchor) ? null : $"{Path} links {target}, and {file} has no such place";
    }

    [GeneratedRegex("<h1[^>]*>(?<text>.*?)</h1>", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Heading();

    [GeneratedRegex("<[^>]*>", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Tag();

    [GeneratedRegex("<(?<element>[a-z]+)\\s(?:[^>]*?\\s)?(?:href|src)=\"(?<target>[^\"]*)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Reference();
}
