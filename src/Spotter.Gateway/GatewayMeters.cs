using System.Diagnostics.Metrics;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>What the gateway counts, as instruments of the meter <c>Spotter</c>.</summary>
internal sealed class GatewayMeters : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "Spotter";

    private readonly Meter meter = new(Name);
    private readonly Counter<long> accepted;
    private readonly Counter<long> ended;
    private readonly Counter<long> refused;
    private readonly Histogram<double> seconds;

    public GatewayMeters()
    {
        accepted = meter.CreateCounter<long>("spotter_jobs_accepted_total", null, "Jobs accepted.");
        ended = meter.CreateCounter<long>("spotter_attempts_total", null, "Attempts that ended, by how.");
        refused = meter.CreateCounter<long>("spotter_requests_refused_total", null, "Requests refused, by code.");
        seconds = meter.CreateHistogram<double>("spotter_attempt_seconds", "s", "Time from the start of an attempt to its result.");
    }

    public void Accepted(string engine, int count) => accepted.Add(count, new KeyValuePair<string, object?>("engine", engine));

    public void Refused(string code) => refused.Add(1, new KeyValuePair<string, object?>("code", code));

    public void Ended(string engine, JobOutcome outcome, TimeSpan time)
    {
        var how = outcome switch
        {
            JobOutcome.Done => "done",
            JobOutcome.Retry => "retry",
            _ => "reject",
        };
        ended.Add(1, new("engine", engine), new("outcome", how));
        // Only a result says how long it took.
        if (outcome is JobOutcome.Done)
            seconds.Record(time.TotalSeconds, new KeyValuePair<string, object?>("engine", engine));
    }

    public void Dispose() => meter.Dispose();
}
