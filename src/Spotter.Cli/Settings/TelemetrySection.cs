using Spotter.Core.Settings;
using Spotter.Gateway;

namespace Spotter.Cli.Settings;

/// <summary>Traces and metrics for a collector.</summary>
internal static class TelemetrySection
{
    private static readonly Setting<string?> Endpoint = new(
        "telemetry.endpoint", "A collector of OpenTelemetry that gets traces and metrics, as http://collector:4318. Default: nobody gets them, and Prometheus can still read /metrics.",
        SettingValues.HttpAddress, null)
    { Flag = "--telemetry-endpoint" };

    private static readonly Setting<TelemetryProtocol> Protocol = new(
        "telemetry.protocol", "How the collector is talked to: OTLP over HTTP (mostly port 4318) or over gRPC (4317).", SettingValues.Choice<TelemetryProtocol>(), TelemetryProtocol.Http) { Flag = "--telemetry-protocol" };

    private static readonly Setting<double> Sample = new(
        "telemetry.sample", "The part of new traces that is recorded; a client that brings a trace has decided already.", SettingValues.Part, 1) { Flag = "--telemetry-sample" };

    private static readonly Setting<string> Service = new(
        "telemetry.service", "What the service is called there.", SettingValues.Text("NAME"), "spotter") { Flag = "--telemetry-service" };

    private static readonly Setting<string?> Headers = new(
        "telemetry.headers", "What goes with each request to the collector, as api-key=SECRET; several with commas between them.", SettingValues.OptionalText("HEADERS"), null) { IsSecret = true };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Endpoint, Protocol, Sample, Service, Headers];

    /// <summary>The settings as asked for.</summary>
    public static TelemetrySettings Read(SettingReader settings) => new()
    {
        Endpoint = settings.Get(Endpoint) is { } collector ? new Uri(collector) : null,
        Protocol = settings.Get(Protocol),
        Sample = settings.Get(Sample),
        Service = settings.Get(Service),
        Headers = settings.Get(Headers),
    };
}
