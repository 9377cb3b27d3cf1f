using System.CommandLine;
using System.Globalization;
using Spotter.Core;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Serve;

/// <summary>The option that divides the workers into pools.</summary>
internal static class PoolOptions
{
    private const int LongestName = 20;
    private const int MostWorkers = 256;

    private static readonly Option<string[]> Pool = new("--pool")
    {
        HelpName = "NAME:SETTINGS",
        Description = "A pool of workers with models, limits and a policy of its own, as 'small:models=a,b;min=0;max=4;lanes=1;policy=spotter;preset=eco'; may be repeated. "
            + "What is left out is as the other options say; one pool without models has all that no other names. Default: one pool for everything.",
    };

    /// <summary>Adds it to a command.</summary>
    public static void AddTo(Command command) => command.Add(Pool);

    /// <summary>The pools as asked for.</summary>
    /// <param name="parsed">What was typed.</param>
    /// <param name="scaling">What the other options say.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: a pool can't be as asked for, or they don't go together.</exception>
    public static IReadOnlyList<PoolSettings> Read(ParseResult parsed, ScaleSettings scaling) =>
        Read(parsed.GetValue(Pool) ?? [], scaling);

    internal static IReadOnlyList<PoolSettings> Read(IReadOnlyList<string> given, ScaleSettings scaling)
    {
        if (given.Count == 0)
            return [new PoolSettings(PoolSettings.Default, [], scaling)];
        List<PoolSettings> pools = [.. given.Select(text => Parse(text, scaling))];
        if (Twice(pools.Select(p => p.Name)) is { } name)
            throw Invalid($"Two pools are called '{name}'; give each --pool a name of its own.");
        if (Twice(pools.SelectMany(p => p.Models)) is { } model)
            throw Invalid($"The model '{model}' is in two pools; name it in one.");
        if (pools.Where(p => p.Models.Count == 0).Skip(1).FirstOrDefault() is { } second)
            throw Invalid($"The pool '{second.Name}' names no models, and neither does another; only one can have all the rest.");
        return pools;
    }

    private static PoolSettings Parse(string text, ScaleSettings scaling)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? text : text[..colon];
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)))
            throw Invalid($"'{name}' can't be the name of a pool; take 1 to {LongestName} small letters and digits.");
        IReadOnlyList<string> models = [];
        var said = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in colon < 0 ? [] : text[(colon + 1)..].Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (key, value) = part.Split('=', 2) is [var k, var v] ? (k, v) : (part, "");
            if (!said.Add(key))
                throw Invalid($"The pool '{name}' sets {key} twice; set it once.");
            switch (key)
            {
                case "models":
                    models = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                    if (models.Count == 0)
                        throw Invalid($"The pool '{name}' has an empty models=; name models, or leave models= out to take all that no other pool names.");
                    break;
                case "min":
                    scaling = scaling with { Min = Number(name, key, value, 0) };
                    break;
                case "max":
                    scaling = scaling with { Max = Number(name, key, value, 1) };
                    break;
                case "lanes":
                    scaling = scaling with { Lanes = Number(name, key, value, 1) };
                    break;
                case "policy":
                    scaling = scaling with { Policy = value };
                    break;
                case "preset":
                    scaling = scaling with { Preset = PresetOf(name, value) };
                    break;
                default:
                    throw Invalid($"The pool '{name}' has no setting '{key}'; use models, min, max, lanes, policy or preset.");
            }
        }
        if (scaling.Min > scaling.Max)
            throw Invalid($"The pool '{name}' is to have at least {scaling.Min} workers and at most {scaling.Max}; raise max or lower min.");
        // Refuses a policy that there is not before anything is started.
        ScalePolicies.Create(scaling);
        return new PoolSettings(name, models, scaling);
    }

    private static int Number(string pool, string key, string value, int least) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= MostWorkers
            ? number
            : throw Invalid($"The pool '{pool}' has {key}={value}; it takes a number from {least} to {MostWorkers}.");

    private static ScalePreset PresetOf(string pool, string value) =>
        value.Length > 0 && value.All(char.IsAsciiLetter) && Enum.TryParse<ScalePreset>(value, ignoreCase: true, out var preset) && Enum.IsDefined(preset)
            ? preset
            : throw Invalid($"The pool '{pool}' has preset={value}; it takes eco, balanced or fast.");

    private static string? Twice(IEnumerable<string> names) => names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
