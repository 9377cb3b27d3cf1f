using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Spotter.Gateway;
using Spotter.Gateway.Operations;

namespace Spotter.Tests.Gateway;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Labels_are_escaped()
    {
        using var text = new PrometheusText();
        using var meter = new Meter(GatewayMeters.Name);
        meter.CreateCounter<long>("test_escapes_total", null, "Test.").Add(1, new KeyValuePair<string, object?>("name", "a\"b\\c\nd"));

        var written = text.Write([]);

        written.ShouldContain("test_escapes_total{name=\"a\\\"b\\\\c\\nd\"} 1\n");
        PrometheusLines.Check(written);
    }

    [Fact]
    public void Histograms_are_cumulative_and_end_with_their_count()
    {
        using var text = new PrometheusText();
        using var meter = new Meter(GatewayMeters.Name);
        var histogram = meter.CreateHistogram<double>("test_seconds", "s", "Test.");
        foreach (var value in (double[])[0.005, 0.01, 0.3, 1000])
            histogram.Record(value, new KeyValuePair<string, object?>("engine", "detect"));

        var written = text.Write([]);

        PrometheusLines.Check(written);
        written.ShouldContain("test_seconds_bucket{engine=\"detect\",le=\"0.01\"} 2\n");
        written.ShouldContain("test_seconds_bucket{engine=\"detect\",le=\"0.5\"} 3\n");
        written.ShouldContain("test_seconds_bucket{engine=\"detect\",le=\"60\"} 3\n");
        written.ShouldContain("test_seconds_bucket{engine=\"detect\",le=\"+Inf\"} 4\n");
        written.ShouldContain("test_seconds_count{engine=\"detect\"} 4\n");
    }

    [Fact]
    public void Only_results_say_how_long_an_attempt_takes()
    {
        using var text = new PrometheusText();
        using var meters = new GatewayMeters();
        meters.Ended("histogram-test", SampleJobs.Retry(), TimeSpan.Zero);
        meters.Ended("histogram-test", SampleJobs.Done(), TimeSpan.FromSeconds(2));

        var written = text.Write([]);

        written.ShouldContain("spotter_attempt_seconds_count{engine=\"histogram-test\"} 1\n");
        written.ShouldContain("spotter_attempts_total{engine=\"histogram-test\",outcome=\"retry\"} 1\n");
    }
}

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
