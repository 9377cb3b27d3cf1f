using System.Globalization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Says no before anything is accepted, never after, and says when to come back: while the service drains, when too many
/// jobs wait or wait for too long, when a deadline can't be met, and when too many uploads are read at once for longer
/// than a moment. Judges from memory, so that a no costs next to nothing.
/// </summary>
public sealed class Admission(BacklogMeter backlog, DrainRate drain, Estimator estimator, JobSettings settings, TimeProvider time) : IDisposable
{
    // Whoever comes back finds room for some, not for one.
    private const double RoomShare = 0.01;

    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);

    // A drain is followed by a start, or by another gateway behind the same address.
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim places = new(settings.MaxUploads);
    private volatile bool closed;

    /// <summary>True once the service takes no more jobs.</summary>
    public bool Closed => closed;

    /// <summary>From now on nothing is accepted.</summary>
    public void Close() => closed = true;

    /// <summary>Turns away what there is no room for; asks nobody and waits for nothing.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>.</exception>
    public void Check()
    {
        if (Closed)
            throw Draining();
        if (backlog.Queued is { } queued && queued >= settings.MaxQueued)
        {
            var surplus = queued - settings.MaxQueued + Math.Max(1, settings.MaxQueued * RoomShare);
            throw Busy($"{settings.MaxQueued} jobs are waiting already; send it again later.", drain.TimeFor(surplus));
        }
        if (backlog.Latest is { Overdue: > 0 and var overdue })
        {
            throw Busy($"The oldest waiting job has waited for more than {Text(settings.MaxQueueAge.TotalSeconds)} s; send it again when the backlog is shorter.",
                drain.TimeFor(overdue));
        }
    }

    /// <summary>Turns away a job that could not begin in time, or whose sender would wait for it in vain.</summary>
    /// <param name="expires">The job is of no use when it has not begun by then.</param>
    /// <param name="wait">How long its sender waits for the result; null when that is fetched later.</param>
    /// <param name="priority">Which jobs it goes before: those are not waited for.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.DeadlineUnmeetable"/>.</exception>
    public void CheckDeadline(TimeSpan expires, TimeSpan? wait, JobPriority priority = JobPriority.Normal)
    {
        // What nobody has measured is neither zero nor endless: then it is tried.
        if (backlog.Latest is not { } known || backlog.AheadOf(priority) is not var (waiting, newer))
            return;
        var ahead = Math.Max(0, waiting.Sum(b => b.All) + newer);
        if (estimator.ForecastStart(waiting, newer, known.Counts.Jobs.Running + known.Counts.Jobs.InternalRunning) is not { } byLanes)
            return;
        // Other gateways on the same store have workers too, which only the rate knows of.
        var start = drain.PerSecond is > 0 and { } rate ? Math.Min(byLanes, ahead / rate) : byLanes;
        var (late, what) = (start - expires.TotalSeconds, "begin");
        if (wait is { } longest && start + (estimator.ServiceSeconds() ?? 0) - longest.TotalSeconds is var lateEnd && lateEnd > late)
            (late, what) = (lateEnd, "end");
        if (late <= 0)
            return;
        throw new SpotterException(ErrorCodes.DeadlineUnmeetable,
            $"With {Text(ahead)} jobs before it, it would begin in about {Text(Math.Ceiling(start))} s, too late to {what} in time; send it again later, or allow for more.")
        {
            // By then so much of the backlog is done.
            RetryAfter = TimeSpan.FromSeconds(late),
        };
    }

    /// <summary>Waits for a place; dispose of it when the upload has been read.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>.</exception>
    public async Task<UploadPlace> EnterAsync(CancellationToken cancel)
    {
        Check();
        return await EnterAcceptedAsync(cancel);
    }

    /// <summary>As <see cref="EnterAsync"/>, for what belongs to work that was let in already: turned away, it would keep its own place for ever.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Busy"/>.</exception>
    public async Task<UploadPlace> EnterAcceptedAsync(CancellationToken cancel)
    {
        await TakePlaceAsync(cancel);
        if (!Closed)
            return new UploadPlace(places);
        places.Release();
        throw Draining();
    }

    /// <inheritdoc/>
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
            // Each of them becomes a job, so places become free about as fast as jobs end, or faster.
            throw Busy($"{settings.MaxUploads} uploads are being read already; send it again in a moment.", drain.TimeFor(1));
        }
    }

    private static SpotterException Draining() => Busy("The service is shutting down; send it again in a moment.", AfterDrain);

    private static SpotterException Busy(string message, TimeSpan retryAfter) => new(ErrorCodes.Busy, message) { RetryAfter = retryAfter };

    private static string Text(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
