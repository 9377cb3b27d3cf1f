using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Spotter.Gateway.Operations;

/// <summary>
/// Writes the meter <c>Spotter</c> in the Prometheus text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters and histograms are summed as they are
/// recorded; what is only true at the moment of asking is added by the caller as gauges.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    private static readonly double[] SecondBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<string, Family> families = new(StringComparer.Ordinal);

    public PrometheusText()
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == GatewayMeters.Name)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();
    }

    /// <summary>Everything recorded so far.</summary>
    public string Write(IEnumerable<Gauge> gauges)
    {
        var text = new StringBuilder();
        foreach (var (name, family) in families.OrderBy(f => f.Key, StringComparer.Ordinal))
            family.Write(text, name);
        foreach (var group in gauges.GroupBy(g => g.Name, StringComparer.Ordinal))
        {
            Head(text, group.Key, group.First().Help, "gauge");
            foreach (var gauge in group)
                Line(text, group.Key, gauge.Labels, gauge.Value);
        }
        return text.ToString();
    }

    public void Dispose() => listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var family = families.GetOrAdd(instrument.Name, static (_, i) => new Family(i.Description ?? "", i is Histogram<double>), instrument);
        family.Record(value, Labels(tags));
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var parts = new List<string>(tags.Length);
        foreach (var (key, value) in tags)
            parts.Add($"{key}=\"{Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")}\"");
        return string.Join(',', parts);
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static void Head(StringBuilder text, string name, string help, string type) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(CultureInfo.InvariantCulture, $" {value:R}\n");
    }

    /// <summary>A value at the moment of asking.</summary>
    internal sealed record Gauge(string Name, string Help, string Labels, double Value);

    private sealed class Family(string help, bool histogram)
    {
        private readonly Lock gate = new();
        private readonly SortedDictionary<string, Series> series = new(StringComparer.Ordinal);

        public void Record(double value, string labels)
        {
            lock (gate)
            {
                if (!series.TryGetValue(labels, out var one))
                    series[labels] = one = new Series();
                one.Sum += value;
                one.Count++;
                if (!histogram)
                    return;
                for (var i = 0; i < SecondBounds.Length; i++)
                {
                    if (value <= SecondBounds[i])
                        one.Buckets[i]++;
                }
            }
        }

        public void Write(StringBuilder text, string name)
        {
            lock (gate)
            {
                Head(text, name, help, histogram ? "histogram" : "counter");
                foreach (var (labels, one) in series)
                {
                    if (!histogram)
                    {
                        Line(text, name, labels, one.Sum);
                        continue;
                    }
                    var comma = labels.Length > 0 ? "," : "";
                    for (var i = 0; i < SecondBounds.Length; i++)
                        Line(text, name + "_bucket", string.Create(CultureInfo.InvariantCulture, $"{labels}{comma}le=\"{SecondBounds[i]}\""), one.Buckets[i]);
                    Line(text, name + "_bucket", $"{labels}{comma}le=\"+Inf\"", one.Count);
                    Line(text, name + "_sum", labels, one.Sum);
                    Line(text, name + "_count", labels, one.Count);
                }
            }
        }

        private sealed class Series
        {
            public double Sum { get; set; }

            public long Count { get; set; }

            public long[] Buckets { get; } = new long[SecondBounds.Length];
        }
    }
}
