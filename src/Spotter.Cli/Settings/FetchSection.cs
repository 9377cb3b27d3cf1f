using Spotter.Core.Settings;
using Spotter.Gateway.Fetching;

namespace Spotter.Cli.Settings;

/// <summary>How pictures are fetched that jobs name by their URL.</summary>
internal static class FetchSection
{
    private static readonly FetchSettings Defaults = new();

    private static readonly Setting<bool> IsOn = new(
        "fetch.enabled", "False to take no URLs of pictures, only pictures.", SettingValues.YesNo, Defaults.IsOn) { Flag = "--no-fetch", FlagText = "false" };

    private static readonly Setting<string> Allow = new(
        "fetch.allow", "A place from which pictures may be fetched besides the public internet: a name, *.SUFFIX, an address or a network as 10.0.0.0/8; may be repeated.",
        SettingValues.Text("HOST[:PORT]"), "") { Flag = "--fetch-allow", IsList = true };

    private static readonly Setting<TimeSpan> Timeout = new(
        "fetch.timeoutSeconds", "Longest time for one URL, from the first connection to the last byte.", SettingValues.Seconds(0.1, 3600), Defaults.Timeout);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [IsOn, Allow, Timeout];

    /// <summary>The settings as asked for.</summary>
    public static FetchSettings Read(SettingReader settings) => new()
    {
        IsOn = settings.Get(IsOn),
        Allowed = Allowances.Read(settings, Allow),
        Timeout = settings.Get(Timeout),
    };
}
