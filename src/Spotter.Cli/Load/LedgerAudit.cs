namespace Spotter.Cli.Load;

/// <summary>
/// Goes through the service's list when all is over: every job of the run must be there once, with the end that was
/// seen before, and none that nobody asked for.
/// </summary>
internal sealed class LedgerAudit(LoadLedger ledger, JobReader reader, LoadClock clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads the list from the newest job down to the first of the run, then asks for those that it did not show.</summary>
    /// <param name="cancel">Ends it, and with it the hope to find what is missing.</param>
    public async Task RunAsync(CancellationToken cancel)
    {
        string? after = null;
        var found = 0;
        while (true)
        {
            if (await reader.PageAsync(JobReader.LongestPage, after, cancel) is not { } page)
            {
                await clock.DelayAsync(Pause, cancel);
                continue;
            }
            var now = clock.Now;
            var before = found;
            foreach (var job in page.Jobs)
            {
                ledger.Audit(job, now);
                if (ledger.NumberOf(job.Name) is not null)
                    found++;
            }
            after = page.Next;
            // A page without any of ours, after all of ours: those before the run.
            if (after is null || (found == before && found >= ledger.AcceptedCount))
                break;
        }
        foreach (var entry in ledger.Unaudited())
        {
            while (!await reader.LookAsync(entry, cancel))
                await clock.DelayAsync(Pause, cancel);
        }
    }
}
