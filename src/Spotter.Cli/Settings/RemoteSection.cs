using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>What the commands that talk to a running service are told.</summary>
internal static class RemoteSection
{
    /// <summary>Where the service is.</summary>
    public static readonly Setting<string?> Url = new(
        "url", "The running service that a command talks to. Default: the one that runs on the data folder, else http://127.0.0.1:8080.", SettingValues.HttpAddress, null) { Flag = "--url" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Url];
}
