namespace Spotter.Scaling.Publishing;

/// <summary>Where a scaler outside Spotter reads metrics.</summary>
public interface IMetricSink
{
    /// <summary>How many instances there are to be, where the sink knows that better than this gateway; else null.</summary>
    Task<int?> DesiredAsync(CancellationToken cancel);

    /// <summary>Sends the metrics.</summary>
    /// <exception cref="Core.SpotterException">That failed; the message says why.</exception>
    Task PublishAsync(BacklogMetrics metrics, CancellationToken cancel);
}
