using System.Globalization;

namespace Spotter.Scaling.Reactive;

/// <summary>The constants of <see cref="ListLengthPolicy"/>.</summary>
public sealed record ListLengthRule
{
    /// <summary>Waiting jobs per worker. Default: 5.</summary>
    public int Length { get; init; } = 5;

    /// <summary>Time between two looks that start the first worker or end the last ones. Default: 1 s.</summary>
    public TimeSpan Polling { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Without waiting jobs for this long, all workers go. Default: 60 s.</summary>
    public TimeSpan Cooldown { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time between two looks at the number of workers above zero. Default: 15 s.</summary>
    public TimeSpan Sync { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>No fewer workers than were recommended at any time this long ago. Default: 60 s.</summary>
    public TimeSpan Stabilization { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>No more than this share of the workers goes at a time. Default: a half.</summary>
    public double MostIn { get; init; } = 0.5;

    /// <summary>At a time, no more workers are added than this or than there are, whichever is more. Default: 4.</summary>
    public int MostOut { get; init; } = 4;

    /// <summary>The number stays while the length per worker is off by no more than this share. Default: 0.1.</summary>
    public double Tolerance { get; init; } = 0.1;

    /// <summary>Time from the first observation to the first poll. Default: 0.</summary>
    public TimeSpan PollPhase { get; init; }

    /// <summary>Time from the first observation to the first sync. Default: 0.</summary>
    public TimeSpan SyncPhase { get; init; }

    /// <summary>What an event-driven scaler does when it is told nothing else: polls every 30 s, waits 5 min, then removes any number.</summary>
    public static ListLengthRule Unconfigured { get; } = new()
    {
        Polling = TimeSpan.FromSeconds(30),
        Cooldown = TimeSpan.FromMinutes(5),
        Stabilization = TimeSpan.FromMinutes(5),
        MostIn = 1,
    };
}

/// <summary>
/// The length of the list of waiting jobs over what one worker is to have, rounded up, as an event-driven scaler and a
/// pod autoscaler do it together: the one starts the first worker and ends the last, the other does the rest, blind to
/// what a worker is doing.
/// </summary>
public sealed class ListLengthPolicy(ScaleSettings settings, ListLengthRule? rule = null) : ScalePolicy
{
    private readonly ListLengthRule rule = rule ?? new();
    private readonly Rhythm polls = new((rule ?? new()).Polling, (rule ?? new()).PollPhase);
    private readonly Rhythm syncs = new((rule ?? new()).Sync, (rule ?? new()).SyncPhase);
    private readonly Queue<(TimeSpan Time, int Workers)> recommended = new();
    private TimeSpan? active;
    private string latest = "first look to come";

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        var fleet = FleetCount.Of(seen.Workers);
        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return new(fleet.Active, 0, [], [], $"list unknown: hold {fleet.Active}");

        var (polled, synced) = (polls.Due(seen.Time), syncs.Due(seen.Time));
        var wanted = fleet.Active;
        string? formula = null, clamp = null;
        if (polled)
            (wanted, formula) = Poll(seen.Time, queued, wanted);
        if (synced && wanted > 0)
            (wanted, formula, clamp) = SyncTo(seen.Time, queued, wanted);
        var target = Math.Clamp(wanted, settings.Min, settings.Max);
        if (target != wanted)
            clamp = target > wanted ? $"min {settings.Min}" : $"max {settings.Max}";
        if (formula is null && target == fleet.Active)
            return new(target, 0, [], [], latest);

        formula ??= "limits";
        var keep = Choice.Keep(seen.Workers, target - fleet.Active);
        var leave = Choice.Blindly(seen.Workers, fleet.Active - target, seen.Time, bootingFirst: true);
        var change = target == fleet.Active ? $"keep {target}" : $"{fleet.Active} -> {target}";
        latest = $"{formula}{(clamp is null ? "" : $", {clamp}")}: {change}";
        return new(target, Math.Max(0, target - fleet.Active - keep.Count), leave, keep, latest)
        {
            Formula = formula,
            Clamp = clamp,
            Inputs = new() { Queued = queued, Running = running, Ready = fleet.Ready, Booting = fleet.Booting },
        };
    }

    private (int Wanted, string? Formula) Poll(TimeSpan now, int queued, int workers)
    {
        if (queued > 0)
        {
            active = now;
            if (workers > 0)
                return (workers, null);
            recommended.Clear();
            return (1, Text($"{queued} in the list, no worker"));
        }
        // A scaler that has just been started knows of no activity, but ends nobody for that.
        active ??= now;
        return workers > 0 && now - active > rule.Cooldown
            ? (0, Text($"list empty for {rule.Cooldown.TotalSeconds:0} s"))
            : (workers, null);
    }

    private (int Wanted, string Formula, string? Clamp) SyncTo(TimeSpan now, int queued, int workers)
    {
        var ratio = queued / ((double)rule.Length * workers);
        var near = Math.Abs(ratio - 1) <= rule.Tolerance;
        var demand = near ? workers : (int)(((long)queued + rule.Length - 1) / rule.Length);
        var least = Math.Max(1, settings.Min);
        var desired = Math.Clamp(demand, least, Math.Max(least, settings.Max));
        var limit = demand < least ? $"min {least}" : demand > settings.Max ? $"max {settings.Max}" : null;
        recommended.Enqueue((now, desired));
        while (recommended.Peek().Time < now - rule.Stabilization)
            recommended.Dequeue();
        var formula = near
            ? Text($"{queued} in the list is near {rule.Length} x {workers}")
            : Text($"ceil({queued} in the list / {rule.Length}) = {demand}");

        if (desired > workers)
        {
            var most = Math.Max(workers + rule.MostOut, workers * 2);
            return desired > most ? (most, formula, Text($"at most +{most - workers} at a time")) : (desired, formula, limit);
        }
        var highest = recommended.Max(r => r.Workers);
        if (Math.Min(highest, workers) is var stable && stable > desired)
            (desired, limit) = (stable, Text($"stays at the most of {rule.Stabilization.TotalSeconds:0} s, {highest}"));
        var step = (int)Math.Ceiling(workers * (1 - rule.MostIn));
        return desired < step ? (step, formula, Text($"at most {rule.MostIn:0 %} go at a time")) : (desired, formula, limit);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
