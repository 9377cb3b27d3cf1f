using Amazon.DynamoDBv2.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Which jobs are to be looked at when: those that were accepted together, or have ended.</summary>
/// <param name="Key">Its item.</param>
/// <param name="At">When.</param>
/// <param name="Jobs">The jobs.</param>
internal sealed record LedgerPage(ItemKey Key, DateTimeOffset At, IReadOnlyList<JobId> Jobs);

/// <summary>
/// Every job by its age, at next to no cost: an index on states and times would double what a job's changes cost, but a page of the
/// ledger has all jobs that were accepted together. It is written before them, so no job can be forgotten; looked at after a while,
/// when most of them have ended, which is the time to see what was lost; and those that have ended move on to pages of their own,
/// from which their blobs and rows are deleted later.
/// </summary>
internal sealed class Ledger : IAsyncDisposable
{
    private const int Shards = 4;
    private const int PageJobs = 250;
    private const int IdBytes = JobId.Length / 2;

    private readonly DynamoTable table;
    private readonly RandomSource random;
    private readonly Batcher<(IReadOnlyList<JobId> Jobs, DateTimeOffset At), bool> notes;

    public Ledger(DynamoTable table, AwsFaults faults, RandomSource random)
    {
        (this.table, this.random) = (table, random);
        notes = new(NoteAllAsync, faults.OfBatches, PageJobs);
    }

    /// <summary>The list of jobs that are not known to have ended, by when to look at them.</summary>
    public const string Open = "open";

    /// <summary>The list of jobs that have ended, by the end of the first on each page.</summary>
    public const string Ended = "ended";

    /// <summary>The list of those whose blobs are deleted.</summary>
    public const string Bare = "bare";

    /// <summary>The list of jobs that were noted and of which there was no row later: looked for once more, and then forgotten.</summary>
    public const string Missing = "missing";

    /// <summary>Notes jobs that are about to be accepted.</summary>
    public Task NoteAsync(IReadOnlyList<JobId> jobs, DateTimeOffset at, CancellationToken cancel) => notes.RunAsync((jobs, at), cancel);

    /// <summary>The pages of a list up to a time, the oldest first; about as many jobs as are wanted.</summary>
    public async Task<List<LedgerPage>> PagesAsync(string list, DateTimeOffset until, int jobs, CancellationToken cancel)
    {
        var found = await Task.WhenAll(Enumerable.Range(0, Shards).Select(shard => table.QueryAsync(
            // Each page has a job at least.
            new ItemQuery($"{list}#{shard}") { To = $"{Value.Sortable(until)}~", Limit = Math.Clamp(jobs, 1, 1000) }, cancel)));
        var pages = new List<LedgerPage>();
        var count = 0;
        foreach (var page in found.SelectMany(items => items).Select(Read).OrderBy(p => p.At))
        {
            if (count >= jobs)
                break;
            pages.Add(page);
            count += page.Jobs.Count;
        }
        return pages;
    }

    /// <summary>
    /// Writes what is in the place of a page from now on, and then deletes it: a crash between the two repeats some jobs, and loses none.
    /// Of several gateways that replace a page one does.
    /// </summary>
    public async Task ReplaceAsync(LedgerPage page, IEnumerable<(string List, DateTimeOffset At, JobId Job)> after, CancellationToken cancel)
    {
        var pages = after.GroupBy(a => (a.List, At: a.List == Open ? a.At : default))
            .SelectMany(list => list.Chunk(PageJobs), (list, some) => ItemOf(list.Key.List, some.Min(s => s.At), [.. some.Select(s => s.Job)])).ToList();
        await table.WriteAllAsync(pages, [], cancel);
        if (!await table.DeleteIfAsync(page.Key, "attribute_exists(pk)", null, cancel))
            await table.WriteAllAsync([], pages.Select(p => ItemKey.Of(p)), cancel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await notes.StopAsync();

    private async Task<bool[]> NoteAllAsync(IReadOnlyList<(IReadOnlyList<JobId> Jobs, DateTimeOffset At)> some)
    {
        var pages = some.GroupBy(s => s.At).SelectMany(at => at.SelectMany(s => s.Jobs).Chunk(PageJobs), (at, jobs) => ItemOf(Open, at.Key, jobs));
        await Task.WhenAll(pages.Select(page => table.PutAsync(page, CancellationToken.None)));
        return [.. some.Select(_ => true)];
    }

    private Dictionary<string, AttributeValue> ItemOf(string list, DateTimeOffset at, IReadOnlyList<JobId> jobs)
    {
        var nonce = random.NextHex(8);
        var item = new ItemKey($"{list}#{nonce[0] % Shards}", $"{Value.Sortable(at)}#{nonce}").ToItem();
        item["ids"] = Value.Of([.. jobs.SelectMany(j => Convert.FromHexString(j.Value))]);
        return item;
    }

    private static LedgerPage Read(Dictionary<string, AttributeValue> item)
    {
        var key = ItemKey.Of(item);
        return new(key, Value.TimeOf(key.Sk), [.. item.Bytes("ids").Chunk(IdBytes).Select(id => JobId.Parse(Convert.ToHexStringLower(id)))]);
    }
}
