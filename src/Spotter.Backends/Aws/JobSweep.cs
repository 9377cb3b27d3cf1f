using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// Looks at what the ledger says is to be looked at: finds lost messages, leases of gateways that are gone, jobs that nobody started
/// in time; and deletes what has had its time.
/// </summary>
internal sealed class JobSweep(JobRows rows, Ledger ledger, SqsQueues queues, Tallies tallies, KnownJobs known, KnownLeases leases, DynamoJobStore store, TimeProvider clock)
{
    /// <summary>Not more often.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);

    /// <summary>Where nothing was old enough to be deleted, it is asked again after this time.</summary>
    private static readonly TimeSpan WhereEmpty = TimeSpan.FromMinutes(1);

    /// <summary>What is still open is looked at again after this time, and later after half of the time for which it has been due.</summary>
    private static readonly TimeSpan NextLook = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan LongestLook = TimeSpan.FromHours(1);

    /// <summary>A job's message is sent again at most once in this time.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A job that has waited for so long since its message was sent, and for half of the time for which it has been due, gets another one
    /// whatever the counts say: what killed gateways had counted may be missing from them. Long before SQS deletes messages, after four days.
    /// </summary>
    private static readonly TimeSpan Unheard = TimeSpan.FromHours(1);

    private static readonly TimeSpan LongestUnheard = TimeSpan.FromDays(3.5);

    /// <summary>A job that is noted and has not come after this time was not accepted.</summary>
    private static readonly TimeSpan NeverCame = TimeSpan.FromDays(1);

    /// <summary>Open jobs are counted anew this often, while nothing changes.</summary>
    private static readonly TimeSpan CountEvery = TimeSpan.FromMinutes(10);

    /// <summary>Where the count differs while others may have something to say, it is done once more after this time.</summary>
    private static readonly TimeSpan CountAgain = TimeSpan.FromMinutes(1);

    /// <summary>More open jobs are not counted anew.</summary>
    public const int MostCounted = 20_000;

    /// <summary>A sweep that has lasted so long goes on at the next call: whoever sweeps takes leases back as well.</summary>
    private static readonly TimeSpan LongestSweep = TimeSpan.FromSeconds(20);

    // One after another would be too slow where many messages are lost, and each would be sent in a call of its own.
    private const int TendedAtOnce = 50;

    // The slowest row holds up its page, and not others.
    private const int PagesAtOnce = 8;

    /// <summary>Open jobs are looked through for leases of others no sooner again than after this time for each of them: 200 s for as many as can be.</summary>
    private static readonly TimeSpan PerRow = TimeSpan.FromMilliseconds(10);

    private DateTimeOffset nextSweep = DateTimeOffset.MinValue;

    // Up to when was looked.
    private DateTimeOffset looked = DateTimeOffset.MinValue;

    // Where nothing was found, it is not asked again for what ended up to a moment later.
    private DateTimeOffset nextExpiry = DateTimeOffset.MinValue;
    private DateTimeOffset nextPurge = DateTimeOffset.MinValue;
    private DateTimeOffset nextSearch = DateTimeOffset.MinValue;
    private DateTimeOffset nextCount = DateTimeOffset.MinValue;

