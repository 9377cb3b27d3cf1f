using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Redis;

/// <summary>
/// Compares all rows with the lists, a page at a time: first adds what waits and is missing, then corrects what the lists have and the rows don't.
/// Whatever changes meanwhile is told to the lists by whoever changes it.
/// </summary>
internal sealed class RedisRound(RedisLists lists, IJobRows rows, TimeProvider clock, RandomSource random, int page)
{
    private readonly string mark = $"spotter:round:{random.NextHex(8)}";
    private JobPlace? last;
    private bool hasAll;
    private long cursor;

    /// <summary>True when jobs are known to be missing; else it takes its time, so that it costs little however many jobs wait.</summary>
    public bool IsUrgent { get; init; }

    /// <summary>True when the lists were not lost once more meanwhile.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Before anything else.</summary>
    public Task BeginAsync() => lists.BeginAsync(mark);

    /// <summary>Compares the next page; true when it was the last.</summary>
    /// <exception cref="SpotterException">One of the servers can't be asked.</exception>
    public async Task<bool> ContinueAsync(CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        if (!hasAll)
        {
            var queued = await rows.ListQueuedAsync(last, page, cancel);
            await lists.ApplyAsync(queued.Select(RedisEntry.OfNew), now);
            (last, hasAll) = (queued.Count > 0 ? queued[^1] : last, queued.Count < page);
            return false;
        }
        var (entries, next) = await lists.ScanAsync(cursor, page);
        var found = (await rows.FindAsync([.. entries.Select(e => e.Id)], cancel)).ToDictionary(place => place.Id);
        await lists.ApplyAsync(
            entries.Where(e => !found.TryGetValue(e.Id, out var place) || place.State != JobState.Queued || !RedisEntry.IsOf(e.Value, place))
                .Select(e => found.TryGetValue(e.Id, out var place)
                    ? RedisEntry.Of(place, now, RedisEntry.WhileItIs(e.Value)) : RedisEntry.Gone(e.Id, RedisEntry.WhileItIs(e.Value))),
            now);
        cursor = next;
        if (cursor != 0)
            return false;
        IsWhole = await lists.SetWholeAsync(mark, now);
        return true;
    }
}
