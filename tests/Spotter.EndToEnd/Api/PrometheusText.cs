using System.Globalization;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Api;

/// <summary>Reads the Prometheus text format as strictly as its description: every sample after its family's type, no sample twice.</summary>
internal static partial class PrometheusText
{
    public static IReadOnlyDictionary<string, Family> Parse(string text)
    {
        text.ShouldEndWith("\n");
        var families = new Dictionary<string, Family>(StringComparer.Ordinal);
        Family? family = null;
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                words.Length.ShouldBe(4, line);
                family = new Family(words[3], new Dictionary<string, double>(StringComparer.Ordinal));
                families.TryAdd(words[2], family).ShouldBeTrue($"two families: {line}");
                continue;
            }
            var sample = Sample().Match(line);
            sample.Success.ShouldBeTrue(line);
            family.ShouldNotBeNull(line);
            var name = sample.Groups["name"].Value;
            var owner = families.Single(f => ReferenceEquals(f.Value, family)).Key;
            var suffix = family.Type == "histogram" ? name[owner.Length..] : "";
            (owner + suffix).ShouldBe(name, line);
            family.Samples.TryAdd(suffix + sample.Groups["labels"].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture))
                .ShouldBeTrue($"twice: {line}");
        }
        return families;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*)\})? (?<value>[-+0-9.eE]+|[+-]Inf|NaN)$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sample();

    internal sealed record Family(string Type, IDictionary<string, double> Samples);
}
