using Amazon.DynamoDBv2.Model;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A row before and after a change; both null when there is none, <see cref="After"/> null when it is left as it was.</summary>
internal readonly record struct RowChange(JobRow? Before, JobRow? After);

/// <summary>
/// The rows of jobs in the table: read, and replaced by whoever has read the latest version. What has to be true together with a
/// row is written in one transaction with it, which costs twice as much; so only what needs it: idempotency keys, and deliveries
/// that are due at an end.
/// </summary>
internal sealed class JobRows(DynamoTable table, Tallies tallies, ChangeReaders changes, DynamoOutbox outbox)
{
    private const string IsNew = "attribute_not_exists(pk)";

    /// <summary>An item leads to the job of <see cref="Named"/>.</summary>
    private const string IsOf = "job = :job";

    /// <summary>The row of a job; null when there is none.</summary>
    public async Task<JobRow?> FindAsync(JobId id, CancellationToken cancel) =>
        await table.GetAsync(RowCodec.KeyOf(id), cancel) is { } item ? await ReadAsync(item, cancel) : null;

    /// <summary>The rows of these jobs, as far as there are any, in no order.</summary>
    public async Task<List<JobRow>> FindAllAsync(IEnumerable<JobId> ids, CancellationToken cancel)
    {
        var rows = new List<JobRow>();
        foreach (var item in await table.GetAllAsync(ids.Select(RowCodec.KeyOf), cancel))
            rows.Add(await ReadAsync(item, cancel));
        return rows;
    }

