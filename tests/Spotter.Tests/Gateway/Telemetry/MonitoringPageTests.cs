using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;

namespace Spotter.Tests.Gateway.Telemetry;

/// <summary>The table in docs/monitoring.md has each metric that a gateway makes, with its own words, and no other.</summary>
public sealed partial class MonitoringPageTests
{
    [Fact]
    public async Task Its_table_is_that_of_the_gateway()
    {
        var made = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var meter = "";
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == meter)
                    made[NameOf(instrument)] = $"{KindOf(instrument)}: {instrument.Description}";
            },
        };
        await using var bench = await GatewayBench.StartAsync();
        (await bench.Client.GetAsync(new Uri("/metrics", UriKind.Relative))).Dispose();
        meter = bench.Settings.Telemetry.Meter;
        listener.Start();

        var page = await File.ReadAllTextAsync(Path.Combine(SharedFiles.Repository, "docs", "monitoring.md"));
        var told = Row().Matches(page).ToDictionary(m => m.Groups["name"].Value, m => $"{m.Groups["kind"].Value}: {m.Groups["text"].Value}", StringComparer.Ordinal);

        made.Count.ShouldBeGreaterThan(15);
        told.OrderBy(t => t.Key, StringComparer.Ordinal).ToList().ShouldBe([.. made]);
    }

    [Fact]
    public async Task Each_alert_has_a_runbook()
    {
        var rules = await File.ReadAllTextAsync(Path.Combine(SharedFiles.Repository, "deploy", "monitoring", "rules.yaml"));
        var page = await File.ReadAllTextAsync(Path.Combine(SharedFiles.Repository, "docs", "operations.md"));
        var sections = Heading().Matches(page).Select(m => m.Groups["title"].Value.ToLowerInvariant().Replace(' ', '-')).ToHashSet(StringComparer.Ordinal);

        var alerts = Alert().Count(rules);
        var runbooks = Runbook().Matches(rules).Select(m => m.Groups["section"].Value).ToList();

        alerts.ShouldBeGreaterThan(10);
        runbooks.Count.ShouldBe(alerts);
        runbooks.Where(section => !sections.Contains(section)).ShouldBeEmpty();
    }

    private static string NameOf(Instrument instrument) =>
        instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "") + (KindOf(instrument) == "counter" ? "_total" : "");

    private static string KindOf(Instrument instrument) => instrument switch
    {
        Histogram<double> => "histogram",
        Counter<long> or ObservableCounter<long> => "counter",
        _ => "gauge",
    };

    [GeneratedRegex(@"^\| `(?<name>spotter_[a-z_]+)` \| (?<kind>[a-z]+) \| [a-z, ]*\| (?<text>.*) \|$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Row();

    [GeneratedRegex(@"^### (?<title>.*)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^      - alert: ", RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Alert();

    [GeneratedRegex(@"runbook: docs/operations\.md#(?<section>[a-z-]+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Runbook();
}
