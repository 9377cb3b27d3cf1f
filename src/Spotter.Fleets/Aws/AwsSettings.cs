using Spotter.Core.Settings;

namespace Spotter.Fleets.Aws;

/// <summary>The settings that all launchers on AWS have.</summary>
internal static class AwsSettings
{
    private static readonly Setting<string?> Region = new(
        "region", "With the launchers 'autoscaling' and 'ec2': the region. Default: what the environment, the profile or the machine says.", SettingValues.OptionalText("REGION"), null);

    private static readonly Setting<string?> Endpoint = new(
        "endpoint", "With the launchers 'autoscaling' and 'ec2': a server that speaks as Amazon's do, for tests. Default: Amazon's.", SettingValues.HttpAddress, null);

    public static IReadOnlyList<Setting> All { get; } = [Region, Endpoint];

    /// <summary>Where a pool's services are.</summary>
    public static AwsPlace PlaceOf(SettingReader settings) =>
        new() { Region = settings.Get(Region), Endpoint = settings.Get(Endpoint) is { } endpoint ? new Uri(endpoint) : null };
}
