using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>Holds <c>docs/extending.md</c> to the code that it shows.</summary>
public sealed partial class ExtendingPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs", "extending.md"));

    [Fact]
    public void What_it_shows_is_in_the_file_that_it_names_in_this_order()
    {
        var excerpts = Excerpt().Matches(Page);
        excerpts.Count.ShouldBe(Regex.Count(Page, "```csharp", RegexOptions.None, TimeSpan.FromSeconds(5)));

        foreach (Match excerpt in excerpts)
        {
            var file = excerpt.Groups["file"].Value;
            using var lines = File.ReadLines(Path.Combine(SharedFiles.Repository, file)).GetEnumerator();
            foreach (var shown in excerpt.Groups["code"].Value.Split('\n').Where(line => line.Trim().Length > 0))
            {
                var isThere = false;
                while (!isThere && lines.MoveNext())
                    isThere = lines.Current == shown;
                isThere.ShouldBeTrue($"{file} does not have, or not here: {shown.Trim()}");
            }
        }
    }

    [Fact]
    public void The_places_that_it_names_are_there()
    {
        var places = Place().Matches(Page).Select(m => m.Groups["place"].Value).Distinct(StringComparer.Ordinal).ToList();
        places.Count.ShouldBeGreaterThan(10);

        places.Where(place => !Path.Exists(Path.Combine(SharedFiles.Repository, place))).ShouldBeEmpty();
    }

    [GeneratedRegex(@"<!-- (?<file>[^ ]+) -->\n```csharp\n(?<code>.*?)```", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Excerpt();

    [GeneratedRegex(@"`(?<place>(src|tests|docs)/[^` ]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Place();
}
