using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling.Hindsight;

namespace Spotter.Scaling.Policies;

/// <summary>
/// Four decisions, one price for a second of waiting. <b>Out</b>: launch while the waiting that one more worker
/// saves, on the backlog projected to the moment it could have joined, is worth more than its start. <b>Linger</b>:
/// keep an idle worker as long as would have been cheapest over the recent gaps of its level. <b>Ahead</b>: start a
/// worker before its level's gap ends if the gaps have been regular enough for that to have been cheaper.
/// <b>Staff</b>: keep as many workers as a steady stream at the rate believed in is worth.
/// Only idle and booting workers are let go, never before their minimum bill is used up.
/// </summary>
public sealed class SpotterPolicy : ScalePolicy
{
    private const double ServiceWeight = 0.1;
    private const double BootWeight = 0.3;

    // What is launched on costs more when it is wrong than what is kept on.
    private const double LaunchQuantile = 0.4;
    private const double KeepQuantile = 0.5;

    // The first worker is kept for a stream whose cold starts would cost this many times the worker.
    private const double KeepFirst = 1.5;

    // How far ahead a launch is judged by: so many boots and jobs. Where boots are quick a job must be long enough to tell.
    private const double HorizonBoots = 2;
    private const double HorizonJobs = 4;

    // In boot times: a worker that takes longer is not counted on, and then given up.
    private const double Overdue = 2;
    private const double GivenUp = 3;

    // Without sight of the backlog, lost workers are replaced for so long, in seconds.
    private const double BlindLaunches = 120;

    private readonly ScaleSettings settings;
    private readonly double minBill;
    private readonly Level[] levels; // levels[k - 1] is level k
    private readonly ShadowFleets shadows;
    private readonly ArrivalBelief belief = new();
    private readonly ArrivalLog arrivals = new();

    private double service;
    private double boot;
    private int demand;
    private int latestTarget;
    private double waited;
    private double? seenAt;
    private long arrived;
    private ColdStart? episode;

    /// <summary>Creates the policy; it knows nothing yet but the priors.</summary>
    public SpotterPolicy(ScaleSettings settings)
    {
        this.settings = settings;
        minBill = settings.MinBill.TotalSeconds;
        service = settings.ServicePrior.TotalSeconds;
        boot = settings.BootPrior.TotalSeconds;
        levels = [.. Enumerable.Range(1, settings.Max).Select(k => new Level(k, k == 1 ? boot : boot / 2))];
        shadows = new(settings.Max, settings.Lanes);
    }

    // A worker with several lanes is as good as one that takes so much less for a job.
    private double Pace => service / settings.Lanes;

    private Terms Terms => new(boot, settings.WaitPrice, settings.Tick.TotalSeconds);

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        service = seen.Served.Move(service, ServiceWeight);
        foreach (var seconds in seen.BootedSeconds)
            boot += BootWeight * (seconds - boot);

        var now = seen.Time.TotalSeconds;
        var patience = Math.Max(GivenUp * boot, settings.BootPatience.TotalSeconds);
        var fleet = new FleetView(seen.Workers, Overdue / GivenUp * patience, patience);
        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return Blind(now, fleet);
        Measure(now, seen.Arrived, queued);
        Track(now, Math.Min(settings.Max, (int)Math.Round(arrivals.Since(now - service) / settings.Lanes)), fleet.Ready, queued);

        var inputs = new ScaleInputs
        {
            Queued = queued,
            Running = running,
            Ready = fleet.Ready,
            Booting = fleet.Booting.Count,
            Demand = demand,
            ArrivalRate = belief.Quantile(LaunchQuantile),
            ServiceSeconds = service,
            BootSeconds = boot,
        };
        var (wanted, formula) = Out(inputs, fleet);
        if (Ahead(now) is var due && due > wanted)
            (wanted, formula) = (due, Text($"level {due} is due by its gaps"));
        if (Math.Min(latestTarget, Staff()) is var lost && lost > wanted)
            (wanted, formula) = (lost, "replaces a worker that was lost");
        var held = Math.Clamp(wanted, settings.Min, settings.Max);
        var clamp = held == wanted ? null : held > wanted ? Text($"min {held}") : Text($"max {held}");

