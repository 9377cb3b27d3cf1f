using System.Globalization;
using System.Text.Json;
using Spotter.Core.Scaling.Hindsight;

namespace Spotter.Core.Scaling;

/// <summary>
/// Three decisions, one price for a second of waiting. <b>Out</b>: launch while the waiting that one more worker
/// saves, on the backlog projected to the moment it could have joined, is worth more than its start. <b>Linger</b>:
/// keep an idle worker as long as would have been cheapest over the recent gaps of its level. <b>Ahead</b>: start a
/// worker before its level's gap ends if the gaps have been regular enough for that to have been cheaper.
/// Only idle and booting workers are let go, never before their minimum bill is used up.
/// </summary>
public sealed class SpotterPolicy : ScalePolicy
{
    private const double ServiceWeight = 0.1;
    private const double BootWeight = 0.3;
    private const int RateBins = 6;

    // In boot times: a worker that takes longer is not counted on, and then given up.
    private const double Overdue = 2;
    private const double GivenUp = 3;

    private readonly ScaleSettings settings;
    private readonly int lanes;
    private readonly double price;
    private readonly double tick;
    private readonly double minBill;
    private readonly Level[] levels; // levels[k - 1] is level k
    private readonly ArrivalLog arrivals = new();

    private double service;
    private double boot;
    private int demand;
    private double waited;
    private double last;
    private ColdEpisode? episode;

    /// <summary>Creates the policy; it knows nothing yet but the priors.</summary>
    public SpotterPolicy(ScaleSettings settings)
    {
        this.settings = settings;
        lanes = Math.Max(1, settings.Lanes);
        price = settings.WaitPrice;
        tick = settings.Tick.TotalSeconds;
        minBill = settings.MinBill.TotalSeconds;
        service = settings.ServicePrior.TotalSeconds;
        boot = settings.BootPrior.TotalSeconds;
        levels = [.. Enumerable.Range(1, settings.Max).Select(k => new Level(k == 1 ? boot : boot / 2))];
    }

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        Measure(seen);
        var patience = Math.Max(GivenUp * boot, settings.BootPatience.TotalSeconds);
        var fleet = new FleetView(seen.Workers, Overdue / GivenUp * patience, patience);
        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return new(fleet.Count, 0, [], [], $"backlog unknown: hold {fleet.Count}");

        var now = seen.Time.TotalSeconds;
        waited += queued * (now - last);
        last = now;
        Track(now, Math.Min(settings.Max, (int)Math.Round(arrivals.Since(now - service) / lanes)), fleet.Ready, queued);

        var rate = arrivals.MedianRate(now, boot, RateBins);
        var inputs = new ScaleInputs
        {
            Queued = queued,
            Running = running,
            Ready = fleet.Ready,
            Booting = fleet.Booting.Count,
            Demand = demand,
            ArrivalRate = rate,
            ServiceSeconds = service,
            BootSeconds = boot,
        };

        var (wanted, formula) = Out(inputs, fleet);
        if (Ahead(now) is var ahead && ahead > wanted)
            (wanted, formula) = (ahead, Text($"level {ahead} is due"));
        string? clamp = null;
        if (Math.Clamp(wanted, settings.Min, settings.Max) is var held && held != wanted)
            (wanted, clamp) = (held, held > wanted ? $"min {held}" : $"max {held}");

        List<string> leave = [.. fleet.GivenUp];
        if (wanted <= fleet.Count && queued == 0)
            leave.AddRange(In(now, fleet));
        var back = wanted > fleet.Count ? fleet.Draining.Take(wanted - fleet.Count).ToList() : [];
        var launch = Math.Max(0, wanted - fleet.Count - back.Count);
        var target = Math.Max(wanted, fleet.Count) - (leave.Count - fleet.GivenUp.Count);
        return new(target, launch, leave, back, Explain(formula, clamp, fleet.Count, target))
        {
            Formula = formula,
            Clamp = clamp,
            Inputs = inputs,
        };
    }

    /// <inheritdoc/>
    public override string Save() => JsonSerializer.Serialize(
        new PolicyMemory(service, boot, [.. levels.Select(l => l.Save(last))]), MemoryJson.Default.PolicyMemory);

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
            throw new SpotterException(ErrorCodes.InvalidSettings, "What the scaling policy had learned can't be read; delete it to begin anew.", broken);
        }
        if (memory is null)
            return;
        (service, boot) = (memory.Service, memory.Boot);
        foreach (var (level, learned) in levels.Zip(memory.Levels))
            level.Restore(learned, boot, price, tick);
    }

    private void Measure(ScaleObservation seen)
    {
        var now = seen.Time.TotalSeconds;
        foreach (var seconds in seen.ServedSeconds)
            service += ServiceWeight * (seconds - service);
        foreach (var seconds in seen.BootedSeconds)
            boot += BootWeight * (seconds - boot);
        arrivals.Note(now, seen.Arrived);
        arrivals.Forget(now - Math.Max(service, Math.Max(boot, RateBins)));
    }

    /// <summary>Notes the gaps of the levels, and what finding a level cold has cost in waiting.</summary>
    private void Track(double now, int wanted, int ready, int queued)
    {
        for (var k = demand + 1; k <= wanted; k++)
        {
            levels[k - 1].Rise(now, boot);
            if (k > ready && (episode ??= new(waited)) is { } cold)
                cold.Miss(k, tick);
        }
        for (var k = wanted + 1; k <= demand; k++)
            levels[k - 1].Fall(now, boot, price, tick);
        demand = wanted;

        if (episode is null)
            return;
        episode.Watch(demand, tick);
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

        // A worker with several lanes is as good as one that takes so much less for a job.
        var pace = service / lanes;
        var load = seen.ArrivalRate * pace;
        var backlog = Math.Max(0, (seen.Queued + seen.Running / 2.0) * pace + load * boot
            - fleet.Ready * boot - fleet.Booting.Sum(age => Math.Min(boot, age)));
        var n = fleet.Count;
        while (n < settings.Max)
        {
            var spare = n - load;
            if (spare > 0.5)
            {
                var saved = price * backlog * backlog / (2 * pace) * (1 / spare - 1 / (spare + 1));
                if (saved <= boot)
                    break;
            }
            else if (backlog <= 0)
            {
                break;
            }
            n++;
        }
        return (Math.Max(1, n), Text($"backlog of {backlog:0} worker-seconds after a boot of {boot:0.#} s, load {load:0.0#}"));
    }

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
    private IEnumerable<string> In(double now, FleetView fleet)
    {
        var k = fleet.Count;
        foreach (var worker in fleet.Dispensable)
        {
            if (k <= Math.Max(demand, settings.Min) || (worker.State == WorkerState.Idle && worker.StateAge < settings.KeepIdle))
                yield break;
            if (k <= levels.Length)
            {
                var level = levels[k - 1];
                var gap = now - level.Fell;
                if (gap < level.Plan.Linger || level.Plan.IsAhead(gap))
                    yield break;
            }
            if (worker.Age.TotalSeconds >= minBill - tick)
                yield return worker.Id;
            k--;
        }
    }

    private static string Explain(string formula, string? clamp, int from, int to)
    {
        var change = to == from ? $"keep {from}" : Text($"{from} -> {to}");
        return clamp is null ? $"{formula}: {change}" : $"{formula}, {clamp}: {change}";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
