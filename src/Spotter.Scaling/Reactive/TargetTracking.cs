using System.Globalization;

namespace Spotter.Scaling.Reactive;

/// <summary>The constants of target tracking, as a cloud's scaling group does it.</summary>
public sealed record TargetTrackingRule
{
    /// <summary>What the metric is held at. Default: 10.</summary>
    public double Target { get; init; } = 10;

    /// <summary>Time between two samples of the metric. Default: 30 s.</summary>
    public TimeSpan Sampling { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The samples of this long are averaged to one datapoint. Default: 60 s.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>So many datapoints above the target let the fleet grow. Default: 3.</summary>
    public int PointsOut { get; init; } = 3;

    /// <summary>So long below nine tenths of the target lets it shrink. Default: 15 min.</summary>
    public TimeSpan TimeIn { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>No more workers are removed at a time. Default: as many as the formula says.</summary>
    public int MostIn { get; init; } = int.MaxValue;

    /// <summary>After the first worker was started from zero, no other is for this long. Default: 5 min.</summary>
    public TimeSpan RestFromZero { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time from the first observation to the first sample. Default: 0.</summary>
    public TimeSpan Phase { get; init; }
}

/// <summary>
/// Capacity × metric / target, once the metric has been above the target for some datapoints or below nine tenths of it for
/// long. Without a worker there is no metric, so two datapoints with a backlog start the first one.
/// </summary>
internal sealed class TargetTracking(TargetTrackingRule rule)
{
    // Below the target by less than this share is near enough.
    private const double InShare = 0.9;
    private const int PointsFromZero = 2;

    private readonly int samplesPerPoint = Math.Max(1, (int)Math.Round(rule.Period / rule.Sampling));
    private readonly int pointsIn = Math.Max(1, (int)(rule.TimeIn / rule.Period));
    private readonly List<double> points = [];
    private int samples, known, backlogged;
    private long waiting;
    private double sum;
    private TimeSpan restUntil = TimeSpan.MinValue;

    /// <summary>Why the latest datapoint led to what it led to.</summary>
    public string Formula { get; private set; } = "no datapoint yet";

    /// <summary>Takes a sample.</summary>
    /// <param name="now">When.</param>
    /// <param name="queued">Jobs waiting.</param>
    /// <param name="capacity">Workers, those that boot included and those that drain not.</param>
    /// <param name="metric">What is tracked; null when there is nothing to measure it on.</param>
    /// <returns>Workers wanted, without regard to limits.</returns>
    public int Sample(TimeSpan now, int queued, int capacity, double? metric)
    {
        samples++;
        waiting += queued;
        if (metric is { } value)
        {
            sum += value;
            known++;
        }
        if (samples < samplesPerPoint)
            return capacity;

        var backlog = waiting > 0;
        double? point = known > 0 ? sum / known : null;
        (samples, known, waiting, sum) = (0, 0, 0, 0);
        return capacity == 0 ? FromZero(now, backlog) : Track(capacity, point);
    }

    private int FromZero(TimeSpan now, bool backlog)
    {
        points.Clear();
        backlogged = backlog ? backlogged + 1 : 0;
        Formula = string.Create(CultureInfo.InvariantCulture, $"no worker, {backlogged} of {PointsFromZero} datapoints with a backlog");
        if (backlogged < PointsFromZero || now < restUntil)
            return 0;
        backlogged = 0;
        restUntil = now + rule.RestFromZero;
        return 1;
    }

    private int Track(int capacity, double? point)
    {
        if (point is { } value)
            points.Add(value);
        if (points.Count > pointsIn)
            points.RemoveRange(0, points.Count - pointsIn);
        if (points.Count == 0)
            return capacity;
        var metric = points[^1];
        var proportional = (int)Math.Min(int.MaxValue, Math.Ceiling(capacity * metric / rule.Target));
        var text = string.Create(CultureInfo.InvariantCulture, $"{capacity} x {metric:0.##} / {rule.Target:0.##}");
        if (Run(rule.PointsOut, p => p > rule.Target))
        {
            Formula = string.Create(CultureInfo.InvariantCulture, $"{text}, {rule.PointsOut} datapoints above the target");
            return Math.Max(capacity, proportional);
        }
        if (Run(pointsIn, p => p < InShare * rule.Target))
        {
            Formula = string.Create(CultureInfo.InvariantCulture, $"{text}, {pointsIn} datapoints below the target");
            return Math.Min(capacity, Math.Max(proportional, capacity - rule.MostIn));
        }
        Formula = string.Create(CultureInfo.InvariantCulture, $"metric {metric:0.##}, target {rule.Target:0.##}");
        return capacity;
    }

    private bool Run(int length, Predicate<double> all)
    {
        if (points.Count < length)
            return false;
        for (var i = points.Count - length; i < points.Count; i++)
        {
            if (!all(points[i]))
                return false;
        }
        return true;
    }
}