        if (held <= fleet.Count && queued == 0 && In(now, fleet) is { Count: > 0 } leave)
            return Decision(fleet, fleet.Count - leave.Count, leave, "idle for so long that starting another one later is cheaper", clamp, inputs);
        return Decision(fleet, Math.Max(held, fleet.Count), [], formula, clamp, inputs);
    }

    /// <inheritdoc/>
    public override string Save() => JsonSerializer.Serialize(
        new PolicyMemory(service, boot, belief.Save(), [.. levels.Select(level => level.Save(seenAt ?? 0))]), MemoryJson.Default.PolicyMemory);

    /// <inheritdoc/>
    public override void Restore(string state)
    {
        PolicyMemory? memory;
        try
        {
            memory = JsonSerializer.Deserialize(state, MemoryJson.Default.PolicyMemory);
        }
        catch (JsonException broken)
        {
            throw Unreadable(broken);
        }
        if (memory is not { Service: > 0, Boot: >= 0 })
            throw Unreadable();
        (service, boot) = (memory.Service, memory.Boot);
        belief.Restore(memory.Belief);
        foreach (var (level, learned) in levels.Zip(memory.Levels))
            level.Restore(learned, Terms);
    }

    /// <summary>Unknown is never zero: nobody is let go, and what was lost is replaced for a while.</summary>
    private ScaleDecision Blind(double now, FleetView fleet)
    {
        var since = now - (seenAt ?? now);
        var target = since <= BlindLaunches ? Math.Max(fleet.Count, Math.Min(latestTarget, settings.Max)) : fleet.Count;
        return Decision(fleet, target, [], Text($"backlog unknown for {since:0} s"), null, null);
    }

    private ScaleDecision Decision(
        FleetView fleet, int target, IReadOnlyList<string> leave, string formula, string? clamp, ScaleInputs? inputs)
    {
        latestTarget = target;
        List<string> back = [.. fleet.Draining.Take(Math.Max(0, target - fleet.Count))];
        // One that is overdue may still come, and there are never more than the most.
        var launch = Math.Clamp(target - fleet.Count - back.Count, 0, Math.Max(0, settings.Max - fleet.Total - back.Count));
        var change = target == fleet.Count ? Text($"keep {target}") : Text($"{fleet.Count} -> {target}");
        return new(target, launch, [.. fleet.GivenUp, .. leave], back, clamp is null ? $"{formula}: {change}" : $"{formula}, {clamp}: {change}")
        {
            Formula = formula,
            Clamp = clamp,
            Inputs = inputs,
        };
    }

    /// <summary>Learns from what has arrived and waited since the last look.</summary>
    private void Measure(double now, long total, int queued)
    {
        var (from, seconds) = seenAt is { } before ? (before, now - before) : (now, Terms.Tick);
        var count = Math.Max(0, total - arrived);
        belief.Note(seconds, count);
        arrivals.Note(from, now, count);
        for (var i = 0L; i < count; i++)
            shadows.Arrive(now, service, 2 * boot);
        if (seenAt is not null)
            waited += queued * seconds;
        (seenAt, arrived) = (now, total);
    }

    /// <summary>Notes the gaps of the levels, and what finding a level cold has cost in waiting.</summary>
    private void Track(double now, int wanted, int ready, int queued)
    {
        for (var k = demand + 1; k <= wanted; k++)
        {
            levels[k - 1].Rise(now, boot, shadows.Saved(k));
            if (k > ready)
                (episode ??= new(waited)).Miss(k, Terms.Tick);
        }
        for (var k = wanted + 1; k <= demand; k++)
            levels[k - 1].Fall(now, shadows.Saved(k), Terms);
        demand = wanted;

        if (episode is null)
            return;
        episode.Watch(demand, Terms.Tick);
        if (queued > 0)
            return;
        foreach (var (k, suffered) in episode.Shares(waited))
            levels[k - 1].Suffer(suffered);
        episode = null;
    }

    /// <summary>Adds workers while one more saves more waiting than its start costs.</summary>
    private (int Wanted, string Formula) Out(ScaleInputs seen, FleetView fleet)
    {
        if (seen.Queued == 0)
            return (fleet.Count, "nothing waits");

        var load = seen.ArrivalRate * Pace;
        var backlog = Math.Max(0, (seen.Queued + seen.Running / 2.0) * Pace + load * boot
            - fleet.Ready * boot - fleet.Booting.Sum(age => Math.Min(boot, age)));
        var n = fleet.Count;
        while (n < settings.Max && (settings.WaitPrice * (Waiting(backlog, n - load) - Waiting(backlog, n + 1 - load)) > boot || IsSlow(backlog, n - load)))
            n++;
        return (Math.Max(1, n), Text($"backlog of {backlog:0} worker-seconds after a boot of {boot:0.#} s, load {load:0.0#}"));
    }

    /// <summary>Job-seconds that a backlog of worker-seconds waits until it is gone, or up to the horizon.</summary>
    private double Waiting(double backlog, double spare)
    {
        var horizon = HorizonBoots * boot + HorizonJobs * Pace;
        var area = spare * horizon >= backlog
            ? spare > 0 ? backlog * backlog / (2 * spare) : 0
            : backlog * horizon - spare * horizon * horizon / 2;
        return area / Pace;
    }

    private bool IsSlow(double backlog, double spare) =>
        settings.TargetDrain is { } target && backlog > 0 && spare * target.TotalSeconds < backlog;

    /// <summary>The highest level that is to be there ahead of its demand; 0 if none.</summary>
    private int Ahead(double now)
    {
        for (var k = levels.Length; k > demand; k--)
        {
            if (levels[k - 1].Plan.IsAhead(now - levels[k - 1].Fell))
                return k;
        }
        return 0;
    }

    /// <summary>The workers that need not linger: the youngest that boots first, then the longest idle.</summary>
    private List<string> In(double now, FleetView fleet)
    {
        var (least, staff) = (Math.Max(demand, settings.Min), Staff());
        var leave = new List<string>();
        var k = fleet.Count;
        foreach (var worker in fleet.Dispensable)
        {
            if (k <= least || (k <= levels.Length && IsKept(k, now, staff)))
                break;
            if (worker.State == WorkerState.Idle && worker.StateAge < settings.KeepIdle)
                break;
            if (worker.Age.TotalSeconds >= minBill - Terms.Tick)
                leave.Add(worker.Id);
            k--;
        }
        return leave;
    }

    private bool IsKept(int k, double now, int staff)
    {
        var (plan, gap) = (levels[k - 1].Plan, now - levels[k - 1].Fell);
        if (gap < plan.Linger || plan.IsAhead(gap))
            return true;
        // Where one worker is enough, being ahead of regular gaps is better than staying.
        return k <= staff && (k > 1 || plan.Start is null);
    }

    /// <summary>The workers that the stream believed in is worth; 0 where it is better to start one for each job.</summary>
    private int Staff()
    {
        var rate = belief.Quantile(KeepQuantile);
        var coldStarts = rate * boot * (1 + settings.WaitPrice);
        return coldStarts < KeepFirst ? 0 : Staffing.WorkersFor(rate * Pace, settings.WaitPrice, settings.Max);
    }

    private static SpotterException Unreadable(Exception? cause = null) => new(
        ErrorCodes.InvalidSettings, "What the scaling policy had learned can't be read; delete it to begin anew.", cause);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
