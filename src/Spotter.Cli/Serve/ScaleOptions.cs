using System.CommandLine;
using Spotter.Core;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Serve;

/// <summary>The options that say how many worker processes there are, and when.</summary>
internal static class ScaleOptions
{
    // What a process with a small model needs; both are measured from the first job on.
    private static readonly TimeSpan BootPrior = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ServicePrior = TimeSpan.FromSeconds(0.1);

    // Processes boot within a second, so looking once a second would double that.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.25);

    // On a machine that is busy with other jobs.
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(30);

    private static readonly Option<int> MinWorkers = NumberOption.Whole("--min-workers", 0, 0, 256, "Fewest worker processes. Default: 0.");

    private static readonly Option<int?> MaxWorkers = NumberOption.Whole("--max-workers", 1, 256, "Most worker processes. Default: one per core, at most 4.");

    private static readonly Option<int?> Lanes = NumberOption.Whole("--lanes", 1, 256, "Jobs that a worker runs at a time. Default: the cores divided by --max-workers.");

    private static readonly Option<string> Policy = new("--policy")
    {
        HelpName = "NAME",
        Description = $"The rule that sets the number of workers: {string.Join(", ", ScalePolicies.Names)}. Default: spotter.",
        DefaultValueFactory = _ => "spotter",
    };

    private static readonly Option<ScalePreset> Preset = new("--preset")
    {
        HelpName = "eco|balanced|fast",
        Description = "What a second of waiting is worth, in seconds of a worker: a quarter, one, or four. Default: balanced.",
        DefaultValueFactory = _ => ScalePreset.Balanced,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (Enum.TryParse<ScalePreset>(given, ignoreCase: true, out var preset) && Enum.IsDefined(preset) && char.IsAsciiLetter(given[0]))
                return preset;
            result.AddError($"--preset takes eco, balanced or fast, not {given}.");
            return default;
        },
    };

    private static readonly Option<int> Linger = NumberOption.Whole("--linger", 30, 0, 86400, "Seconds that a worker without jobs is kept at least. Default: 30.");

    private static readonly Option<int?> TargetDrain = NumberOption.Whole("--target-drain", 1, 86400, "Seconds within which a backlog is to be worked off. Default: whatever is cheapest.");

    private static readonly Option<int> Slo = NumberOption.Whole("--slo", 60, 1, 86400, "Seconds after which an answer came too late. Default: 60.");

    private static readonly Option<double?> CostCap = NumberOption.Positive("--cost-cap", "HOURS", "Worker-hours that may be spent in any 24 hours. Default: as many as it takes.");

    private static readonly Option<double?> Price = NumberOption.Positive("--price", "AMOUNT", "What an hour of a worker costs, in your currency; decides nothing, but is shown. Default: 0.");

    /// <summary>Adds them to a command.</summary>
    public static void AddTo(Command command)
    {
        foreach (var option in (Option[])[MinWorkers, MaxWorkers, Lanes, Policy, Preset, Linger, TargetDrain, Slo, CostCap, Price])
            command.Add(option);
    }

    /// <summary>The settings as asked for.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the options don't go together.</exception>
    public static ScaleSettings Read(ParseResult parsed)
    {
        var max = parsed.GetValue(MaxWorkers) ?? DefaultMaxWorkers;
        if (parsed.GetValue(MinWorkers) > max)
            throw new SpotterException(ErrorCodes.InvalidSettings, "--min-workers is larger than --max-workers.");
        var linger = TimeSpan.FromSeconds(parsed.GetValue(Linger));
        var settings = new ScaleSettings
        {
            Policy = parsed.GetRequiredValue(Policy),
            Preset = parsed.GetValue(Preset),
            Min = parsed.GetValue(MinWorkers),
            Max = max,
            Lanes = parsed.GetValue(Lanes) ?? DefaultLanes(max),
            BootPrior = BootPrior,
            ServicePrior = ServicePrior,
            BootPatience = BootPatience,
            Tick = Tick,
            TargetDrain = parsed.GetValue(TargetDrain) is { } drain ? TimeSpan.FromSeconds(drain) : null,
            Slo = TimeSpan.FromSeconds(parsed.GetValue(Slo)),
            Linger = linger,
            KeepIdle = linger,
            DailyWorkerHours = parsed.GetValue(CostCap),
            PricePerHour = parsed.GetValue(Price) ?? 0,
        };
        // Refuses a name that is none before anything is started.
        ScalePolicies.Create(settings);
        return settings;
    }

    /// <summary>Most workers unless told otherwise: all cores of a small machine, four processes on a large one.</summary>
    public static int DefaultMaxWorkers => Math.Min(Environment.ProcessorCount, 4);

    /// <summary>Lanes unless told otherwise: together the workers fill the cores.</summary>
    public static int DefaultLanes(int maxWorkers) => (int)Math.Ceiling(Environment.ProcessorCount / (double)Math.Max(1, maxWorkers));
}
