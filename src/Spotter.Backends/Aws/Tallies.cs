using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Where jobs are counted together.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Priority">The level of priority.</param>
/// <param name="Internal">Spotter's own jobs, or the users'.</param>
internal readonly record struct CountedLine(string Queue, JobPriority Priority, bool Internal);

/// <summary>
/// How many jobs stand where. A counter in each transaction would double what a job costs, so each gateway keeps the sum of the
/// changes that it made, in memory, and writes it into an item of its own, every second where others read it; together they are the truth.
/// What a crash takes from it is found by counting the open jobs anew (<see cref="RecountAsync"/>).
/// </summary>
internal sealed class Tallies(DynamoTable table, string self, TimeProvider clock)
{
    private const string Partition = "tally";
    /// <summary>The item with the sums of gateways that are gone, and what counting anew has corrected.</summary>
    private const string Past = "past";

    /// <summary>A gateway that has said nothing for so long is gone.</summary>
    private static readonly TimeSpan Gone = TimeSpan.FromHours(1);

    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(1);

    /// <summary>Of one that is alone nobody reads it but its successor.</summary>
    private static readonly TimeSpan WriteAlone = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ReadBusy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadIdle = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CompanyLasts = TimeSpan.FromSeconds(50);

    private readonly Lock gate = new();
    private readonly TallySums own = new();
    private TallySums others = new();
    private DateTimeOffset readAt = DateTimeOffset.MinValue;
    private DateTimeOffset changedAt = DateTimeOffset.MinValue;
    private DateTimeOffset wroteAt = DateTimeOffset.MinValue;
    private bool isUnwritten;
    private TallySums? difference;

    /// <summary>True while other gateways were seen to use the table.</summary>
    public bool HasCompany { get; private set; }

    /// <summary>Notes that a row was made, replaced or deleted.</summary>
    public void Book(JobRow? before, JobRow? after)
    {
        lock (gate)
        {
            own.Book(before?.Job, after?.Job);
            isUnwritten = true;
            changedAt = clock.GetUtcNow();
        }
    }

    /// <summary>Notes what a worker did.</summary>
    public void Serve(string queue, ServedJobs jobs)
    {
        lock (gate)
            own.Served[queue] = own.Served.GetValueOrDefault(queue) + jobs;
    }

    /// <summary>All sums together, those of others as they were a moment ago.</summary>
    public async Task<TallySums> SumAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        bool isOld;
        lock (gate)
            isOld = now - readAt >= (now - changedAt < ReadIdle ? ReadBusy : ReadIdle);
        if (isOld)
            await ReadAsync(cancel);
        await WriteAsync(force: false, cancel);
        lock (gate)
            return own + others;
    }

    /// <summary>Writes what has changed, now and then unless at once; and that this gateway is there.</summary>
    public async Task WriteAsync(bool force, CancellationToken cancel)
    {
        Dictionary<string, AttributeValue> item;
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var isDue = now - wroteAt >= (!isUnwritten ? ReadIdle : HasCompany ? WriteEvery : WriteAlone);
            if (!isDue && !(force && isUnwritten))
                return;
            (wroteAt, isUnwritten) = (now, false);
            item = ItemOf(self, own, now);
        }
        try
        {
            await table.PutAsync(item, cancel);
        }
        catch
        {
            lock (gate)
                isUnwritten = true;
            throw;
        }
    }

    /// <summary>
    /// Puts right what waits and runs, as it was just counted; does nothing if anything has changed meanwhile. Others may not have said yet
    /// what they just did: where there are others, a difference is put right when it is counted twice. False when it is to be counted again.
    /// </summary>
    /// <param name="before">The sums before the count.</param>
    /// <param name="open">The open jobs.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<bool> RecountAsync(TallySums before, IEnumerable<Job> open, CancellationToken cancel)
    {
        var counted = new TallySums();
        foreach (var job in open)
            counted.Book(null, job);
        await ReadAsync(cancel);
        TallySums now;
        lock (gate)
            now = own + others;
        if (!now.HasSameOpenAs(before) || now.HasSameOpenAs(counted))
        {
            difference = null;
            return true;
        }
        var found = counted.OpenMinus(now);
        if (HasCompany && difference?.HasSameOpenAs(found) != true)
        {
            difference = found;
            return false;
        }
        difference = null;
        await AddToPastAsync(found, null, cancel);
        await ReadAsync(cancel);
        return true;
    }

    /// <summary>Adds the sums of gateways that are gone to one item, so that there are few to be read.</summary>
    public async Task FoldAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        foreach (var item in (await table.QueryAsync(new ItemQuery(Partition), cancel)).Where(i => i["sk"].S != self && i["sk"].S != Past && now - i.Time("said") > Gone))
            await AddToPastAsync(Read(item), item, cancel);
    }

    /// <summary>Adds sums to those of the past, in the place of a gateway's item if there is one; false when somebody else did so meanwhile.</summary>
    private async Task<bool> AddToPastAsync(TallySums sums, Dictionary<string, AttributeValue>? replaced, CancellationToken cancel)
    {
        var there = await table.GetAsync(new ItemKey(Partition, Past), cancel);
        var item = ItemOf(Past, (there is null ? new TallySums() : Read(there)) + sums, clock.GetUtcNow());
        var version = there?.Number("v") ?? 0;
        item["v"] = Value.Of(version + 1);
        var writes = new List<TransactWriteItem>
        {
            new() { Put = new Put { Item = item, ConditionExpression = "attribute_not_exists(pk) OR v = :v", ExpressionAttributeValues = new(StringComparer.Ordinal) { [":v"] = Value.Of(version) } } },
        };
        if (replaced is not null)
        {
            writes.Add(new()
            {
                Delete = new Delete
                {
                    Key = ItemKey.Of(replaced).ToItem(), ConditionExpression = "said = :said", ExpressionAttributeValues = new(StringComparer.Ordinal) { [":said"] = replaced["said"] },
                },
            });
        }
        return await table.TransactAsync(writes, cancel) is null;
    }

    private async Task ReadAsync(CancellationToken cancel)
    {
        var items = await table.QueryAsync(new ItemQuery(Partition), cancel);
        var now = clock.GetUtcNow();
        lock (gate)
        {
            var read = new TallySums();
            var seen = false;
            foreach (var item in items.Where(i => i["sk"].S != self))
            {
                read += Read(item);
                seen |= item["sk"].S != Past && now - item.Time("said") < CompanyLasts;
            }
            if (!read.HasSameOpenAs(others))
                changedAt = now;
            (others, readAt, HasCompany) = (read, now, seen);
        }
    }

    private static Dictionary<string, AttributeValue> ItemOf(string name, TallySums sums, DateTimeOffset now)
    {
        var item = new ItemKey(Partition, name).ToItem();
        item["said"] = Value.Of(now);
        item["d"] = Value.Of(JsonSerializer.SerializeToUtf8Bytes(sums.ToDocument(), AwsJson.Default.TallyDocument));
        return item;
    }

    private static TallySums Read(IReadOnlyDictionary<string, AttributeValue> item) =>
        TallySums.Of(JsonSerializer.Deserialize(item.Bytes("d"), AwsJson.Default.TallyDocument)!);
}

