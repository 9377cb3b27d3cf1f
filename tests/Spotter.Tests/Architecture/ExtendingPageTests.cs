using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>Holds <c>docs/extending.md</c> and <c>docs/engines.md</c> to the code that they show.</summary>
public sealed partial class ExtendingPageTests
{
    [Theory]
    [InlineData("extending.md")]
    [InlineData("engines.md")]
    public void What_it_shows_is_in_the_file_that_it_names_in_this_order(string name)
    {
        var page = Read(name);
        var excerpts = Excerpt().Matches(page);
        excerpts.Count.ShouldBe(Regex.Count(page, "```csharp", RegexOptions.None, TimeSpan.FromSeconds(5)));

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

    [Theory]
    [InlineData("extending.md", 10)]
    [InlineData("engines.md", 1)]
    public void The_places_that_it_names_are_there(string name, int least)
    {
        var places = Place().Matches(Read(name)).Select(m => m.Groups["place"].Value).Distinct(StringComparer.Ordinal).ToList();
        places.Count.ShouldBeGreaterThan(least);

        places.Where(place => !Path.Exists(Path.Combine(SharedFiles.Repository, place))).ShouldBeEmpty();
    }

    private static string Read(string name) => File.ReadAllText(Path.Combine(SharedFiles.Repository, "docs", name));

    [GeneratedRegex(@"<!-- (?<file>[^ ]+) -->\n```csharp\n(?<code>.*?)```", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Excerpt();

    [GeneratedRegex(@"`(?<place>(src|tests|docs|examples)/[^` ]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Place();
}
