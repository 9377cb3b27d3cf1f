using Spotter.Core.Settings;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Settings;

/// <summary>How many worker processes there are, and when: for all pools, unless one says something else.</summary>
internal static class ScalingSection
{
    private const int MostWorkers = 256;

    // What a process with a small model needs; both are measured from the first job on.
    private static readonly TimeSpan BootPrior = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ServicePrior = TimeSpan.FromSeconds(0.1);

    // Processes boot within a second, so looking once a second would double that.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.25);

    // On a machine that is busy with other jobs.
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(30);

    private static readonly SettingValues<TimeSpan> Seconds = SettingValues.Times(TimeSpan.FromSeconds(1), 1, 86_400);

    private static readonly Setting<int> MinWorkers = new("scaling.minWorkers", "Fewest workers.", SettingValues.Whole(0, MostWorkers), 0) { Flag = "--min-workers" };

    private static readonly Setting<int> MaxWorkers = new(
        "scaling.maxWorkers", "Most workers. Default: one per core, at most 4.", SettingValues.Whole(1, MostWorkers), DefaultMaxWorkers) { Flag = "--max-workers" };

    private static readonly Setting<int?> Lanes = new(
        "scaling.lanes", "Jobs that a worker runs at a time. Default: the cores divided by --max-workers.", SettingValues.Whole(1, 256).OrNone(), null) { Flag = "--lanes" };

    private static readonly Setting<string> Policy = new(
        "scaling.policy", "The rule that sets the number of workers.", SettingValues.OneOf(ScalePolicies.Names), "spotter") { Flag = "--policy" };

    private static readonly Setting<ScalePreset> Preset = new(
        "scaling.preset", "What a second of waiting is worth, in seconds of a worker: a quarter, one, or four.", SettingValues.Choice<ScalePreset>(), ScalePreset.Balanced) { Flag = "--preset" };

    private static readonly Setting<TimeSpan> Linger = new(
        "scaling.lingerSeconds", "Seconds that a worker without jobs is kept at least.", SettingValues.Times(TimeSpan.FromSeconds(1), 0, 86_400), TimeSpan.FromSeconds(30)) { Flag = "--linger" };

    private static readonly Setting<TimeSpan?> TargetDrain = new(
        "scaling.targetDrainSeconds", "Seconds within which a backlog is to be worked off. Default: whatever is cheapest.", Seconds.OrNone(), null) { Flag = "--target-drain" };

    private static readonly Setting<TimeSpan> Slo = new("scaling.sloSeconds", "Seconds after which an answer came too late.", Seconds, TimeSpan.FromSeconds(60)) { Flag = "--slo" };

    private static readonly Setting<double?> CostCap = new(
        "scaling.costCapHours", "Worker-hours that may be spent in any 24 hours. Default: as many as it takes.", SettingValues.Positive("HOURS").OrNone(), null) { Flag = "--cost-cap" };

    private static readonly Setting<double?> Price = new(
        "scaling.pricePerHour", "What an hour of a worker costs, in your currency; decides nothing, but is shown. Default: 0.", SettingValues.Positive("AMOUNT").OrNone(), null) { Flag = "--price" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [MinWorkers, MaxWorkers, Lanes, Policy, Preset, Linger, TargetDrain, Slo, CostCap, Price];

    /// <summary>Most workers unless told otherwise: all cores of a small machine, four processes on a large one.</summary>
    public static int DefaultMaxWorkers => Math.Min(Environment.ProcessorCount, 4);

    /// <summary>Lanes unless told otherwise: together the workers fill the cores.</summary>
    public static int DefaultLanes(int maxWorkers) => (int)Math.Ceiling(Environment.ProcessorCount / (double)Math.Max(1, maxWorkers));

    /// <summary>The settings as asked for.</summary>
    public static ScaleSettings Read(SettingReader settings)
    {
        var (min, max) = (settings.Get(MinWorkers), settings.Get(MaxWorkers));
        if (min > max)
            settings.Mistake($"{settings.NameOf(MinWorkers)} is {min}, more than the {max} of {settings.NameOf(MaxWorkers)}.");
        var linger = settings.Get(Linger);
        return new ScaleSettings
        {
            Policy = settings.Get(Policy),
            Preset = settings.Get(Preset),
            Min = min,
            Max = max,
            Lanes = settings.Get(Lanes) ?? DefaultLanes(max),
            BootPrior = BootPrior,
            ServicePrior = ServicePrior,
            BootPatience = BootPatience,
            Tick = Tick,
            TargetDrain = settings.Get(TargetDrain),
            Slo = settings.Get(Slo),
            Linger = linger,
            KeepIdle = linger,
            DailyWorkerHours = settings.Get(CostCap),
            PricePerHour = settings.Get(Price) ?? 0,
        };
    }
}
