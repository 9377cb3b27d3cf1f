namespace Spotter.EndToEnd.Monitoring;

/// <summary>A test that needs Prometheus and promtool beside it; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute() => Skip = Program is null ? "Prometheus is not here: SPOTTER_PROMETHEUS is not set, and PATH has none" : null;

    /// <summary>The server's program; null when it is not here.</summary>
    public static string? Program { get; } = new[] { Environment.GetEnvironmentVariable("SPOTTER_PROMETHEUS") }
        .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "prometheus")))
        .FirstOrDefault(file => file is { Length: > 0 } && File.Exists(file) && File.Exists(Path.Combine(Path.GetDirectoryName(file)!, "promtool")));
}
