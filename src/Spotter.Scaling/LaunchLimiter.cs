using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// Holds a policy's decisions to what is sensible when things are broken, which a policy that only sees counts can't know:
/// the backlog is unknown, workers don't boot, or die. It launches less than wanted, never more, and says so in the
/// decision.
/// </summary>
internal sealed class LaunchLimiter
{
    // An unknown backlog may hide a fleet that is needed, but not for ever one that grows on what was.
    private static readonly TimeSpan LongestUnknown = TimeSpan.FromMinutes(2);

    private const int FailedBoots = 3;
    private static readonly TimeSpan FirstProbe = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LastProbe = TimeSpan.FromMinutes(10);

    private const int MostLaunches = 32;

    private readonly CrashWindow window = new();
    private TimeSpan? unknownSince;
    private (int Failed, TimeSpan Since) boots;
    private int? held;
    private int target;

    /// <summary>What is wrong now, in a few words; null when nothing is.</summary>
    public string? Alarm { get; private set; }

    /// <summary>The decision as it is to be carried out.</summary>
    /// <param name="seen">What the policy saw.</param>
    /// <param name="wanted">What it decided.</param>
    /// <param name="health">How workers have ended.</param>
    /// <param name="served">Jobs done since the start.</param>
    public ScaleDecision Apply(ScaleObservation seen, ScaleDecision wanted, FleetHealth health, long served)
    {
        var active = seen.Workers.Count(w => w.State != WorkerState.Draining);
        window.Note(seen.Time, health.Crashes, served, seen.Workers.Count);
        var (most, why) = Limits(seen, health, active).MinBy(limit => limit.Most);
        var decision = Hold(wanted, active, Math.Max(0, most), why);
        if (seen.Queued is null && decision.Drain.Count > 0)
            decision = decision with { Target = active, Drain = [], Reason = $"{decision.Reason}; nobody goes while the backlog is unknown" };
        target = decision.Target;
        return decision;
    }

    /// <summary>How many more workers there may be, and why not more.</summary>
    private List<(int Most, string Why)> Limits(ScaleObservation seen, FleetHealth health, int active)
    {
        var limits = new List<(int, string)> { (MostLaunches, $"at most {MostLaunches} at a time") };
        Alarm = null;

        unknownSince = seen.Queued is null ? unknownSince ?? seen.Time : null;
        if (unknownSince is { } since && seen.Time - since > LongestUnknown)
            limits.Add((0, Text($"no launches while the backlog is unknown, for {(seen.Time - since).TotalSeconds:0} s now")));

        if (health.FailedBoots != boots.Failed)
            boots = (health.FailedBoots, seen.Time);
        if (boots.Failed >= FailedBoots)
        {
            Alarm = $"{boots.Failed} workers in a row did not boot";
            var wait = Earlier(FirstProbe * Math.Pow(2, Math.Min(20, boots.Failed - FailedBoots)), LastProbe);
            var left = boots.Since + wait - seen.Time;
            if (left > TimeSpan.Zero)
                limits.Add((0, Text($"{Alarm}: the next is tried in {left.TotalSeconds:0} s")));
            else
                limits.Add((seen.Workers.Any(w => w.IsBooting) ? 0 : 1, $"{Alarm}: one is tried"));
        }

        held = window.IsCrashLoop ? held ?? Math.Max(1, target) : null;
        if (held is { } count)
        {
            Alarm = $"{window.Crashes} workers died within an hour";
            limits.Add((count - active, $"{Alarm}: held at {count}"));
        }
        return limits;
    }

    private static ScaleDecision Hold(ScaleDecision wanted, int active, int most, string why)
    {
        var more = wanted.CancelDrain.Count + wanted.Launch;
        if (more <= most)
            return wanted;
        var back = wanted.CancelDrain.Take(most).ToList();
        var launch = Math.Min(wanted.Launch, most - back.Count);
        return wanted with
        {
            Target = Math.Min(wanted.Target, active + back.Count + launch - wanted.Drain.Count),
            Launch = launch,
            CancelDrain = back,
            Clamp = why,
            Reason = $"{wanted.Reason}; {why}",
        };
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
