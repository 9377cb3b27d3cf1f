using Spotter.Core;
using Spotter.Core.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>
/// Says no before anything is accepted, never after: while the service drains, when too many jobs wait, and when
/// too many uploads are read at once for longer than a moment.
/// </summary>
internal sealed class Admission(IJobStore store, GatewaySettings settings, TimeProvider time) : IDisposable
{
    private const string Closing = "The service is shutting down; send it again in a moment.";

    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CountAge = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim places = new(settings.MaxUploads);
    private volatile bool closed;
    private long countedAt;
    private long queued;

    /// <summary>True once the service takes no more jobs.</summary>
    public bool Closed => closed;

    /// <summary>From now on nothing is accepted.</summary>
    public void Close() => closed = true;

    /// <summary>Waits for a place; dispose of it when the upload has been read.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancel)
    {
        if (Closed)
            throw new SpotterException(ErrorCodes.Busy, Closing);
        if (await QueuedAsync(cancel) >= settings.MaxQueued)
            throw new SpotterException(ErrorCodes.Busy, $"{settings.MaxQueued} jobs are waiting already; send it again later.");
        await TakePlaceAsync(cancel);
        if (!Closed)
            return new Place(places);
        places.Release();
        throw new SpotterException(ErrorCodes.Busy, Closing);
    }

    public void Dispose() => places.Dispose();

    private async Task TakePlaceAsync(CancellationToken cancel)
    {
        using var turn = new CancellationTokenSource(LongestTurn, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(turn.Token, cancel);
        try
        {
            await places.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new SpotterException(ErrorCodes.Busy, $"{settings.MaxUploads} uploads are being read already; send it again in a moment.");
        }
    }

    private async Task<long> QueuedAsync(CancellationToken cancel)
    {
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref countedAt);
        if (last != 0 && time.GetElapsedTime(last, now) < CountAge)
            return Interlocked.Read(ref queued);
        // Whoever comes while this is counted goes by the number before.
        Interlocked.Exchange(ref countedAt, now);
        var counts = await store.CountAsync(null, cancel);
        Interlocked.Exchange(ref queued, counts.Queued);
        return counts.Queued;
    }

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0)
                places.Release();
        }
    }
}
