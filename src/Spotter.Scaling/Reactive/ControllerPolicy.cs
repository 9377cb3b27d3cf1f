using System.Globalization;

namespace Spotter.Scaling.Reactive;

/// <summary>The constants of <see cref="ControllerPolicy"/>.</summary>
public sealed record ControllerRule
{
    /// <summary>Time between two looks. Default: 10 s.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time from the first observation to the first look. Default: 0.</summary>
    public TimeSpan Phase { get; init; }
}

/// <summary>
/// One worker per job, waiting or running, up to the limit. Too many: as many are asked to terminate, and each does once
/// its job is done. Too few: first terminations are cancelled, exactly as many as are needed, and only what is still
/// missing is launched. It keeps nothing in memory: which workers terminate is seen from the fleet, so a controller that
/// starts anew orphans none.
/// </summary>
public sealed class ControllerPolicy(ScaleSettings settings, ControllerRule? rule = null) : ScalePolicy
{
    private readonly Rhythm rhythm = new((rule ?? new()).Period, (rule ?? new()).Phase);
    private string latest = "first look to come";

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        var fleet = FleetCount.Of(seen.Workers);
        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return new(fleet.Active, 0, [], [], $"backlog unknown: hold {fleet.Active}");
        if (!rhythm.Due(seen.Time))
            return new(fleet.Active, 0, [], [], latest);

        var lanes = Math.Max(1, settings.Lanes);
        var demand = ((long)queued + running + lanes - 1) / lanes;
        var wanted = (int)Math.Clamp(demand, settings.Min, settings.Max);
        var need = wanted - fleet.Active;
        var keep = Choice.Keep(seen.Workers, need);
        // Nothing is launched while one is still terminating, so together they never pass the limit.
        var launch = Math.Max(0, need - keep.Count);
        var leave = Choice.IdleFirst(seen.Workers, -need);
        var target = fleet.Active + keep.Count + launch - leave.Count;

        var formula = string.Create(CultureInfo.InvariantCulture, $"{queued} queued + {running} running");
        if (lanes > 1)
            formula = string.Create(CultureInfo.InvariantCulture, $"({formula}) / {lanes} lanes");
        formula = string.Create(CultureInfo.InvariantCulture, $"{formula} - {fleet.Active} active");
        var clamp = demand < settings.Min ? $"min {settings.Min}" : demand > settings.Max ? $"max {settings.Max}" : null;
        latest = string.Create(CultureInfo.InvariantCulture, $"{formula}{(clamp is null ? "" : $", {clamp}")}: {What(keep.Count, launch, leave.Count)}");
        return new(target, launch, leave, keep, latest)
        {
            Formula = formula,
            Clamp = clamp,
            Inputs = new() { Queued = queued, Running = running, Ready = fleet.Ready, Booting = fleet.Booting },
        };
    }

    private static string What(int keep, int launch, int leave) => (keep, launch, leave) switch
    {
        (0, 0, 0) => "nothing to do",
        (0, 0, _) => $"terminate {leave}",
        (0, _, _) => $"launch {launch}",
        (_, 0, _) => $"cancel {keep}",
        _ => $"cancel {keep}, launch {launch}",
    };
}
