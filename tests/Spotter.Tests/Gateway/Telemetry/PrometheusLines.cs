using System.Globalization;
using System.Text.RegularExpressions;

namespace Spotter.Tests.Gateway.Telemetry;

/// <summary>What the exposition format demands of every line, checked on the whole text.</summary>
internal static partial class PrometheusLines
{
    public static void Check(string text)
    {
        text.ShouldEndWith("\n");
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        var samples = new HashSet<string>(StringComparer.Ordinal);
        var bucket = (Series: "", Count: 0.0);
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                types.TryAdd(words[2], words[3]).ShouldBeTrue($"{line}: a family comes once");
                continue;
            }
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;

            var match = Sample().Match(line);
            match.Success.ShouldBeTrue($"not a sample: {line}");
            var name = match.Groups["name"].Value;
            samples.Add(name + match.Groups["labels"].Value).ShouldBeTrue($"twice: {line}");
            var family = types.ContainsKey(name) ? name : name[..name.LastIndexOf('_')];
            types.ShouldContainKey(family, line);
            var value = double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture);
            if (types[family] != "histogram" || !name.EndsWith("_bucket", StringComparison.Ordinal))
                continue;
            var series = name + Le().Replace(match.Groups["labels"].Value, "");
            value.ShouldBeGreaterThanOrEqualTo(bucket.Series == series ? bucket.Count : 0, line);
            bucket = (series, value);
        }
    }

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (?<value>-?[0-9.]+(E[+-]?[0-9]+)?)$""",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Sample();

    [GeneratedRegex("le=\"[^\"]*\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Le();
}
