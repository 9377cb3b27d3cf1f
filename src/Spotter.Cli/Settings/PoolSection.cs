using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Fleets;
using Spotter.Fleets.Opening;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Settings;

/// <summary>The pools of workers, each with models, limits and a policy of its own.</summary>
internal static class PoolSection
{
    /// <summary>The key below which they are.</summary>
    public const string Key = "pools";

    private const int LongestName = 20;
    private const int MostWorkers = 256;

    private static readonly Setting<string> Models = new("models", "Its models. Default: all that no other pool names.", SettingValues.Text("NAME"), "") { IsList = true };
    private static readonly Setting<int?> Min = new("min", "Fewest workers.", SettingValues.Whole(0, MostWorkers).OrNone(), null);
    private static readonly Setting<int?> Max = new("max", "Most workers.", SettingValues.Whole(1, MostWorkers).OrNone(), null);
    private static readonly Setting<int?> Lanes = new("lanes", "Jobs that a worker runs at a time.", SettingValues.Whole(1, MostWorkers).OrNone(), null);
    private static readonly Setting<string?> Policy = new("policy", "The rule that sets the number of workers.", Optional(SettingValues.OneOf(ScalePolicies.Names)), null);
    private static readonly Setting<ScalePreset?> Preset = new("preset", "What a second of waiting is worth.", SettingValues.Choice<ScalePreset>().OrNone(), null);
    private static readonly Setting<double?> CostCap = new(
        "costCapHours", "Worker-hours that it may spend in any 24 hours, outside the cap on all other pools. Default: its share of that.", SettingValues.Positive("HOURS").OrNone(), null);
    private static readonly Setting<string?> Launcher = new(
        "launcher", $"How its workers are started. Default: processes; with {KedaSection.Port.Flag}, keda.", Optional(SettingValues.OneOf([.. Launchers.BuiltIn.Select(l => l.Name)])), null);

    /// <summary>The flag: a pool in one text.</summary>
    public static readonly Setting<string> Flag = new(
        Key,
        "A pool of workers with models, limits and a policy of its own, as 'small:models=a,b;min=0;max=4;lanes=1;policy=spotter;preset=eco'; may be repeated. "
            + "What is left out is as the other settings say; one pool without models has all that no other names. Default: one pool for everything.",
        SettingValues.Text("NAME:SETTINGS"), "")
    { Flag = "--pool", IsList = true };

    /// <summary>The settings of one pool.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Models, Min, Max, Lanes, Policy, Preset, CostCap, Launcher, .. Launchers.BuiltIn.SelectMany(l => l.Settings).Distinct()];