/// <summary>Sums of changes.</summary>
internal sealed class TallySums
{
    private static readonly int States = Enum.GetValues<JobState>().Length;

    /// <summary>By line, how many jobs are in each state.</summary>
    public Dictionary<CountedLine, long[]> Lines { get; } = [];

    /// <summary>The users' jobs that have ended.</summary>
    public long Ended { get; private set; }

    /// <summary>What workers did, by queue.</summary>
    public Dictionary<string, ServedJobs> Served { get; } = new(StringComparer.Ordinal);

    /// <summary>Notes that a job was made, changed or deleted.</summary>
    public void Book(Job? before, Job? after)
    {
        var job = (before ?? after)!;
        var counts = CountsOf(new CountedLine(job.Queue, job.Priority, job.Internal));
        if (before is not null)
            counts[(int)before.State]--;
        if (after is not null)
            counts[(int)after.State]++;
        if (after is { Internal: false } && after.State.IsTerminal() && before?.State.IsTerminal() != true)
            Ended++;
    }

    /// <summary>How many of the users' jobs are in a state, or of Spotter's own.</summary>
    public long Count(JobState state, bool isInternal = false) => Lines.Where(l => l.Key.Internal == isInternal).Sum(l => l.Value[(int)state]);

    /// <summary>True when as many jobs wait and run, line by line.</summary>
    public bool HasSameOpenAs(TallySums other) => Lines.Keys.Union(other.Lines.Keys).All(line =>
        Open.All(state => (Lines.GetValueOrDefault(line)?[(int)state] ?? 0) == (other.Lines.GetValueOrDefault(line)?[(int)state] ?? 0)));

    /// <summary>How many more jobs wait and run here than there.</summary>
    public TallySums OpenMinus(TallySums other)
    {
        var difference = new TallySums();
        foreach (var line in Lines.Keys.Union(other.Lines.Keys))
        {
            foreach (var state in Open)
                difference.CountsOf(line)[(int)state] = (Lines.GetValueOrDefault(line)?[(int)state] ?? 0) - (other.Lines.GetValueOrDefault(line)?[(int)state] ?? 0);
        }
        return difference;
    }

    /// <summary>Both together.</summary>
    public static TallySums operator +(TallySums a, TallySums b)
    {
        var sum = new TallySums { Ended = a.Ended + b.Ended };
        foreach (var (line, counts) in a.Lines.Concat(b.Lines))
        {
            var into = sum.CountsOf(line);
            for (var i = 0; i < States; i++)
                into[i] += counts[i];
        }
        foreach (var (queue, jobs) in a.Served.Concat(b.Served))
            sum.Served[queue] = sum.Served.GetValueOrDefault(queue) + jobs;
        return sum;
    }

    /// <summary>As it is stored.</summary>
    public TallyDocument ToDocument() => new(
        [.. Lines.Select(l => new TallyLine(l.Key.Queue, l.Key.Priority, l.Key.Internal, l.Value))], Ended,
        [.. Served.Select(s => new TallyServed(s.Key, s.Value.Jobs, s.Value.Seconds, s.Value.SquareSeconds))]);

    /// <summary>As it was stored.</summary>
    public static TallySums Of(TallyDocument document)
    {
        var sums = new TallySums { Ended = document.Ended };
        foreach (var line in document.Lines)
            line.Counts.CopyTo(sums.CountsOf(new CountedLine(line.Queue, line.Priority, line.Internal)), 0);
        foreach (var served in document.Served)
            sums.Served[served.Queue] = new ServedJobs(served.Jobs, served.Seconds, served.Squares);
        return sums;
    }

    private static JobState[] Open { get; } = [JobState.Queued, JobState.Running];

    private long[] CountsOf(CountedLine line)
    {
        if (!Lines.TryGetValue(line, out var counts))
            Lines[line] = counts = new long[States];
        return counts;
    }
}

/// <summary>Sums as they are stored.</summary>
internal sealed record TallyDocument(IReadOnlyList<TallyLine> Lines, long Ended, IReadOnlyList<TallyServed> Served);

/// <summary>One line, with a count for each state.</summary>
internal sealed record TallyLine(string Queue, JobPriority Priority, bool Internal, long[] Counts);

/// <summary>One queue.</summary>
internal sealed record TallyServed(string Queue, long Jobs, double Seconds, double Squares);
