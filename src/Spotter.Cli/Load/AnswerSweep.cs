namespace Spotter.Cli.Load;

/// <summary>
/// Follows any number of jobs with few requests. Jobs end roughly in the order in which they were accepted, so the list
/// is read just before the first job that waits: nearly all on such a page have ended, which also costs the service
/// least, as it need not count the places of those that wait. Those that were passed over are asked for one by one.
/// </summary>
internal sealed class AnswerSweep(LoadLedger ledger, JobReader reader, LoadClock clock)
{
    private const int SmallestPage = 32;
    private const int MostLooks = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(2);

    private readonly Queue<(LedgerEntry Entry, TimeSpan At, TimeSpan Wait)> passed = new();
    private int head;
    private int page = SmallestPage;

    /// <summary>Follows until all jobs have ended and no more come.</summary>
    /// <param name="submitting">Ends with the last acceptance.</param>
    /// <param name="cancel">Ends this.</param>
    public async Task RunAsync(Task submitting, CancellationToken cancel)
    {
        while (true)
        {
            var last = submitting.IsCompleted;
            if (last && ledger.OpenCount == 0)
                return;
            var more = ledger.OpenCount > 0 && await SweepAsync(cancel);
            await LookAtPassedAsync(cancel);
            if (!more)
                await clock.DelayAsync(Pause, cancel);
        }
    }

    /// <summary>Reads one page; true when so much had ended that another one is worth it at once.</summary>
    private async Task<bool> SweepAsync(CancellationToken cancel)
    {
        // As accepted here, which is nearly the order there; one more, to be the cursor.
        var window = ledger.Accepted(head, page + 1);
        var after = window.Count > page ? window[page].Id : null;
        var candidates = Math.Min(page, window.Count);
        if (candidates == 0 || await reader.PageAsync(page, after, cancel) is not { } seen)
            return false;
        var now = clock.Now;
        foreach (var job in seen.Jobs)
            ledger.See(job, now);

        var frontier = candidates;
        while (frontier > 0 && !window[frontier - 1].IsSettled)
            frontier--;
        for (var i = 0; i < frontier; i++)
        {
            if (!window[i].IsSettled)
                passed.Enqueue((window[i], now + FirstLook, FirstLook));
        }
        head += frontier;
        // The list of a busy service may be full of others' jobs, or ours were lost.
        for (var i = 0; frontier == 0 && i < Math.Min(MostLooks, candidates); i++)
        {
            await reader.LookAsync(window[i], cancel);
            if (!window[i].IsSettled)
                break;
            head++;
        }
        var most = frontier == candidates && after is not null;
        page = Math.Clamp(most ? page * 2 : frontier * 3 / 2, SmallestPage, JobReader.LongestPage);
        return most;
    }

    private async Task LookAtPassedAsync(CancellationToken cancel)
    {
        for (var looks = 0; looks < MostLooks && passed.TryPeek(out var next) && next.At <= clock.Now; looks++)
        {
            passed.Dequeue();
            if (next.Entry.IsSettled)
                continue;
            await reader.LookAsync(next.Entry, cancel);
            var wait = next.Wait * 2 < LongestLook ? next.Wait * 2 : LongestLook;
            if (!next.Entry.IsSettled)
                passed.Enqueue((next.Entry, clock.Now + wait, wait));
        }
    }
}
