using Spotter.Backends.Aws;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>Where the settings of a command come from: its flags, then the environment, then a file, then the defaults.</summary>
internal static class SettingSources
{
    /// <summary>The file that is read from the current folder if it is there and no other is named.</summary>
    public const string FileName = "spotter.yaml";

    /// <summary>Names another file.</summary>
    public static readonly Setting<string?> File = new(
        "config", $"File with settings. Default: {FileName} in the current folder, if it is there.", SettingValues.OptionalText("FILE"), null) { Flag = "--config" };

    /// <summary>Secrets that settings name at Amazon.</summary>
    public static AwsSecrets Secrets { get; } = new();

    // Variables with our prefix that are no settings of a service.
    private static readonly string[] Others = ["CONFIG", "KEY", "NATIVE"];

    /// <summary>A reader of what was asked for. What the file or the environment say that is no setting at all is a mistake.</summary>
    /// <param name="flags">What was typed.</param>
    /// <param name="isQuiet">True for a command that is told of mistakes by another.</param>
    public static SettingReader Open(GivenSettings flags, bool isQuiet = false)
    {
        var environment = new EnvironmentSettings();
        var yaml = FileOf(flags, environment) is { } path ? YamlSettings.Read(path) : null;
        var settings = new SettingReader(yaml is null ? [flags, environment] : [flags, environment, yaml], [Secrets]);
        if (isQuiet)
            return settings;
        foreach (var key in yaml?.Keys ?? [])
            CheckKey(settings, yaml!, key);
        foreach (var variable in EnvironmentSettings.All.Where(v => !SettingList.HasVariable(v) && !Others.Contains(v[Setting.VariablePrefix.Length..].Split("__")[0], StringComparer.Ordinal)))
            StandardError.Complain($"the variable {variable} names no setting, and changes nothing; see docs/settings.md.");
        return settings;
    }

    /// <summary>A reader without a command's flags.</summary>
    public static SettingReader Open() => Open(new GivenSettings(), isQuiet: true);

    /// <summary>As <see cref="Open()"/>, without a file that nobody has named: it is there because of the current folder, which may be anybody's.</summary>
    public static SettingReader OpenNamed()
    {
        var environment = new EnvironmentSettings();
        return new(new SettingReader([environment]).Get(File) is { } path ? [environment, YamlSettings.Read(path)] : [environment], [Secrets]);
    }

    /// <summary>
    /// A reader for a worker that a gateway has started: that has read the file and told all mistakes. The file may hold the
    /// gateway's secrets, so its workers get what concerns them in their environment.
    /// </summary>
    public static SettingReader OpenOfChild(GivenSettings flags) => new([flags, new EnvironmentSettings()]);

    private static void CheckKey(SettingReader settings, YamlSettings yaml, string key)
    {
        if (SettingList.Has(key) || (SettingList.IsSection(key) && yaml.Find(key, isList: true) is []))
            return;
        // What stands below a setting, as in 'token: {…}', may be its value, and that a secret.
        if (SettingList.All.FirstOrDefault(s => key.StartsWith(s.Key + ".", StringComparison.OrdinalIgnoreCase)) is { } above)
            settings.Mistake($"{above.Key} takes {above.Words}, not settings below it.");
        else if (key.Equals(SettingList.Pools, StringComparison.OrdinalIgnoreCase))
            settings.Mistake($"{yaml.NameOf(key)} takes the name of each pool, and below it the pool's settings, as 'pools: {{gpu: {{max: 2}}}}'.");
        else
            settings.Mistake($"{yaml.NameOf(key)} is no setting{Nearest(key)}; see docs/settings.md.");
    }

    private static string? FileOf(params IReadOnlyList<ISettingSource> named) =>
        new SettingReader(named).Get(File) ?? (System.IO.File.Exists(FileName) ? FileName : null);

    /// <summary>A setting that is written nearly like that.</summary>
    private static string Nearest(string key)
    {
        static string Plain(string text) => text.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
        static string Last(string text) => Plain(text.Split('.')[^1]);
        var near = SettingList.All.FirstOrDefault(s => Plain(s.Key) == Plain(key))
            ?? SettingList.All.FirstOrDefault(s => Last(s.Key) == Last(key) || (s.Flag is { } flag && Plain(flag) == Last(key)));
        return near is null ? "" : $"; perhaps {near.Key} is meant";
    }
}
