using Spotter.Core.Settings;
using Spotter.Gateway;

namespace Spotter.Cli.Settings;

/// <summary>How KEDA is answered.</summary>
internal static class KedaSection
{
    /// <summary>The port on which it asks.</summary>
    public static readonly Setting<int?> Port = new(
        "keda.port",
        "A port on which KEDA asks over gRPC, without TLS, how many workers there are to be (its external scaler); 0 for any free one. It has no keys and tells numbers of workers only: let nothing but KEDA reach it. Default: none.",
        SettingValues.Whole(0, 65535).OrNone(), new GatewaySettings { WorkerToken = "" }.KedaPort)
    { Flag = "--keda-port" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Port];
}
