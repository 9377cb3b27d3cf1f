using Spotter.Core.Settings;
using Spotter.Gateway;

namespace Spotter.Cli.Settings;

/// <summary>How camera software is served.</summary>
internal static class CameraSection
{
    private static readonly CameraSettings Defaults = new();

    /// <summary>A port for it alone.</summary>
    public static readonly Setting<int?> Port = new(
        "cameras.port", "A port that serves camera software only, as DeepStack and CodeProject.AI (32168) do; 0 for any free one. Default: none, the gateway's own port serves it as well.",
        SettingValues.Whole(0, 65535).OrNone(), Defaults.Port) { Flag = "--deepstack-port" };

    private static readonly Setting<TimeSpan> Timeout = new(
        "cameras.timeoutSeconds", "Longest time that a camera waits for its answer. What can't be answered by then is refused, or cancelled.", SettingValues.Seconds(0.01, 60), Defaults.Timeout);

    private static readonly Setting<int> MaxPredictions = new(
        "cameras.maxPredictions", "Most predictions in an answer, the most confident ones; Frigate has room for 20.", SettingValues.Whole(1, 1000), Defaults.MaxPredictions);

    private static readonly Setting<CameraErrorStyle> Errors = new(
        "cameras.errors", "How failures are told: with an HTTP status as DeepStack does, or always with 200 as CodeProject.AI does.", SettingValues.Choice<CameraErrorStyle>(), Defaults.Errors);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Port, Timeout, MaxPredictions, Errors];

    /// <summary>The settings as asked for.</summary>
    public static CameraSettings Read(SettingReader settings) => new()
    {
        Port = settings.Get(Port),
        Timeout = settings.Get(Timeout),
        MaxPredictions = settings.Get(MaxPredictions),
        Errors = settings.Get(Errors),
    };
}