    /// <summary>Takes the pools of the command line apart, so that they read like those of a file.</summary>
    public static GivenSettings Divide(GivenSettings flags)
    {
        foreach (var text in flags.Take(Key))
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? text : text[..colon];
            if (flags.NamesBelow(Key).Contains(name, StringComparer.Ordinal))
                throw Invalid($"Two pools are called '{name}'; give each --pool a name of its own.");
            flags.Add($"{Key}.{name}", $"--pool {name}");
            foreach (var part in colon < 0 ? [] : text[(colon + 1)..].Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var (setting, value) = part.Split('=', 2) is [var k, var v] ? (k, v) : (part, "");
                if (flags.Find($"{Key}.{name}.{setting}", isList: false) is not null)
                    throw Invalid($"The pool '{name}' sets {setting} twice; set it once.");
                flags.Add(
                    $"{Key}.{name}.{setting}", $"{setting} of --pool {name}",
                    All.Any(s => s.Key == setting && s.IsList) ? value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [value]);
            }
        }
        return flags;
    }

    /// <summary>
    /// True when a gateway scales its workers, although it starts no processes: KEDA asks it how many there are to be, or a pool says how they are started.
    /// </summary>
    public static bool AreOfGateway(SettingReader settings) =>
        settings.Get(KedaSection.Port) is not null || settings.Groups(Key).Any(p => p.Settings.Has(Launcher));

    /// <summary>The pools as asked for.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="scaling">What is so for all of them unless one says something else.</param>
    /// <param name="isGateway">True for a gateway, which starts no processes.</param>
    public static IReadOnlyList<PoolSettings> Read(SettingReader settings, ScaleSettings scaling, bool isGateway = false)
    {
        var usual = settings.Get(KedaSection.Port) is null ? Launchers.BuiltIn[0] : Launchers.BuiltIn.First(l => l.IsObserved);
        var pools = settings.Groups(Key).Select(p => Read(p.Name, p.Settings, scaling, usual)).ToList();
        if (pools.Count == 0)
            pools.Add(new PoolSettings(WorkerPool.Default, [], scaling, usual, GivenSettings.Reader()));
        CheckLaunchers(settings, pools, isGateway);
        if (Twice(pools.SelectMany(p => p.Models)) is { } model)
            settings.Mistake($"The model '{model}' is in two pools; name it in one.");
        if (pools.Where(p => p.Models.Count == 0).Skip(1).FirstOrDefault() is { } second)
            settings.Mistake($"The pool '{second.Name}' names no models, and neither does another; only one can have all the rest.");
        return ShareCap(pools, scaling.DailyWorkerHours);
    }

    /// <summary>The cap holds for all pools together that have none of their own: each has as much of it as of the workers that there may be.</summary>
    private static List<PoolSettings> ShareCap(List<PoolSettings> pools, double? cap)
    {
        var most = pools.Where(p => p.Scaling.DailyWorkerHours is null).Sum(p => p.Scaling.Max);
        return pools.ConvertAll(p => p with { Scaling = p.Scaling with { DailyWorkerHours = p.Scaling.DailyWorkerHours ?? cap * p.Scaling.Max / most } });
    }

    private static void CheckLaunchers(SettingReader settings, List<PoolSettings> pools, bool isGateway)
    {
        var port = settings.Get(KedaSection.Port);
        if (isGateway && pools.Find(p => p.Launcher == Launchers.BuiltIn[0]) is { } started)
            settings.Mistake($"A gateway starts no processes, and the pool '{started.Name}' has them; use `spotter serve`, or give it another launcher.");
        if (port is null && pools.Find(p => p.IsObserved) is { } asked)
            settings.Mistake($"KEDA starts the workers of the pool '{asked.Name}', and needs a port to ask how many; give one with {KedaSection.Port.Flag} N.");
        if (port is not null && !pools.Exists(p => p.IsObserved))
            settings.Mistake($"There is nothing to tell KEDA at {settings.NameOf(KedaSection.Port)}: no pool has launcher=keda. Give one that launcher, or leave the port out.");
    }

    private static PoolSettings Read(string name, SettingReader pool, ScaleSettings scaling, ILauncherModule usual)
    {
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)))
            pool.Mistake($"'{name}' can't be the name of a pool; take 1 to {LongestName} small letters and digits.");
        var launcher = Launchers.BuiltIn.FirstOrDefault(l => l.Name == pool.Get(Launcher)) ?? usual;
        IReadOnlyList<Setting> own = [Models, Min, Max, Lanes, Policy, Preset, CostCap, Launcher, .. launcher.Settings];
        foreach (var unknown in pool.Names.Where(n => !own.Any(s => s.Key.Equals(n, StringComparison.OrdinalIgnoreCase))))
            pool.Mistake($"The pool '{name}' has no setting '{unknown}'; use {string.Join(", ", own.SkipLast(1).Select(s => s.Key))} or {own[^1].Key}.");
        launcher.Check(pool);
        var models = pool.GetList(Models);
        if (models.Count == 0 && pool.Has(Models))
            pool.Mistake($"The pool '{name}' has empty models; name some, or leave models out to take all that no other pool names.");
        scaling = scaling with
        {
            Min = pool.Get(Min) ?? scaling.Min,
            Max = pool.Get(Max) ?? scaling.Max,
            Lanes = pool.Get(Lanes) ?? scaling.Lanes,
            Policy = pool.Get(Policy) ?? scaling.Policy,
            Preset = pool.Get(Preset) ?? scaling.Preset,
            DailyWorkerHours = pool.Get(CostCap),
        };
        if (scaling.Min > scaling.Max)
            pool.Mistake($"The pool '{name}' is to have at least {scaling.Min} workers and at most {scaling.Max}; raise max or lower min.");
        return new PoolSettings(name, models, scaling, launcher, pool);
    }

    private static SettingValues<string?> Optional(SettingValues<string> values) => new(values.Words, values.Name, text => values.Read(text)) { Names = values.Names };

    private static string? Twice(IEnumerable<string> names) => names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
