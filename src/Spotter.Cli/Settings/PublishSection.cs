using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Fleets.Opening;
using Spotter.Scaling.Publishing;

namespace Spotter.Cli.Settings;

/// <summary>Metrics for a scaler outside Spotter.</summary>
internal static class PublishSection
{
    /// <summary>Where they go; null for nowhere.</summary>
    public static readonly Setting<string?> To = new(
        "publish.to", "Where the backlog is published for a scaler outside Spotter. Default: nowhere.",
        new(string.Join(" or ", Names), string.Join('|', Names), text => (Names.Contains(text, StringComparer.Ordinal), text)) { Names = Names }, null)
    { Flag = "--publish" };

    /// <summary>Time between two of them.</summary>
    public static readonly Setting<TimeSpan> Interval = new(
        "publish.intervalSeconds", "Seconds between two publications.", SettingValues.Times(TimeSpan.FromSeconds(1), 1, 3600), TimeSpan.FromSeconds(60)) { Flag = "--publish-interval" };

    /// <summary>What the backlog per instance is while jobs wait and there is no instance.</summary>
    public static readonly Setting<double?> WhenEmpty = new(
        "publish.whenEmpty", "What the backlog per instance is while jobs wait and there is no instance. Default: the number of jobs that wait.",
        SettingValues.Positive("NUMBER").OrNone(), null)
    { Flag = "--publish-empty" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [To, Interval, WhenEmpty, .. MetricSinks.BuiltIn.SelectMany(s => s.Settings)];

    /// <summary>Notes what is wrong with them.</summary>
    public static void Check(SettingReader settings, TimeProvider time)
    {
        _ = (settings.Get(Interval), settings.Get(WhenEmpty));
        if (settings.Get(To) is null)
        {
            // Something was to be published, one would think.
            if (All.Skip(1).FirstOrDefault(settings.Has) is { } alone)
                settings.Mistake($"{settings.NameOf(alone)} says how metrics are published, but not where; add {To.Flag} {string.Join('|', Names)}.");
            return;
        }
        try
        {
            (Open(settings, time) as IDisposable)?.Dispose();
        }
        catch (SpotterException wrong)
        {
            settings.Mistake(wrong.Message);
        }
    }

    /// <summary>Where metrics go; null for nowhere.</summary>
    public static IMetricSink? Open(SettingReader settings, TimeProvider time) =>
        settings.Get(To) is { } to ? MetricSinks.BuiltIn.First(s => s.Name == to).Create(settings, time) : null;

    private static IReadOnlyList<string> Names => [.. MetricSinks.BuiltIn.Select(s => s.Name)];
}
