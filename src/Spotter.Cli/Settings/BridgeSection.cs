using System.Security.Cryptography;
using System.Text;
using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Core.Settings;
using Spotter.Gateway.LegacyMessages;

namespace Spotter.Cli.Settings;

/// <summary>What a bridge to the workers of an earlier service is told, besides where their queues are.</summary>
internal static class BridgeSection
{
    private const int MostLabelBytes = 16 << 20;

    private static readonly Setting<string?> ModelId = new(
        "bridge.model", "The id under which the gateway has the workers of an earlier service as a model. Default: the service's name, as s2.", SettingValues.OptionalText("NAME"), null) { Flag = "--model-id" };

    private static readonly Setting<string?> Labels = new(
        "bridge.labels", "File with the labels that these workers give, one a line, in the order of their model: requests can choose among them. Default: none are known.", SettingValues.OptionalText("FILE"), null) { Flag = "--labels" };

    private static readonly Setting<TimeSpan> WaitTime = new(
        "bridge.waitSeconds", "How long a result of theirs may take, with the time in their queue; the job fails then. The same for all bridges of one queue.", SettingValues.Seconds(1, 3600), TimeSpan.FromMinutes(5)) { Flag = "--wait" };

    private static readonly Setting<int> Requests = new("bridge.requests", "How many requests a bridge has with them at a time.", SettingValues.Whole(1, 256), 8) { Flag = "--requests" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [ModelId, Labels, WaitTime, Requests];

    /// <summary>How long a result may take.</summary>
    public static TimeSpan Wait(SettingReader settings) => settings.Get(WaitTime);

    /// <summary>How many requests at a time.</summary>
    public static int AtOnce(SettingReader settings) => settings.Get(Requests);

    /// <summary>The workers as a model.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="legacy">The service.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the name can't be one, or the labels can't be read.</exception>
    public static ModelInfo Model(SettingReader settings, LegacySettings legacy)
    {
        var service = EnumNames.Of(legacy.Service);
        var id = settings.Get(ModelId) ?? service;
        if (!ModelInfo.IsId(id))
            throw new SpotterException(ErrorCodes.InvalidSettings, $"'{id}' can't be the id of a model; take one without '/', '\\' and a dot at its beginning.");
        var labels = LabelsOf(settings);
        return new ModelInfo(id, legacy.Service == LegacyService.S3 ? "classify" : "detect", service, 0, 0, labels)
        {
            Version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [service, legacy.RequestQueue, .. labels]))))[..12],
        };
    }

    private static IReadOnlyList<string> LabelsOf(SettingReader settings)
    {
        if (settings.Get(Labels) is not { } file)
            return [];
        try
        {
            return [.. RegularFile.ReadText(file, MostLabelBytes).Split('\n').Select(line => line.Trim()).Where(line => line.Length is > 0 and <= ModelInfo.LongestLabel).Take(ModelInfo.MostLabels)];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The labels can't be read from {file}: {unreadable.Message}");
        }
    }
}
