using Spotter.Backends.Opening;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>Every setting that there is.</summary>
internal static class SettingList
{
    /// <summary>The key below which the pools are.</summary>
    public const string Pools = PoolSection.Key;

    /// <summary>Those of a gateway, with or without workers of its own.</summary>
    public static IReadOnlyList<Setting> OfGateway { get; } =
        [.. GatewaySection.All, .. WorkerSection.OfGateway, .. BackendFactory.Settings, .. LeaseSection.All, .. WebhookSection.All, .. FetchSection.All, .. TelegramSection.All, .. CameraSection.All, .. LegacySection.All, .. PublishSection.All, .. KedaSection.All, .. TelemetrySection.All, .. LogSection.All];

    /// <summary>All but those of a pool.</summary>
    public static IReadOnlyList<Setting> All { get; } = [.. OfGateway.Concat(ScalingSection.All).Concat(WorkerSection.All).Concat(BridgeSection.All).Concat(RemoteSection.All).Concat(WatchSection.All).DistinctBy(s => s.Key, StringComparer.Ordinal)];

    /// <summary>True for a key below which there are settings.</summary>
    public static bool IsSection(string key) =>
        key.Equals(Pools, StringComparison.OrdinalIgnoreCase) || All.Any(s => s.Key.StartsWith(key + ".", StringComparison.OrdinalIgnoreCase));

    /// <summary>True for a variable that says a setting, or one of a pool.</summary>
    public static bool HasVariable(string variable) => All.Any(s => !s.FlagOnly && s.Variable == variable)
        || (variable.Split("__") is [_, var pools, { Length: > 0 }, var setting] && pools.Equals(Pools, StringComparison.OrdinalIgnoreCase)
            && PoolSection.All.Any(s => s.Key.Equals(setting, StringComparison.OrdinalIgnoreCase)));

    /// <summary>True for a key that a file may give.</summary>
    public static bool Has(string key) => All.Any(s => !s.FlagOnly && s.Key.Equals(key, StringComparison.OrdinalIgnoreCase))
        || (key.Split('.') is [var pools, _, ..] && pools.Equals(Pools, StringComparison.OrdinalIgnoreCase));
}
