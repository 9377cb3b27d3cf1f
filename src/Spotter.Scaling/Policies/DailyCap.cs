using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Scaling.Policies;

/// <summary>
/// Holds a policy to the worker-hours that may be spent in any 24 hours. Workers are drained while what is left is
/// still enough for them to finish: the cap holds as long as no job takes longer than the longest so far.
/// </summary>
/// <param name="inner">The policy.</param>
/// <param name="settings">With <see cref="ScaleSettings.DailyWorkerHours"/>.</param>
internal sealed class DailyCap(ScalePolicy inner, ScaleSettings settings) : ScalePolicy
{
    private const double Slot = 600;
    private const int SlotsPerDay = 144;

    private readonly double cap = 3600 * (settings.DailyWorkerHours ?? double.PositiveInfinity);
    private readonly double tick = settings.Tick.TotalSeconds;
    private readonly double minBill = settings.MinBill.TotalSeconds;

    // Worker-seconds by slot, newest first. One slot more than a day: the oldest may have begun up to a slot ago.
    private readonly LinkedList<double> spent = new([0]);

    private Dictionary<string, double> owed = new(StringComparer.Ordinal); // to the minimum bill, by worker, in seconds
    private double longestService = settings.ServicePrior.TotalSeconds;
    private double slotBegan;
    private double? seenAt;

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        Account(seen.Time.TotalSeconds, seen.Workers);
        // No time is longer than the root of the sum of the squares of all.
        longestService = Math.Max(longestService, Math.Sqrt(seen.Served.SquareSeconds));
        return Hold(inner.Decide(seen), seen.Workers);
    }

    /// <inheritdoc/>
    public override string Save() => JsonSerializer.Serialize(new CapMemory(inner.Save(), [.. spent]), CapJson.Default.CapMemory);

    /// <inheritdoc/>
    public override void Restore(string state)
    {
        CapMemory? memory = null;
        try
        {
            memory = JsonSerializer.Deserialize(state, CapJson.Default.CapMemory);
        }
        catch (JsonException)
        {
            // Saved without a cap: for the inner policy alone.
        }
        if (memory is null)
        {
            inner.Restore(state);
            return;
        }
        if (memory.Inner is { } learned)
            inner.Restore(learned);
        spent.Clear();
        foreach (var seconds in memory.Spent.Take(SlotsPerDay + 1))
            spent.AddLast(seconds);
        spent.AddFirst(0);
    }

    private void Account(double now, IReadOnlyList<WorkerView> workers)
    {
        var seconds = now - (seenAt ?? now);
        var here = workers.ToDictionary(w => w.Id, w => Math.Max(0, minBill - w.Age.TotalSeconds), StringComparer.Ordinal);
        // Whoever has gone may have gone at any time since: counted in full, with what the minimum bill adds.
        var gone = owed.Where(w => !here.ContainsKey(w.Key)).Sum(w => Math.Max(seconds, w.Value));
        spent.First!.ValueRef += workers.Sum(w => Math.Min(seconds, w.Age.TotalSeconds)) + gone;
        for (; now - slotBegan >= Slot; slotBegan += Slot)
        {
            spent.AddFirst(0);
            if (spent.Count > SlotsPerDay + 1)
                spent.RemoveLast();
        }
        (owed, seenAt) = (here, now);
    }

    private ScaleDecision Hold(ScaleDecision wanted, IReadOnlyList<WorkerView> workers)
    {
        // Each may run for another tick before it hears of it, and then finishes what it has.
        var toEnd = 2 * tick + longestService;
        var leaving = new HashSet<string>(wanted.Drain, StringComparer.Ordinal);
        var left = cap - spent.Sum() - workers.Sum(w => Math.Max(owed[w.Id], toEnd));
        var toLaunch = Math.Max(minBill, toEnd);

        // What runs on for a tick more than it would take to end it now.
        var staying = workers.Count(w => w.State != WorkerState.Draining && !leaving.Contains(w.Id));
        var over = left - (staying + wanted.CancelDrain.Count) * tick;
        var launch = (int)Math.Clamp(Math.Floor(over / (toLaunch + tick)), 0, wanted.Launch);
        var keep = over < 0 ? 0 : wanted.CancelDrain.Count;
        var drop = over < 0 ? (int)Math.Min(staying, Math.Ceiling(-over / tick)) : 0;
        if (launch == wanted.Launch && keep == wanted.CancelDrain.Count && drop == 0)
            return wanted;

        var drained = workers
            .Where(w => w.State != WorkerState.Draining && !leaving.Contains(w.Id))
            .OrderBy(w => w.State switch { WorkerState.Booting => 0, WorkerState.Loading => 1, WorkerState.Idle => 2, _ => 3 })
            .ThenBy(w => w.Id, StringComparer.Ordinal)
            .Take(drop)
            .Select(w => w.Id);
        var target = staying - drop + launch + keep;
        var clamp = string.Create(CultureInfo.InvariantCulture, $"cap {settings.DailyWorkerHours:0.##} worker-hours a day");
        return wanted with
        {
            Target = target,
            Launch = launch,
            Drain = [.. wanted.Drain, .. drained],
            CancelDrain = [.. wanted.CancelDrain.Take(keep)],
            Clamp = clamp,
            Reason = string.Create(CultureInfo.InvariantCulture, $"{wanted.Reason}, held to {target} by the {clamp}"),
        };
    }
}

/// <summary>What a capped policy keeps over a restart.</summary>
/// <param name="Inner">What the policy has learned.</param>
/// <param name="Spent">Worker-seconds by slot, newest first.</param>
internal sealed record CapMemory(string? Inner, IReadOnlyList<double> Spent);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CapMemory))]
internal sealed partial class CapJson : JsonSerializerContext;
