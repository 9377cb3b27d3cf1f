using Spotter.Cli.Remote;
using Spotter.Core;

namespace Spotter.Cli.Load;

/// <summary>Sends the pictures of a run, follows their jobs to the end and checks the service's list against the ledger.</summary>
internal sealed class LoadRun(ServiceClient service, LoadSettings settings, LoadLedger ledger, LoadClock clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly JobReader reader = new(service, ledger, clock);
    private int inFlight;

    /// <summary>Runs it.</summary>
    /// <param name="pictures">What to send; null to follow and check only what the ledger knows already.</param>
    /// <param name="interrupt">Ends it early, without the check.</param>
    /// <exception cref="SpotterException">A picture can't be read.</exception>
    public async Task<LoadFigures> RunAsync(PictureSupply? pictures, CancellationToken interrupt)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        using var done = new CancellationTokenSource();
        var watching = GiveUpWhenNothingMovesAsync(over, done.Token);
        try
        {
            await WorkAsync(pictures, over);
            await new LedgerAudit(ledger, reader, clock).RunAsync(over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // What has not come by now is what the figures tell.
        }
        await done.CancelAsync();
        await watching;
        return ledger.Close() with { Interrupted = interrupt.IsCancellationRequested };
    }

    private async Task WorkAsync(PictureSupply? pictures, CancellationTokenSource over)
    {
        var closed = settings.Arrivals == ArrivalKind.Closed && pictures is not null;
        var submitting = pictures is null ? Task.CompletedTask
            : closed ? SendInTurnAsync(Submitter(pictures), over.Token)
            : SendWhenDueAsync(Submitter(pictures), over.Token);
        var following = closed ? Task.CompletedTask : new AnswerSweep(ledger, reader, clock).RunAsync(submitting, over.Token);
        var first = await Task.WhenAny(submitting, following);
        if (first.IsFaulted)
            await over.CancelAsync();
        await Task.WhenAll(submitting, following);
    }

    private Submitter Submitter(PictureSupply pictures) => new(service, settings, pictures, ledger, clock);

    /// <summary>Each client sends its next picture when it has the answer to the one before.</summary>
    private async Task SendInTurnAsync(Submitter submitter, CancellationToken cancel)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, settings.Concurrency).Select(_ => Task.Run(
            async () =>
            {
                for (int number; (number = Interlocked.Increment(ref next)) < settings.Jobs;)
                {
                    if (await SendAsync(submitter, number, clock.Now, cancel) is { } entry)
                        await AwaitAnswerAsync(entry, cancel);
                }
            }, cancel)));
    }

    /// <summary>Every picture is sent when it is due, whatever has become of those before; late only when all connections are in use.</summary>
    private async Task SendWhenDueAsync(Submitter submitter, CancellationToken cancel)
    {
        var number = 0;
        using var due = ArrivalTimes.Of(settings).GetEnumerator();
        var gate = new SemaphoreSlim(1);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(settings.Concurrency, settings.Jobs)).Select(_ => Task.Run(
            async () =>
            {
                while (true)
                {
                    await gate.WaitAsync(cancel);
                    int mine;
                    TimeSpan at;
                    try
                    {
                        if (!due.MoveNext())
                            return;
                        (mine, at) = (number++, due.Current);
                        // Whoever waits for the next moment keeps the others from waiting for later ones.
                        if (at > clock.Now)
                            await clock.DelayAsync(at - clock.Now, cancel);
                    }
                    finally
                    {
                        gate.Release();
                    }
                    await SendAsync(submitter, mine, at, cancel);
                }
            }, cancel)));
        gate.Dispose();
    }

    private async Task<LedgerEntry?> SendAsync(Submitter submitter, int number, TimeSpan due, CancellationToken cancel)
    {
        Interlocked.Increment(ref inFlight);
        try
        {
            var entry = await submitter.SendAsync(number, due, cancel);
            // Evenly among the requests, without dice.
            if (entry is not null && Math.Floor((number + 1) * settings.Repeat) > Math.Floor(number * settings.Repeat))
                await submitter.RepeatAsync(number, cancel);
            return entry;
        }
        finally
        {
            Interlocked.Decrement(ref inFlight);
        }
    }

    private async Task AwaitAnswerAsync(LedgerEntry entry, CancellationToken cancel)
    {
        while (!entry.IsSettled)
        {
            await reader.FollowAsync(entry, cancel);
            if (entry.IsSettled)
                return;
            await reader.LookAsync(entry, cancel);
            if (!entry.IsSettled)
                await clock.DelayAsync(Look, cancel);
        }
    }

    /// <summary>A service that neither takes nor ends anything although it should is given up.</summary>
    private async Task GiveUpWhenNothingMovesAsync(CancellationTokenSource over, CancellationToken done)
    {
        try
        {
            var seen = -1;
            var since = clock.Now;
            while (true)
            {
                await clock.DelayAsync(Look, done);
                var now = ledger.AcceptedCount + ledger.SettledCount;
                if (now != seen || (ledger.OpenCount == 0 && Volatile.Read(ref inFlight) == 0 && now < settings.Jobs * 2))
                    (seen, since) = (now, clock.Now);
                else if (clock.Now - since > settings.Timeout)
                    await over.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The run is over.
        }
    }
}
