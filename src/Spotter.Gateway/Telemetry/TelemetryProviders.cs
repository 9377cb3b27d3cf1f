using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Telemetry;

/// <summary>OpenTelemetry's parts: metrics for Prometheus, and traces and metrics to a collector where one is given.</summary>
internal sealed class TelemetryProviders : IDisposable
{
    /// <summary>What .NET and its web server measure of themselves; these names are theirs.</summary>
    private static readonly string[] Others = ["System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    private const int LongestFarewell = 3000;

    private readonly TracerProvider? traces;

    public TelemetryProviders(TelemetrySettings settings, IMeterFactory own)
    {
        var metrics = Sdk.CreateMeterProviderBuilder().ConfigureResource(r => Describe(r, settings)).AddMeter([settings.Meter, .. Others])
            // Meters are heard by name in the whole process, those of another host in it too.
            .AddView(instrument => instrument.Meter.Scope is IMeterFactory other && other != own ? MetricStreamConfiguration.Drop : null)
            .AddPrometheusExporter(text => (text.ScopeInfoEnabled, text.ScrapeResponseCacheDurationMilliseconds) = (false, 0));
        Metrics = (settings.Endpoint is null ? metrics : metrics.AddOtlpExporter(otlp => Send(otlp, settings, "v1/metrics"))).Build();
        // Without a collector nobody wants spans, and none are made.
        traces = settings.Endpoint is null ? null : Sdk.CreateTracerProviderBuilder().ConfigureResource(r => Describe(r, settings))
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(settings.Sample)))
            .AddSource(JobTracing.SourceName, "System.Net.Http", "Npgsql")
            .AddAspNetCoreInstrumentation(web => web.Filter = IsTraced)
            .AddOtlpExporter(otlp => Send(otlp, settings, "v1/traces")).Build();
    }

    /// <summary>All metrics.</summary>
    public MeterProvider Metrics { get; }

    /// <summary>Sends what waits, for some seconds at most, and ends.</summary>
    public void Dispose()
    {
        // Both at once: a collector that hangs holds up the end of the service only so long.
        Parallel.Invoke(() => traces?.Shutdown(LongestFarewell), () => Metrics.Shutdown(LongestFarewell));
        traces?.Dispose();
        Metrics.Dispose();
    }

    /// <summary>Workers ask all the time, and what became of it is told by the spans of their jobs; probes tell nothing.</summary>
    private static bool IsTraced(HttpContext http) =>
        !http.Request.Path.StartsWithSegments("/v1/workers", StringComparison.Ordinal) && http.Request.Path.Value is not ("/healthz" or "/readyz" or "/metrics");

    private static void Describe(ResourceBuilder resource, TelemetrySettings settings) =>
        resource.AddService(settings.Service, serviceVersion: typeof(TelemetryProviders).Assembly.GetName().Version?.ToString(3));

    private static void Send(OtlpExporterOptions otlp, TelemetrySettings settings, string path)
    {
        var isGrpc = settings.Protocol == TelemetryProtocol.Grpc;
        otlp.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        // Over HTTP each kind has an address of its own.
        otlp.Endpoint = isGrpc ? settings.Endpoint! : new Uri($"{settings.Endpoint!.AbsoluteUri.TrimEnd('/')}/{path}");
        otlp.Headers = settings.Headers;
        otlp.HttpClientFactory = () => new HttpClient(Outgoing.NewHandler()) { Timeout = TimeSpan.FromMilliseconds(otlp.TimeoutMilliseconds) };
    }
}