    /// <summary>Looks at what is due to be looked at, now and then. What it finds is known then, to be reaped, failed or given to workers.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (now < nextSweep)
            return;
        nextSweep = now + Every;
        await tallies.WriteAsync(force: false, cancel);
        if (!await LookAsync(now, cancel))
        {
            nextSweep = now;
            return;
        }
        looked = now;
        if (now >= nextCount)
        {
            nextCount = now + CountEvery;
            await CountAsync(cancel);
        }
    }

    /// <summary>See <see cref="IJobStore.ExpireBlobsAsync"/>.</summary>
    public async Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel)
    {
        if (finishedBefore < nextExpiry)
            return [];
        await LookForEndedAsync(finishedBefore, cancel);
        var gone = new List<string>();
        var expired = await ClearAsync(Ledger.Ended, finishedBefore, limit, async row =>
        {
            // First the row: a job that is redriven meanwhile keeps its inputs, and a crash leaves blobs that nobody speaks of.
            var (before, bare) = await rows.ChangeAsync(
                row.Job.Id, r => r.Job.Finished < finishedBefore && !r.Job.InputsExpired ? r with { Job = r.Job with { InputsExpired = true } } : null, cancel);
            if (bare is not null)
            {
                var blobs = await rows.ForgetBlobsAsync(row.Job.Id, [.. before!.Blobs], cancel);
                lock (gone)
                    gone.AddRange(blobs);
            }
            // Another gateway may have done it, or the job was redriven and has its blobs still.
            return new(IsDone: bare is not null, (bare ?? before) is { } latest ? PlaceOf(latest, latest.Job.InputsExpired ? Ledger.Bare : Ledger.Ended) : null);
        }, cancel);
        if (expired == 0)
            nextExpiry = finishedBefore + WhereEmpty;
        return gone;
    }

    /// <summary>See <see cref="IJobStore.PurgeAsync"/>.</summary>
    public async Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel)
    {
        if (finishedBefore < nextPurge)
            return 0;
        await LookForEndedAsync(finishedBefore, cancel);
        var purged = 0;
        foreach (var list in (string[])[Ledger.Bare, Ledger.Ended])
        {
            purged += await ClearAsync(list, finishedBefore, limit - purged, async row =>
            {
                await rows.ForgetBlobsAsync(row.Job.Id, [.. row.Blobs], cancel);
                // Where it has changed meanwhile, whoever looks next sees how.
                return await rows.PurgeAsync(row, cancel) ? new(IsDone: true, null) : new(IsDone: false, (list, row.Job.Finished!.Value, row.Job.Id));
            }, cancel);
        }
        if (purged == 0)
            nextPurge = finishedBefore + WhereEmpty;
        return purged;
    }

    /// <summary>What was done with a job that has had its time.</summary>
    /// <param name="IsDone">It counts.</param>
    /// <param name="Place">Where the ledger is to list it; null for nowhere.</param>
    private readonly record struct Cleared(bool IsDone, (string List, DateTimeOffset At, JobId Job)? Place);

    /// <summary>Does something with jobs of a list that ended before a time, until it was done with so many or there are no more.</summary>
    private async Task<int> ClearAsync(string list, DateTimeOffset finishedBefore, int limit, Func<JobRow, Task<Cleared>> clear, CancellationToken cancel)
    {
        var (done, began) = (0, clock.GetUtcNow());
        while (done < limit && clock.GetUtcNow() - began < LongestSweep && await ledger.SomePagesAsync(list, finishedBefore, cancel) is { Count: > 0 } pages)
        {
            foreach (var page in pages)
            {
                var found = await rows.FindAllAsync(page, cancel);
                var due = found.Where(row => row.Job.Finished < finishedBefore).OrderBy(row => row.Job.Finished).Take(limit - done).ToList();
                var cleared = new List<Cleared>();
                foreach (var some in due.Chunk(TendedAtOnce))
                    cleared.AddRange(await Task.WhenAll(some.Select(clear)));
                done += cleared.Count(c => c.IsDone);
                var others = found.ExceptBy(due.Select(row => row.Job.Id), row => row.Job.Id).Select(row => PlaceOf(row, list));
                await ledger.ReplaceAsync(page, [.. cleared.Select(c => c.Place).OfType<(string, DateTimeOffset, JobId)>(), .. others], cancel);
                if (done == limit)
                    break;
            }
        }
        return done;
    }

    /// <summary>Where the ledger lists a job that was found on a list of those that have ended.</summary>
    private (string List, DateTimeOffset At, JobId Job) PlaceOf(JobRow row, string list) =>
        (row.Job.Finished is null ? Ledger.Open : list, row.Job.Finished ?? clock.GetUtcNow() + NextLook, row.Job.Id);

    /// <summary>Remembers what is open: what this gateway knew before its last start, and what others know.</summary>
    public async Task RememberAsync(CancellationToken cancel)
    {
        nextSearch = clock.GetUtcNow() + Every;
        var open = (await OpenAsync(cancel)).Rows;
        open.ForEach(Remember);
        // It is paid for by the row: where many jobs wait and workers die all the time, a lease of another gateway is found later.
        nextSearch = clock.GetUtcNow() + (open.Count * PerRow is var longer && longer > Every ? longer : Every);
    }

    /// <summary>Remembers the leases that others gave, if there are others and it was not just done.</summary>
    public Task FindLeasesAsync(CancellationToken cancel) => tallies.HasCompany && clock.GetUtcNow() >= nextSearch ? RememberAsync(cancel) : Task.CompletedTask;

    /// <summary>Open jobs, as many as can be looked through; and whether these are all.</summary>
    private async Task<(List<JobRow> Rows, bool AreAll)> OpenAsync(CancellationToken cancel)
    {
        var open = new List<JobRow>();
        var pages = await ledger.PagesAsync(Ledger.Open, DateTimeOffset.MaxValue.AddYears(-1), MostCounted, cancel);
        foreach (var page in pages)
            open.AddRange((await rows.FindAllAsync(page, cancel)).Where(r => !r.Job.State.IsTerminal()));
        return ([.. open.DistinctBy(r => r.Job.Id)], pages.Count < Ledger.MostPages && pages.Sum(p => p.Jobs.Count) < MostCounted);
    }

    private void Remember(JobRow row)
    {
        var now = clock.GetUtcNow();
        if (row.IsQueued)
            known.AddIfNew(KnownJob.Of(row, receipt: null, isDirect: row.Due > now));
        else
            known.Remove(row.Job.Id);
        if (row.IsRunning && leases.Find(row.Job.Id) is null)
            leases.Hold(new(new Lease(row.Job.Id, row.Job.Queue, row.Job.FencingToken, row.Job.Attempts, row.Job.Worker!), row.LeasedUntil, DateTimeOffset.MinValue));
    }

    /// <summary>Looks at open jobs; false when there are more than there was time for.</summary>
    private async Task<bool> LookAsync(DateTimeOffset until, CancellationToken cancel)
    {
        var lost = new Lines();
        var began = clock.GetUtcNow();
        foreach (var pages in (await ledger.PagesAsync(Ledger.Open, until, MostCounted, cancel)).Chunk(PagesAtOnce))
        {
            if (clock.GetUtcNow() - began > LongestSweep)
                return false;
            await Task.WhenAll(pages.Select(page => LookAsync(page, lost, missing => (Ledger.Missing, clock.GetUtcNow() + NeverCame, missing), cancel)));
        }
        return true;
    }

    /// <summary>Moves jobs that ended before a time, and are not known to have, to the list of those that have; the sweep does for all but the latest.</summary>
    private Task LookForEndedAsync(DateTimeOffset finishedBefore, CancellationToken cancel)
    {
        var until = finishedBefore + Ledger.LatestFirstLook;
        return until <= looked ? Task.CompletedTask : LookAsync(until, cancel);
    }

    private async Task LookAsync(LedgerPage page, Lines lost, Func<JobId, (string, DateTimeOffset, JobId)?> lookFor, CancellationToken cancel)
    {
        var after = new List<(string, DateTimeOffset, JobId)>();
        var found = await rows.FindAllAsync(page, cancel);
        found.ForEach(Remember);
        foreach (var some in found.Chunk(TendedAtOnce))
        {
            after.AddRange(await Task.WhenAll(some.Select(async row => row.Job.State.IsTerminal()
                ? (Ledger.Ended, row.Job.Finished!.Value, row.Job.Id)
                : (Ledger.Open, await TendAsync(row, lost, cancel), row.Job.Id))));
        }
        after.AddRange(page.Jobs.Except(found.Select(r => r.Job.Id)).Select(lookFor).OfType<(string, DateTimeOffset, JobId)>());
        await ledger.ReplaceAsync(page, after, cancel);
    }

    /// <summary>Looks once more for what was noted and not there, and forgets what is still not there.</summary>
    private async Task LookForMissingAsync(CancellationToken cancel)
    {
        var lost = new Lines();
        foreach (var page in await ledger.PagesAsync(Ledger.Missing, clock.GetUtcNow(), MostCounted, cancel))
            await LookAsync(page, lost, _ => null, cancel);
    }

    /// <summary>Sees to it that an open job has a message; when to look at it again.</summary>
    private async Task<DateTimeOffset> TendAsync(JobRow row, Lines lost, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (row.IsQueued && row.Due > now)
        {
            // Now that SQS can wait for it.
            if (row.Sent == JobRow.Unsent && row.Due - now <= SqsQueues.LongestDelay)
                await SendAsync(row.Job.Id, r => r.IsQueued && r.Sent == JobRow.Unsent, row.Due, cancel);
            return row.Due - now > SqsQueues.LongestDelay ? row.Due - SqsQueues.LongestDelay : row.Due + NextLook;
        }
        // Since it is due: one that is old, and was redriven, has not waited for long.
        var age = (now - row.Due) / 2;
        var patience = age < Unheard ? Unheard : age > LongestUnheard ? LongestUnheard : age;
        if (row.MayStart(now) && now - row.Sent >= Period && (now - row.Sent >= patience || await HasLostAsync(new(row.Job.Queue, row.Job.Priority), lost, cancel)))
            await SendAsync(row.Job.Id, r => r.MayStart(now) && now - r.Sent >= Period, now, cancel);
        return now + (age < NextLook ? NextLook : age > LongestLook ? LongestLook : age);
    }

    /// <summary>Sends a message about a job: of all who find that it needs one, whoever notes so in its row.</summary>
    private async Task SendAsync(JobId id, Func<JobRow, bool> needs, DateTimeOffset at, CancellationToken cancel)
    {
        if (await rows.ChangeAsync(id, row => needs(row) ? row with { Sent = at } : null, cancel) is { After: { } sent })
            await store.SendAsync(sent);
    }

    /// <summary>True when there are fewer messages than jobs that wait. Asked once for each queue.</summary>
    private Task<bool> HasLostAsync(SqsLine line, Lines lost, CancellationToken cancel)
    {
        lock (lost)
            return lost.TryGetValue(line, out var has) ? has : lost[line] = HasLostAsync(line, cancel);
    }

    private async Task<bool> HasLostAsync(SqsLine line, CancellationToken cancel)
    {
        var sums = await tallies.SumAsync(cancel);
        var waiting = sums.Lines.Where(l => l.Key.Queue == line.Queue && l.Key.Priority == line.Priority).Sum(l => l.Value[(int)JobState.Queued]);
        try
        {
            return await queues.CountAsync(line, cancel) < waiting;
        }
        catch (SpotterException)
        {
            // A queue that can't be asked keeps nobody from looking at the jobs of others.
            return false;
        }
    }

    /// <summary>Of queues that were asked, whether they have lost messages.</summary>
    private sealed class Lines : Dictionary<SqsLine, Task<bool>>;

    private async Task CountAsync(CancellationToken cancel)
    {
        await LookForMissingAsync(cancel);
        await tallies.FoldAsync(cancel);
        var before = await tallies.SumAsync(cancel);
        var (open, areAll) = await OpenAsync(cancel);
        if (areAll && !await tallies.RecountAsync(before, open.Select(r => r.Job), cancel))
            nextCount = clock.GetUtcNow() + CountAgain;
    }
}
