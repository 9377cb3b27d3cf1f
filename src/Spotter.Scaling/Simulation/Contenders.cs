using System.Globalization;
using Spotter.Core;
using Spotter.Scaling.Policies;
using Spotter.Scaling.Reactive;

namespace Spotter.Scaling.Simulation;

/// <summary>The policies as they are compared: each with the fleet that it has where it is at home.</summary>
public static class Contenders
{
    // Who removes pods gives them this long to end what they do.
    private const double GraceSeconds = 30;
    private const double PodBootTimeout = 20;
    private const int MostConfirmations = 10;

    /// <summary>What a comparison shows by itself, for fleets of up to <paramref name="most"/> workers.</summary>
    public static IReadOnlyList<string> Compared(int most) =>
    [
        "spotter-eco", "spotter", "spotter-fast", "controller", "controller-polling", "backlog-per-instance", "backlog-per-instance-10s",
        "list-length", "list-length-unconfigured", "cpu", Fixed(Math.Max(1, (int)Math.Round(most * 0.4))), Fixed(most),
    ];

    /// <summary>The contender of that name: one of <see cref="ScalePolicies.Names"/>, or a variant of one.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: there is none.</exception>
    public static Contender Named(string name) => name switch
    {
        "spotter-eco" => AtHome(name, "spotter", ScalePreset.Eco),
        "spotter-fast" => AtHome(name, "spotter", ScalePreset.Fast),
        "controller" => new(name, (settings, draws) => Controller(settings, draws, lookSeconds: 0)),
        "controller-polling" => new(name, (settings, draws) => Controller(settings, draws, lookSeconds: 5)),
        "backlog-per-instance" => new(name, (settings, draws) => ScalingGroup(settings, draws, new())),
        "backlog-per-instance-gentle" => new(name, (settings, draws) => ScalingGroup(settings, draws, new() { MostIn = 1 })),
        "backlog-per-instance-10s" => new(name, (settings, draws) => ScalingGroup(
            settings, draws, new() { Sampling = TimeSpan.FromSeconds(5), Period = TimeSpan.FromSeconds(10) })),
        "list-length" => new(name, (settings, draws) => Pods(settings, draws, new())),
        "list-length-unconfigured" => new(name, (settings, draws) => Pods(settings, draws, ListLengthRule.Unconfigured)),
        "cpu" => new(name, (settings, draws) => new(
            new CpuPolicy(settings, CpuPolicy.Default with { Phase = draws.Share() * CpuPolicy.Default.Sampling }),
            new() { Removal = Removal.AtOnce, KeptWorkers = settings.Min })),
        _ when FixedSize(name) is { } size => new(name, (settings, _) => new(
            new ControllerPolicy(settings with { Min = size, Max = size }), new() { KeptWorkers = size })),
        _ when ScalePolicies.Names.Contains(name, StringComparer.Ordinal) => AtHome(name, name, preset: null),
        _ => throw new SpotterException(
            ErrorCodes.InvalidSettings, $"There is no policy named {name}; choose one of {string.Join(", ", Compared(20))}."),
    };

    // With our own fleet: nobody is cut off, and who was busy last is given the next job.
    private static Contender AtHome(string name, string policy, ScalePreset? preset) => new(name, (settings, _) => new(
        ScalePolicies.Create(settings with { Policy = policy, Preset = preset ?? settings.Preset }),
        new() { MostRecentFirst = true, KeptWorkers = settings.Min, TickSeconds = settings.Tick.TotalSeconds }));

    private static Entry Controller(ScaleSettings settings, Draws draws, double lookSeconds)
    {
        var rule = new ControllerRule();
        var phase = draws.Share() * rule.Period;
        return new(
            new ControllerPolicy(settings, rule with { Phase = phase }),
            new()
            {
                Removal = new Removal.Confirm(rule.Period.TotalSeconds, phase.TotalSeconds, MostConfirmations),
                LookSeconds = lookSeconds,
                KeptWorkers = settings.Min,
            });
    }

    private static Entry ScalingGroup(ScaleSettings settings, Draws draws, TargetTrackingRule rule) => new(
        new BacklogPerInstancePolicy(settings, rule with { Phase = draws.Share() * rule.Sampling }),
        new() { Removal = Removal.AtOnce, KeptWorkers = settings.Min });

    private static Entry Pods(ScaleSettings settings, Draws draws, ListLengthRule rule) => new(
        new ListLengthPolicy(settings, rule with { PollPhase = draws.Share() * rule.Polling, SyncPhase = draws.Share() * rule.Sync }),
        new() { Removal = new Removal.Grace(GraceSeconds), BootTimeout = PodBootTimeout, KeptWorkers = settings.Min });

    private static string Fixed(int size) => string.Create(CultureInfo.InvariantCulture, $"fixed-{size}");

    private static int? FixedSize(string name) =>
        name.StartsWith("fixed-", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan("fixed-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0
            ? size
            : null;
}