    /// <summary>
    /// The jobs with these idempotency keys; and by the partition of its item, the job that a key still leads to though its row was deleted,
    /// as whoever did so was cut off before the key's turn.
    /// </summary>
    public async Task<(IReadOnlyList<Job> Known, IReadOnlyDictionary<string, JobId> Stale)> FindKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel)
    {
        var stale = new Dictionary<string, JobId>(StringComparer.Ordinal);
        if (idempotencyKeys.Count == 0)
            return ([], stale);
        var keys = await table.GetAllAsync(idempotencyKeys.Select(RowCodec.KeyOfIdempotency), cancel);
        var known = (await FindAllAsync(keys.Select(k => JobId.Parse(k["job"].S)), cancel)).ConvertAll(r => r.Job);
        foreach (var key in keys.Where(k => !known.Exists(j => j.Id.Value == k["job"].S)))
            stale[key["pk"].S] = JobId.Parse(key["job"].S);
        return (known, stale);
    }

    /// <summary>The rows that a page of the ledger stands for, as far as there are any, in no order.</summary>
    public async Task<List<JobRow>> FindAllAsync(LedgerPage page, CancellationToken cancel)
    {
        if (page.Span is not { } span)
            return await FindAllAsync(page.Jobs, cancel);
        var (first, last) = JobId.RangeOf(span.From, span.Before);
        var found = await Task.WhenAll(RowCodec.AllShards.Select(shard => table.QueryAsync(new ItemQuery(shard) { From = first.Value, To = last.Value }, cancel)));
        var rows = new List<JobRow>();
        foreach (var item in found.SelectMany(items => items))
            rows.Add(await ReadAsync(item, cancel));
        return rows;
    }

    /// <summary>The row of an item.</summary>
    public async Task<JobRow> ReadAsync(IReadOnlyDictionary<string, AttributeValue> item, CancellationToken cancel)
    {
        var parts = RowCodec.Parts(item).ToList();
        return RowCodec.Read(item, parts.Count == 0 ? [] : await table.GetAllAsync(parts, cancel));
    }

    /// <summary>Reads a row and replaces it, again if somebody else did so meanwhile. Nothing when there is nothing to change.</summary>
    public async Task<RowChange> ChangeAsync(JobId id, Func<JobRow, JobRow?> change, CancellationToken cancel)
    {
        while (await FindAsync(id, cancel) is { } before)
        {
            if (change(before) is not { } changed)
                return new(before, null);
            var after = changed with { Version = before.Version + 1 };
            if (!await ReplaceAsync(before, after))
                continue;
            Tell(before, after);
            return new(before, after);
        }
        return default;
    }

    /// <summary>
    /// Makes rows, all or none, and the keys by which they are known. Null when they are made; else the first that can't be made, and
    /// whether its key is known already: otherwise its id is. Keys that lead to rows that are gone (<see cref="FindKeysAsync"/>) lead to these.
    /// </summary>
    public async Task<(JobRow Row, bool IsKeyKnown)?> AddAsync(IReadOnlyList<JobRow> rows, IReadOnlyDictionary<string, JobId> stale, CancellationToken cancel)
    {
        var written = rows.Select(row => ItemsOf(row, stale)).ToList();
        await table.WriteAllAsync(written.SelectMany(w => w.Parts), [], cancel);
        if (written is [{ Others.Count: 0 } only])
        {
            if (!await table.PutIfAsync(only.Item, IsNew, null, cancel))
                return (only.Row, false);
            Tell(null, only.Row);
            return null;
        }
        var made = new List<JobRow>();
        foreach (var some in Groups(written))
        {
            var items = some.SelectMany(s => (TransactWriteItem[])[Put(s.Item, IsNew), .. s.Others]).ToList();
            if (await table.TransactAsync(items, cancel) is { } refused)
            {
                var (row, isKey) = some.SelectMany(s => Enumerable.Range(0, s.Size).Select(i => (s.Row, i > 0))).ElementAt(refused);
                foreach (var already in made)
                    await DeleteAsync(already, CancellationToken.None);
                return (row, isKey);
            }
            made.AddRange(some.Select(s => s.Row));
        }
        foreach (var row in rows)
            Tell(null, row);
        return null;
    }

    /// <summary>Deletes a row that has ended, and all that belongs to it; false when it has changed or is gone.</summary>
    public async Task<bool> PurgeAsync(JobRow row, CancellationToken cancel)
    {
        await outbox.ForgetAsync(row.Job, cancel);
        if (!await DeleteAsync(row, cancel))
            return false;
        tallies.Book(row, null);
        return true;
    }

    /// <summary>
    /// Notes that a job speaks of its blobs, but for the one that it is named after. Before its row is written, as blobs that no job speaks
    /// of are deleted.
    /// </summary>
    public Task NoteBlobsAsync(JobId id, IEnumerable<string> blobs, CancellationToken cancel) => Task.WhenAll(
        blobs.Distinct(StringComparer.Ordinal).Where(blob => BlobKey.JobOf(blob) != id).Select(blob => table.UpdateAsync(
            RowCodec.KeyOfBlob(blob), "ADD jobs :job", new(StringComparer.Ordinal) { [":job"] = new AttributeValue { SS = [id.Value] } }, null, cancel)));

    /// <summary>Notes that a job, whose row speaks of its blobs no longer, or is about to go, gives them up. Those of which no other job speaks.</summary>
    public async Task<List<string>> ForgetBlobsAsync(JobId id, IReadOnlyCollection<string> blobs, CancellationToken cancel)
    {
        var gone = await Task.WhenAll(blobs.Distinct(StringComparer.Ordinal).Select(async blob => (blob, IsLast: await ForgetBlobAsync(id, blob, cancel))));
        return [.. gone.Where(g => g.IsLast).Select(g => g.blob)];
    }

    /// <summary>Those of these blobs that no job with blobs to keep speaks of.</summary>
    public async Task<List<string>> UnknownBlobsAsync(IReadOnlyCollection<string> blobs, CancellationToken cancel)
    {
        var noted = (await table.GetAllAsync(blobs.Select(RowCodec.KeyOfBlob), cancel)).Where(i => i.ContainsKey("jobs"))
            .ToDictionary(i => i["pk"].S[5..], i => i["jobs"].SS.ConvertAll(JobId.Parse), StringComparer.Ordinal);
        var jobs = noted.Values.SelectMany(ids => ids).Concat(blobs.Select(BlobKey.JobOf).OfType<JobId>());
        var there = (await FindAllAsync(jobs, cancel)).ToDictionary(row => row.Job.Id);
        // It may have been noted for a job that was never accepted.
        return [.. blobs.Where(blob => !(noted.TryGetValue(blob, out var ids) && ids.Exists(there.ContainsKey))
            && !(BlobKey.JobOf(blob) is { } named && there.TryGetValue(named, out var row) && row.Blobs.Contains(blob, StringComparer.Ordinal)))];
    }

    private async Task<bool> ForgetBlobAsync(JobId id, string blob, CancellationToken cancel)
    {
        var (key, named) = (RowCodec.KeyOfBlob(blob), BlobKey.JobOf(blob));
        if (named == id && await table.GetAsync(key, cancel) is null)
            return true;
        await table.UpdateAsync(key, "DELETE jobs :job", new(StringComparer.Ordinal) { [":job"] = new AttributeValue { SS = [id.Value] } }, null, cancel);
        return await table.DeleteIfAsync(key, "attribute_not_exists(jobs)", null, cancel)
            && !(named is { } owner && owner != id && await FindAsync(owner, cancel) is { } row && row.Blobs.Contains(blob, StringComparer.Ordinal));
    }

    private async Task<bool> ReplaceAsync(JobRow before, JobRow after)
    {
        var (item, parts) = RowCodec.Write(after);
        await table.WriteAllAsync(parts, [], CancellationToken.None);
        await NoteBlobsAsync(after.Job.Id, after.Blobs.Except(before.Blobs, StringComparer.Ordinal), CancellationToken.None);
        const string condition = "v = :version";
        var values = new Dictionary<string, AttributeValue>(StringComparer.Ordinal) { [":version"] = Value.Of(before.Version) };
        var others = EndsOf(before, after).ToList();
        var replaced = others.Count == 0
            ? await table.PutIfAsync(item, condition, values, CancellationToken.None)
            : await table.TransactAsync([Put(item, condition, values), .. others], CancellationToken.None) is null;
        if (replaced)
            await table.WriteAllAsync([], RowCodec.Parts(before), CancellationToken.None);
        return replaced;
    }

    private async Task<bool> DeleteAsync(JobRow row, CancellationToken cancel)
    {
        var key = RowCodec.KeyOf(row.Job.Id);
        var isDeleted = await table.DeleteIfAsync(key, "v = :version", new(StringComparer.Ordinal) { [":version"] = Value.Of(row.Version) }, cancel);
        // Where it is gone, this was the one that deleted it, and its answer was lost; or another one was, and may have been cut off.
        if (!isDeleted && await table.GetAsync(key, cancel) is not null)
            return false;
        // What leads to the row, unless it leads to another one by now.
        List<ItemKey> signs = [];
        if (row.Job.IdempotencyKey is { } idempotencyKey)
            signs.Add(RowCodec.KeyOfIdempotency(idempotencyKey));
        if (row is { CacheKey: { } work, Job: { ModelVersion: { } version, CachedFrom: null } })
            signs.Add(RowCodec.KeyOfCache(row.Job.Tenant, work, version));
        foreach (var sign in signs)
            await table.DeleteIfAsync(sign, IsOf, Named(row.Job.Id), cancel);
        await table.WriteAllAsync([], RowCodec.Parts(row), cancel);
        return isDeleted;
    }

    private static Dictionary<string, AttributeValue> Named(JobId job) => new(StringComparer.Ordinal) { [":job"] = Value.Of(job.Value) };

    private void Tell(JobRow? before, JobRow after)
    {
        tallies.Book(before, after);
        if (after.Job.State.IsTerminal() && before?.Job.State.IsTerminal() != true && after.Job.Notify.Count > 0)
            outbox.Filled();
        changes.Publish([new JobChange(after.Job.Id, before is not { IsQueued: true } && after.IsQueued ? after.Job.Queue : null)]);
    }

    private static NewItems ItemsOf(JobRow row, IReadOnlyDictionary<string, JobId> stale)
    {
        var (item, parts) = RowCodec.Write(row);
        var others = new List<TransactWriteItem>();
        if (row.Job.IdempotencyKey is { } key)
        {
            var known = RowCodec.KeyOfIdempotency(key).ToItem();
            known["job"] = Value.Of(row.Job.Id.Value);
            others.Add(stale.TryGetValue(known["pk"].S, out var gone) ? Put(known, IsOf, Named(gone)) : Put(known, IsNew));
        }
        others.AddRange(EndsOf(null, row));
        return new(row, item, parts, others);
    }

    private static IEnumerable<TransactWriteItem> EndsOf(JobRow? before, JobRow after) =>
        after.Job.State.IsTerminal() && before?.Job.State.IsTerminal() != true ? DynamoOutbox.EntriesOf(after.Job).Select(entry => Put(entry, null)) : [];

    private static TransactWriteItem Put(Dictionary<string, AttributeValue> item, string? condition, Dictionary<string, AttributeValue>? values = null) =>
        new() { Put = new Put { Item = item, ConditionExpression = condition, ExpressionAttributeValues = values } };

    /// <summary>As many as go into one transaction.</summary>
    private static IEnumerable<List<NewItems>> Groups(IEnumerable<NewItems> rows)
    {
        var (group, size) = (new List<NewItems>(), 0);
        foreach (var row in rows)
        {
            if (group.Count > 0 && size + row.Size > DynamoTable.MostTransacted)
            {
                yield return group;
                (group, size) = ([], 0);
            }
            group.Add(row);
            size += row.Size;
        }
        if (group.Count > 0)
            yield return group;
    }

    /// <summary>What is written for a new row.</summary>
    private sealed record NewItems(JobRow Row, Dictionary<string, AttributeValue> Item, List<Dictionary<string, AttributeValue>> Parts, List<TransactWriteItem> Others)
    {
        public int Size => 1 + Others.Count;
    }
}
