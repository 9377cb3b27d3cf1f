using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Redis;

/// <summary>
/// Delivers jobs by lists in Redis that others may read: <c>__engine_pending_list_QUEUE__</c> has the ids of those that are due. What it can't
/// tell Redis at once is found by <see cref="RedisTender"/>.
/// </summary>
internal sealed class RedisDelivery : IJobDelivery
{
    /// <summary>Calls in one batch.</summary>
    private const int Largest = 500;

    /// <summary>For so long callers wait until Redis knows; it is told all the same.</summary>
    private static readonly TimeSpan TellWithin = TimeSpan.FromSeconds(1);

    /// <summary>For so long a take waits for lists that were lost.</summary>
    private static readonly TimeSpan WaitForLists = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly RedisLists lists;
    private readonly IJobRows rows;
    private readonly TimeProvider clock;
    private readonly Pace pace;
    private readonly Batcher<IReadOnlyList<RedisEntry>, bool> telling;

    /// <summary>Begins to keep the lists in step.</summary>
    public RedisDelivery(RedisLists lists, IJobRows rows, TimeProvider clock, Pace pace)
    {
        (this.lists, this.rows, this.clock, this.pace) = (lists, rows, clock, pace);
        telling = new(ApplyAsync, RedisFault.OfBatches, Largest, pace: pace);
        Tender = new RedisTender(lists, rows, clock, pace);
    }

    /// <summary>Keeps the lists whole.</summary>
    internal RedisTender Tender { get; }

    public async Task<DeliveredIds> NextAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var (isWhole, delivered) = await lists.TakeAsync(requests, Microseconds.Now(clock));
        if (isWhole)
            return delivered;
        var whole = Tender.WholeAsync();
        if (delivered.Ids.Any(ids => ids.Count > 0))
            return delivered with { NextDue = [.. requests.Select(_ => (DateTimeOffset?)clock.GetUtcNow() + LookAgain)] };
        await Task.WhenAny(whole, Task.Delay(WaitForLists, pace.Clock, cancel));
        cancel.ThrowIfCancellationRequested();
        return (await lists.TakeAsync(requests, Microseconds.Now(clock))).Delivered;
    }

    public Task AcceptedAsync(IReadOnlyList<Job> jobs) => TellAsync([.. jobs.Select(job => RedisEntry.OfNew(JobPlace.Of(job)))]);

    public async Task ChangedAsync(IReadOnlyCollection<JobChange> changes)
    {
        var queued = changes.Where(c => c.Queue is not null).Select(c => c.Job).OfType<JobId>().ToHashSet();
        var gone = changes.Where(c => c.Queue is null).Select(c => c.Job).OfType<JobId>().Where(id => !queued.Contains(id));
        await TellAsync([.. gone.Select(id => RedisEntry.Gone(id)), .. await FindAsync(queued)]);
    }

    public async Task RefusedAsync(IReadOnlyCollection<JobId> ids) => await TellAsync(await FindAsync(ids));

    public async ValueTask DisposeAsync()
    {
        await telling.StopAsync();
        await Tender.DisposeAsync();
        await lists.DisposeAsync();
    }

    private async Task<List<RedisEntry>> FindAsync(IReadOnlyCollection<JobId> ids)
    {
        try
        {
            var now = Microseconds.Now(clock);
            var found = (await rows.FindAsync(ids, CancellationToken.None)).ToDictionary(place => place.Id);
            return [.. ids.Select(id => found.TryGetValue(id, out var place) ? RedisEntry.Of(place, now) : RedisEntry.Gone(id))];
        }
        catch (SpotterException)
        {
            Tender.Missed();
            return [];
        }
    }

    private async Task TellAsync(IReadOnlyList<RedisEntry> entries)
    {
        if (entries.Count == 0)
            return;
        try
        {
            await telling.RunAsync(entries, CancellationToken.None).WaitAsync(TellWithin, pace.Clock);
        }
        catch (Exception e) when (e is SpotterException or TimeoutException)
        {
            // The rows have it.
            Tender.Missed();
        }
    }

    private async Task<bool[]> ApplyAsync(IReadOnlyList<IReadOnlyList<RedisEntry>> calls)
    {
        if (!await lists.ApplyAsync(calls.SelectMany(entries => entries), Microseconds.Now(clock)))
            Tender.Lost();
        return [.. calls.Select(_ => true)];
    }
}
