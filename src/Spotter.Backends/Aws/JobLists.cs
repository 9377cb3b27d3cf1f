using System.Globalization;
using System.Runtime.CompilerServices;
using Amazon.DynamoDBv2.Model;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Lists of jobs, newest first: ids begin with the time, so each partition is in order.</summary>
internal sealed class JobLists(DynamoTable table, JobRows rows)
{
    /// <summary>Of more dead jobs those that died first are not looked for.</summary>
    private const int MostDead = 10_000;

    public async Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel)
    {
        if (filter.Limit <= 0)
            return [];
        string? before = null;
        if (filter.After is { } cursor)
        {
            if (await rows.FindAsync(cursor, cancel) is not { Job: { Internal: false } job } || (filter.Tenant is { } own && job.Tenant != own))
                return [];
            before = cursor.Value;
        }
        var ids = filter switch
        {
            { State: { } state } when RowCodec.IsUnlucky(state) => IdsAsync(new(RowCodec.UnluckyOf(state)) { Index = RowCodec.UnluckyIndex, PkName = "upk", SkName = "usk" }, before, cancel),
            { Tenant: { Length: > 0 } tenant } => IdsAsync(new($"tenant#{tenant}") { Index = RowCodec.OwnerIndex, PkName = "opk" }, before, cancel),
            _ => null,
        };
        if (ids is null)
            return await ScanAsync(filter, before, cancel);
        var found = new List<Job>();
        await foreach (var some in ids)
        {
            var jobs = (await rows.FindAllAsync(some, cancel)).Select(r => r.Job).Where(j => Fits(j, filter)).OrderByDescending(j => j.Id.Value, StringComparer.Ordinal);
            found.AddRange(jobs.Take(filter.Limit - found.Count));
            if (found.Count == filter.Limit)
                break;
        }
        return found;
    }

    public async Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel)
    {
        var (first, last) = JobId.RangeOf(prefix);
        var found = await Task.WhenAll(RowCodec.AllShards.Select(shard => table.QueryAsync(
            new ItemQuery(shard) { From = first.Value, To = last.Value, Descending = true, Limit = JobIdSearch.MostSeen + 1 }, cancel)));
        return JobIdSearch.Among(
            [.. found.SelectMany(items => items).OrderByDescending(i => i["sk"].S, StringComparer.Ordinal).Take(JobIdSearch.MostSeen + 1)
                .Select(i => (JobId.Parse(i["sk"].S), i.ContainsKey("i"), i["t"].S))],
            tenant);
    }

    /// <summary>The dead jobs that are meant, longest dead first.</summary>
    public async Task<IReadOnlyList<JobId>> DeadAsync(RedriveFilter filter, CancellationToken cancel)
    {
        if (filter.Limit <= 0)
            return [];
        var ids = filter.Ids ?? [.. (await table.QueryAsync(
            new ItemQuery(RowCodec.UnluckyOf(JobState.Dead)) { Index = RowCodec.UnluckyIndex, PkName = "upk", SkName = "usk", Limit = MostDead }, cancel)).Select(i => JobId.Parse(i["sk"].S))];
        return [.. (await rows.FindAllAsync(ids, cancel)).Select(r => r.Job)
            .Where(j => j is { State: JobState.Dead, InputsExpired: false } && (filter.Error is null || j.Error?.Code == filter.Error) && (filter.Tenant is null || j.Tenant == filter.Tenant))
            .OrderBy(j => j.Finished).Take(filter.Limit).Select(j => j.Id)];
    }

    private static bool Fits(Job job, JobFilter filter) =>
        !job.Internal && (filter.State is null || job.State == filter.State) && (filter.Engine is null || job.Engine == filter.Engine)
        && (filter.Error is null || job.Error?.Code == filter.Error) && (filter.Tenant is null || job.Tenant == filter.Tenant);

    /// <summary>The ids that an index has in a partition, newest first, some at a time.</summary>
    private async IAsyncEnumerable<List<JobId>> IdsAsync(ItemQuery query, string? before, [EnumeratorCancellation] CancellationToken cancel)
    {
        const int Some = 100;
        while (true)
        {
            var items = await table.QueryAsync(query with { To = before is null ? null : Before(before), Descending = true, Limit = Some }, cancel);
            if (items.Count == 0)
                break;
            yield return items.ConvertAll(i => JobId.Parse(i["sk"].S));
            before = items[^1]["sk"].S;
        }
    }

    /// <summary>
    /// Looks through all jobs, newest first, in all partitions at a time. What a filter leaves out is read all the same, so a filter
    /// that fits few of many jobs takes its time.
    /// </summary>
    private async Task<IReadOnlyList<Job>> ScanAsync(JobFilter filter, string? before, CancellationToken cancel)
    {
        var (conditions, values) = (new List<string> { "attribute_not_exists(i)" }, new Dictionary<string, AttributeValue>(StringComparer.Ordinal));
        Add("s", filter.State is { } state ? Value.Of((long)state) : null);
        Add("e", filter.Engine is { } engine ? Value.Of(engine) : null);
        Add("c", filter.Error is { } error ? Value.Of(error) : null);
        Add("t", filter.Tenant is { } tenant ? Value.Of(tenant) : null);
        var found = await Task.WhenAll(RowCodec.AllShards.Select(shard => table.QueryAsync(
            new ItemQuery(shard)
            {
                To = before is null ? null : Before(before), Descending = true, Limit = filter.Limit,
                Filter = string.Join(" AND ", conditions), Values = values, Names = values.Keys.ToDictionary(v => $"#{v[1..]}", v => v[1..], StringComparer.Ordinal) is { Count: > 0 } names ? names : null,
            },
            cancel)));
        var jobs = new List<Job>();
        foreach (var item in found.SelectMany(items => items).OrderByDescending(i => i["sk"].S, StringComparer.Ordinal).Take(filter.Limit))
            jobs.Add((await rows.ReadAsync(item, cancel)).Job);
        return jobs;

        void Add(string name, AttributeValue? value)
        {
            if (value is null)
                return;
            conditions.Add($"#{name} = :{name}");
            values[$":{name}"] = value;
        }
    }

    /// <summary>The last sort key before one: ids are hexadecimal numbers.</summary>
    private static string Before(string id) =>
        (UInt128.Parse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is var number && number > 0 ? number - 1 : 0).ToString("x32", CultureInfo.InvariantCulture);
}
