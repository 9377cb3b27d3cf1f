using Amazon.DynamoDBv2.Model;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Which jobs are to be looked at when: those that were accepted within some seconds, or were found at such a look.</summary>
/// <param name="Key">Its item.</param>
/// <param name="At">When.</param>
/// <param name="Jobs">The jobs, unless they are those of a span.</param>
internal sealed record LedgerPage(ItemKey Key, DateTimeOffset At, IReadOnlyList<JobId> Jobs)
{
    /// <summary>All jobs whose ids were made from one time on and before the other; null where they are listed.</summary>
    public (DateTimeOffset From, DateTimeOffset Before)? Span { get; init; }
}

/// <summary>
/// Every job by its age, at next to no cost: an index on states and times would double what a job's changes cost, but a page of the
/// ledger stands for all jobs of ten seconds, whose ids tell their time. It is written before them, so no job can be forgotten; looked at
/// after a while, when most of them have ended, which is the time to see what was lost; and what is found then is listed on pages, those
/// that have ended on pages of their own, from which their blobs and rows are deleted later.
/// </summary>
internal sealed class Ledger : IAsyncDisposable
{
    private const int PageJobs = 250;
    private const int IdBytes = JobId.Length / 2;

    private static readonly TimeSpan SpanLength = TimeSpan.FromSeconds(10);

    /// <summary>After this time most jobs have ended, and those that have not are looked at.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMinutes(2);

    /// <summary>A job has been looked at by this time after it was accepted.</summary>
    public static readonly TimeSpan LatestFirstLook = FirstLook + SpanLength;

    /// <summary>What has an older id was long on its way, or is noted again; its span may have been looked at.</summary>
    private static readonly TimeSpan OldestInSpan = TimeSpan.FromSeconds(30);

    private readonly DynamoTable table;
    private readonly Pace pace;
    private readonly Batcher<(IReadOnlyList<JobId> Jobs, DateTimeOffset At), bool> notes;
    private readonly Lock gate = new();
    private readonly SortedList<long, Task> spans = [];

    public Ledger(DynamoTable table, AwsFaults faults, Pace pace)
    {
        (this.table, this.pace) = (table, pace);
        notes = new(NoteAllAsync, faults.OfBatches, PageJobs, default, pace);
    }

    /// <summary>No more pages are given at a time.</summary>
    public const int MostPages = 1000;

    /// <summary>The list of jobs that are not known to have ended, by when to look at them.</summary>
    public const string Open = "open";

    /// <summary>The list of jobs that have ended, by the end of the first on each page.</summary>
    public const string Ended = "ended";

    /// <summary>The list of those whose blobs are deleted.</summary>
    public const string Bare = "bare";

    /// <summary>The list of jobs that were noted and of which there was no row later: looked for once more, and then forgotten.</summary>
    public const string Missing = "missing";

    /// <summary>Notes jobs that are about to be accepted.</summary>
    public Task NoteAsync(IReadOnlyList<JobId> jobs, DateTimeOffset now, CancellationToken cancel)
    {
        var listed = new List<JobId>();
        var noting = new List<Task>();
        foreach (var job in jobs)
        {
            if (job.Time > now - OldestInSpan && job.Time < now + SpanLength)
                noting.Add(NoteSpanAsync(job.Time.Ticks / SpanLength.Ticks));
            else
                listed.Add(job);
        }
        if (listed.Count > 0)
            noting.Add(NoteListedAsync(listed, now + FirstLook, cancel));
        return Task.WhenAll(noting);
    }

    /// <summary>The pages of a list up to a time, the oldest first; about as many jobs as are wanted.</summary>
    public async Task<List<LedgerPage>> PagesAsync(string list, DateTimeOffset until, int jobs, CancellationToken cancel)
    {
        // Each page has a job at least.
        var found = await table.QueryAsync(new ItemQuery(list) { To = $"{Value.Sortable(until)}~", Limit = Math.Clamp(jobs, 1, MostPages) }, cancel);
        var pages = new List<LedgerPage>();
        var count = 0;
        foreach (var page in found.Select(Read))
        {
            if (count >= jobs)
                break;
            pages.Add(page);
            count += page.Jobs.Count;
        }
        return pages;
    }

