using System.CommandLine;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>Where the settings of a command come from: its flags, then the environment, then a file, then the defaults.</summary>
internal static class SettingSources
{
    /// <summary>The file that is read from the current folder if it is there and no other is named.</summary>
    public const string FileName = "spotter.yaml";

    /// <summary>Names another file.</summary>
    public const string FileVariable = "SPOTTER__CONFIG";

    /// <summary>Names another file.</summary>
    public static readonly Option<string?> File = new("--config")
    {
        HelpName = "FILE",
        Description = $"File with settings. Default: what {FileVariable} says, else {FileName} in the current folder, if it is there.",
    };

    // Variables with our prefix that are no settings of a service.
    private static readonly string[] Others = ["CONFIG", "KEY", "NATIVE"];

    /// <summary>A reader of what was asked for. What the file or the environment say that is no setting at all is a mistake.</summary>
    /// <param name="flags">What was typed.</param>
    /// <param name="file">The file that was named; null for none.</param>
    /// <param name="isQuiet">True for a process whose parent has told all mistakes already.</param>
    public static SettingReader Open(GivenSettings flags, string? file, bool isQuiet = false)
    {
        var environment = new EnvironmentSettings();
        // The workers that the service starts read the same file.
        if (file is not null)
            Environment.SetEnvironmentVariable(FileVariable, Path.GetFullPath(file));
        var yaml = FileOf(file) is { } path ? YamlSettings.Read(path) : null;
        var settings = new SettingReader(yaml is null ? [flags, environment] : [flags, environment, yaml]);
        if (isQuiet)
            return settings;
        foreach (var key in yaml?.Keys ?? [])
        {
            if (!SettingList.Has(key))
                settings.Mistake($"{yaml!.NameOf(key)} is no setting{Nearest(key)}; see docs/settings.md.");
        }
        foreach (var name in environment.NamesBelow("").Where(n => !Others.Contains(n, StringComparer.OrdinalIgnoreCase)))
        {
            if (!SettingList.All.Any(s => s.Key.Split('.')[0].Equals(name, StringComparison.OrdinalIgnoreCase)) && name != SettingList.Pools)
                StandardError.Complain($"the variable {environment.NameOf(name)} names no setting, and changes nothing.");
        }
        return settings;
    }

    /// <summary>A reader without a command's flags.</summary>
    public static SettingReader Open() => new(FileOf(null) is { } path ? [new EnvironmentSettings(), YamlSettings.Read(path)] : [new EnvironmentSettings()]);

    private static string? FileOf(string? named)
    {
        var file = named ?? (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } other ? other : null);
        if (file is not null || System.IO.File.Exists(FileName))
            return file ?? FileName;
        return null;
    }

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
