using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>
/// What is asked about rows. These look at all of them, which is fine for examples; a store for many jobs has an index
/// for each question, and keeps the counts as it goes.
/// </summary>
internal static class Queries
{
    public static IReadOnlyList<Job> ByKeys(this IEnumerable<Row> rows, IReadOnlyCollection<string> keys) =>
        [.. rows.Where(r => r.Job.IdempotencyKey is { } key && keys.Contains(key, StringComparer.Ordinal)).Select(r => r.Job)];

    public static Job? Cached(this IEnumerable<Row> rows, string tenant, string cacheKey, string modelVersion) => rows
        .Where(r => r.CacheKey == cacheKey && r.Job is { State: JobState.Succeeded, CachedFrom: null } && r.Job.Tenant == tenant && r.Job.ModelVersion == modelVersion)
        .MaxBy(r => r.Number)?.Job;

    public static JobIdSearch Ids(this IEnumerable<Row> rows, string prefix, string? tenant) => JobIdSearch.Among(
        [.. rows.Select(r => r.Job).Where(j => j.Id.Value.StartsWith(prefix, StringComparison.Ordinal)).OrderByDescending(j => j.Id.Value, StringComparer.Ordinal)
            .Take(JobIdSearch.MostSeen + 1).Select(j => (j.Id, j.Internal, j.Tenant))], tenant);

    public static LostLeases Lost(this IEnumerable<Row> after)
    {
        var queued = after.ToLookup(r => r.IsQueued);
        return new(queued[true].Count(), queued[false].Count());
    }

    public static IReadOnlyList<Job> List(this IEnumerable<Row> rows, JobFilter filter)
    {
        // A cursor that is another tenant's leads nowhere, as one that was never a job's.
        var all = rows.Where(r => !r.Job.Internal && (filter.Tenant is null || r.Job.Tenant == filter.Tenant)).OrderByDescending(r => r.Number).Select(r => r.Job);
        if (filter.After is { } cursor)
            all = all.SkipWhile(j => j.Id != cursor).Skip(1);
        return
        [
            .. all.Where(j => (filter.State is null || j.State == filter.State) && (filter.Engine is null || j.Engine == filter.Engine)
                && (filter.Error is null || j.Error?.Code == filter.Error)).Take(filter.Limit),
        ];
    }

    public static IEnumerable<Row> ToRedrive(this IEnumerable<Row> rows, RedriveFilter filter) => rows
        .Where(r => r.Job is { State: JobState.Dead, InputsExpired: false } && (filter.Ids is null || filter.Ids.Contains(r.Job.Id))
            && (filter.Error is null || r.Job.Error?.Code == filter.Error) && (filter.Tenant is null || r.Job.Tenant == filter.Tenant))
        .OrderBy(r => r.Job.Finished).Take(filter.Limit);

    /// <summary>How many stand where; <paramref name="left"/> tells how many have left a line.</summary>
    public static StoreCounts Count(
        this IReadOnlyCollection<Row> rows, long ended, DateTimeOffset now, Func<(string Queue, JobPriority Priority), long?> left) =>
        new(rows.CountStates(ended), rows.CountBacklogs(now, left));

    private static JobCounts CountStates(this IReadOnlyCollection<Row> rows, long ended)
    {
        long Count(JobState state, bool isInternal = false) => rows.Count(r => r.Job.State == state && r.Job.Internal == isInternal);

        return new(
            Count(JobState.Queued), Count(JobState.Running), Count(JobState.Succeeded), Count(JobState.Failed), Count(JobState.Dead),
            Count(JobState.Cancelled))
        {
            Ended = ended,
            InternalQueued = Count(JobState.Queued, isInternal: true),
            InternalRunning = Count(JobState.Running, isInternal: true),
        };
    }

    private static IReadOnlyList<Backlog> CountBacklogs(
        this IEnumerable<Row> rows, DateTimeOffset now, Func<(string Queue, JobPriority Priority), long?> left) =>
        [
            .. rows.Where(r => !r.Job.State.IsTerminal()).GroupBy(r => (r.Job.Queue, r.Job.Priority)).Select(line => CountBacklog(
                line.Key, [.. line.Where(r => r.IsQueued)], line.Count(r => !r.IsQueued), now, left(line.Key))),
        ];

    private static Backlog CountBacklog((string Queue, JobPriority Priority) line, List<Row> queued, int running, DateTimeOffset now, long? left) =>
        new(line.Queue, line.Priority, queued.Count(r => !r.Job.Internal), queued.Count(r => r.Job.Internal))
        {
            Running = running,
            Delayed = Math.Min(queued.Count(r => r.Due > now + Backlog.Soon), Backlog.MostCounted),
            Oldest = queued.Where(r => r.Due <= now && !r.Job.Internal).MinBy(r => r.Due)?.Job.Created,
            Left = left,
        };
}