    /// <summary>
    /// Some of the oldest pages of a list before a time, in no order; none when there are none. Of several gateways that went through
    /// them in one order all but one would find each job done.
    /// </summary>
    public async Task<List<LedgerPage>> SomePagesAsync(string list, DateTimeOffset until, CancellationToken cancel)
    {
        const int oldest = 16;
        // Not those of that very moment: none of their jobs ended before.
        var found = await table.QueryAsync(new ItemQuery(list) { To = Value.Sortable(until), Limit = oldest }, cancel);
        return [.. found.Select(Read).OrderBy(_ => pace.Random.NextDouble()).Take((found.Count + 1) / 2)];
    }

    /// <summary>
    /// Writes what is in the place of a page from now on, and then deletes it: a crash between the two repeats some jobs, and loses none.
    /// Of several gateways that replace a page one does. The page is deleted in one transaction with what is written last, as a delete that
    /// was sent again because its answer was lost looks like somebody else's: whoever believed that would forget the jobs.
    /// </summary>
    public async Task ReplaceAsync(LedgerPage page, IEnumerable<(string List, DateTimeOffset At, JobId Job)> after, CancellationToken cancel)
    {
        // Jobs of one page are about as old, and stay together: with a page each, many that wait would be more pages than can be looked at.
        var pages = after.GroupBy(a => (a.List, Span: a.List == Open ? a.At.Ticks / SpanLength.Ticks : 0))
            .SelectMany(list => list.Chunk(PageJobs), (list, some) => ItemOf(list.Key.List, some.Min(s => s.At), [.. some.Select(s => s.Job)])).ToList();
        if (pages.Count == 0)
        {
            await table.WriteAllAsync([], [page.Key], cancel);
            return;
        }
        var (last, others) = (pages[^1], pages[..^1]);
        await table.WriteAllAsync(others, [], cancel);
        var replaced = await table.TransactAsync(
            [new() { Put = new Put { Item = last } }, new() { Delete = new Delete { Key = page.Key.ToItem(), ConditionExpression = "attribute_exists(pk)" } }], cancel);
        if (replaced is not null)
            await table.WriteAllAsync([], others.Select(p => ItemKey.Of(p)), cancel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await notes.StopAsync();

    /// <summary>Notes a span, once; whoever else does so writes the same.</summary>
    private Task NoteSpanAsync(long number)
    {
        const int Remembered = 16;
        lock (gate)
        {
            if (spans.TryGetValue(number, out var noted) && !noted.IsFaulted)
                return noted;
            if (spans.Count == Remembered)
                spans.RemoveAt(0);
            return spans[number] = table.PutAsync(ItemOf(number), CancellationToken.None);
        }
    }

    private static Dictionary<string, AttributeValue> ItemOf(long span)
    {
        var from = new DateTimeOffset(span * SpanLength.Ticks, TimeSpan.Zero);
        var before = from + SpanLength;
        var item = new ItemKey(Open, $"{Value.Sortable(before + FirstLook)}#span").ToItem();
        (item["from"], item["before"]) = (Value.Of(from), Value.Of(before));
        return item;
    }

    private async Task NoteListedAsync(IReadOnlyList<JobId> jobs, DateTimeOffset at, CancellationToken cancel) => await notes.RunAsync((jobs, at), cancel);

    private async Task<bool[]> NoteAllAsync(IReadOnlyList<(IReadOnlyList<JobId> Jobs, DateTimeOffset At)> some)
    {
        var pages = some.GroupBy(s => s.At).SelectMany(at => at.SelectMany(s => s.Jobs).Chunk(PageJobs), (at, jobs) => ItemOf(Open, at.Key, jobs));
        await Task.WhenAll(pages.Select(page => table.PutAsync(page, CancellationToken.None)));
        return [.. some.Select(_ => true)];
    }

    private Dictionary<string, AttributeValue> ItemOf(string list, DateTimeOffset at, IReadOnlyList<JobId> jobs)
    {
        var item = new ItemKey(list, $"{Value.Sortable(at)}#{pace.Random.NextHex(8)}").ToItem();
        item["ids"] = Value.Of([.. jobs.SelectMany(j => Convert.FromHexString(j.Value))]);
        return item;
    }

    private static LedgerPage Read(Dictionary<string, AttributeValue> item)
    {
        var key = ItemKey.Of(item);
        if (item.ContainsKey("from"))
            return new(key, Value.TimeOf(key.Sk), []) { Span = (item.Time("from"), item.Time("before")) };
        return new(key, Value.TimeOf(key.Sk), [.. item.Bytes("ids").Chunk(IdBytes).Select(id => JobId.Parse(Convert.ToHexStringLower(id)))]);
    }
}
