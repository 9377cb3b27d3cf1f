namespace Spotter.Gateway.Overload;

/// <summary>
/// Who may hold on to a connection while nothing is moved, or little: few enough that there are always connections for
/// workers, and for those who ask something quick.
/// </summary>
internal sealed class LongRequests(GatewaySettings settings) : IDisposable
{
    /// <summary>Event streams.</summary>
    public Places Streams { get; } = new(settings.MaxStreams);

    /// <summary>Requests that wait for a result.</summary>
    public Places Waits { get; } = new(settings.MaxWaits, part: 2);

    /// <summary>Requests that wait for a drawing.</summary>
    public Places Drawings { get; } = new(settings.MaxDrawings);

    /// <summary>Uploads on their way.</summary>
    public Places Uploads { get; } = new(settings.MaxUploads);

    /// <summary>Uploads that have come in full and wait, for seconds at most, until one of those that are worked on has ended. One client may have all.</summary>
    public Places Turns { get; } = new(settings.MaxUploads, part: 1);

    /// <summary>Results that are written as one file: they are held in memory until it has been sent.</summary>
    public Places Exports { get; } = new(MostExports, part: 2);

    /// <summary>Requests whose pictures are fetched from elsewhere.</summary>
    public Places Fetches { get; } = new(MostFetches);

    private const int MostExports = 4;
    private const int MostFetches = 64;

    public void Dispose()
    {
        Fetches.Dispose();
        Exports.Dispose();
        Turns.Dispose();
        Streams.Dispose();
        Waits.Dispose();
        Drawings.Dispose();
        Uploads.Dispose();
    }
}
