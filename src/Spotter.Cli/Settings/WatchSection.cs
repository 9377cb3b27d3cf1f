using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>The passwords of <c>watch</c>, which others could see if they were typed.</summary>
internal static class WatchSection
{
    /// <summary>The camera's password.</summary>
    public static readonly Setting<string?> SourcePassword = new(
        "watch.sourcePassword", "The password of a camera whose address names a user.", SettingValues.OptionalText("PASSWORD"), null) { IsSecret = true };

    /// <summary>A file with it.</summary>
    public static readonly Setting<string?> SourcePasswordFile = new(
        "watch.sourcePasswordFile", "File with the password of a camera whose address names a user.", SettingValues.OptionalText("FILE"), null) { Flag = "--source-password-file" };

    /// <summary>The broker's password.</summary>
    public static readonly Setting<string?> MqttPassword = new(
        "watch.mqttPassword", "The password of an MQTT broker whose address names a user.", SettingValues.OptionalText("PASSWORD"), null) { IsSecret = true };

    /// <summary>A file with it.</summary>
    public static readonly Setting<string?> MqttPasswordFile = new(
        "watch.mqttPasswordFile", "File with the password of an MQTT broker whose address names a user.", SettingValues.OptionalText("FILE"), null) { Flag = "--mqtt-password-file" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [SourcePassword, SourcePasswordFile, MqttPassword, MqttPasswordFile];
}
