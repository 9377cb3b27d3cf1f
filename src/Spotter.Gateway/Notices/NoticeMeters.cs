using System.Diagnostics.Metrics;
using Spotter.Gateway.Operations;
using Spotter.Jobs;

namespace Spotter.Gateway.Notices;

/// <summary>What is counted about notices, as instruments of the meter <c>Spotter</c>.</summary>
internal sealed class NoticeMeters : IDisposable
{
    private readonly Meter meter = new(GatewayMeters.Name);
    private readonly Counter<long> ended;
    private readonly Counter<long> refused;
    private readonly Histogram<double> seconds;

    public NoticeMeters()
    {
        ended = meter.CreateCounter<long>("spotter_notices_total", null, "Deliveries of notices that ended, by how: sent, failed (to be tried again), given_up.");
        refused = meter.CreateCounter<long>("spotter_notice_receivers_rested_total", null, "Times that a receiver failed so often that it is left alone for a while.");
        seconds = meter.CreateHistogram<double>("spotter_notice_seconds", "s", "Time from the beginning of a delivery to its answer.");
    }

    public void Ended(NoticeOutcome outcome, TimeSpan time)
    {
        var how = outcome switch
        {
            NoticeOutcome.Delivered => "sent",
            NoticeOutcome.Again => "failed",
            _ => "given_up",
        };
        ended.Add(1, new KeyValuePair<string, object?>("outcome", how));
        seconds.Record(time.TotalSeconds);
    }

    public void Rested() => refused.Add(1);

    public void Dispose() => meter.Dispose();
}
