using System.Diagnostics;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The one thread that writes the file. All work that waits goes into one transaction and so shares one fsync
/// (group commit); work that may get lost is answered before that fsync. Those who listen are told on this thread.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    /// <summary>Units of work that may wait; further callers wait for room.</summary>
    private const int Backlog = 8192;

    /// <summary>Units of work in one transaction, so that none waits long for the others of its group.</summary>
    private const int LargestGroup = 2048;

    /// <summary>Pages in the log (of 4 KiB) from which on it is copied into the file.</summary>
    private const int CheckpointPages = 4000;

    /// <summary>When readers were in the way of a checkpoint, the next try comes this many pages later.</summary>
    private const int CheckpointAgainPages = 500;

    /// <summary>A transaction whose work is all answered waits this long for work that needs the fsync anyway.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(20);

    /// <summary>And no longer than this in all.</summary>
    private static readonly TimeSpan LongestLinger = TimeSpan.FromMilliseconds(200);

    private readonly SqliteConnection connection;
    private readonly WriteScope scope;
    private readonly BlockingQueue<WriteWork> work = new();
    private readonly SemaphoreSlim room = new(Backlog);
    private readonly TaskCompletionSource<Exception> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread thread;
    private Action<IReadOnlyList<JobChange>>? committed;
    private Action<SqliteConnection>? lookAfterCommit;
    private int pagesInLog;
    private volatile SpotterException? refusal;

    /// <summary>Begins to work. No other thread may use the connection until it has stopped.</summary>
    public SqliteWriter(SqliteConnection connection)
    {
        this.connection = connection;
        scope = new WriteScope(connection);
        thread = new Thread(Loop) { IsBackground = true, Name = "SQLite writer" };
        thread.Start();
    }

    /// <summary>Completes, with the reason, when the file can't be written any more.</summary>
    public Task<Exception> Failed => failed.Task;

    /// <summary>Tells <paramref name="listener"/> after each commit what it changed.</summary>
    public void WhenCommitted(Action<IReadOnlyList<JobChange>> listener) => committed += listener;

    /// <summary>Lets <paramref name="listener"/> read the file after each commit that changed jobs; it throws nothing.</summary>
    public void LookAfterCommit(Action<SqliteConnection> listener) => lookAfterCommit += listener;

    /// <summary>Puts a unit of work in line; it runs after all that were sent before.</summary>
    public async ValueTask SendAsync(WriteWork unit, CancellationToken cancel)
    {
        if (!room.Wait(0, CancellationToken.None))
            await room.WaitAsync(cancel);
        if (!work.TryAdd(unit))
        {
            room.Release();
            throw refusal ?? Closing();
        }
    }

    /// <summary>Does what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        work.Complete();
        await Task.Run(thread.Join);
        // Not the semaphore: whoever comes later still hears from it that it is closed.
    }

    /// <summary>What callers hear who come too late.</summary>
    public static SpotterException Closing() =>
        new(ErrorCodes.StoreUnavailable, "The job store is being closed; try again once the service is back.");

    private void Loop()
    {
        while (work.Wait(Timeout.InfiniteTimeSpan))
            RunTransaction(new Arrivals(this));
    }

    private void RunTransaction(IUnits units)
    {
        if (!TryBegin(units))
            return;
        var group = new List<WriteWork>();
        var somebodyWaits = false;
        try
        {
            while (units.Next(somebodyWaits) is { } unit)
            {
                if (unit.DropIfCancelled())
                    continue;
                group.Add(unit);
                unit.Run(scope);
                if (unit.AnswersEarly)
                    unit.Answer();
                else
                    somebodyWaits = true;
            }
            Commit();
        }
        catch (Exception fault) when (fault is SqliteFault || connection.InTransaction)
        {
            TakeBack(fault);
            RunAgain(group, fault);
            return;
        }
        foreach (var unit in group)
            unit.Answer();
        CheckpointIfDue();
    }

    private bool TryBegin(IUnits units)
    {
        if (refusal is null)
        {
            try
            {
                connection.Execute("BEGIN IMMEDIATE");
                return true;
            }
            catch (SqliteFault fault)
            {
                StopIfFatal(fault);
                FailAll(units, fault.ToRefusal());
                return false;
            }
        }
        FailAll(units, refusal);
        return false;
    }

    private static void FailAll(IUnits units, SpotterException error)
    {
        while (units.Next(somebodyWaits: true) is { } unit)
            unit.Fail(error);
    }

    private void Commit()
    {
        scope.WriteTallies();
        if (scope.HasChanged)
            Failpoint.At("group-run");
        connection.Execute("COMMIT");
        var changed = scope.TakeChanged();
        if (changed.Count == 0)
            return;
        Failpoint.At("group-committed");
        committed?.Invoke(changed);
        lookAfterCommit?.Invoke(connection);
    }

    private void TakeBack(Exception fault)
    {
        scope.Forget();
        if (fault is SqliteFault sqlite)
            StopIfFatal(sqlite);
        try
        {
            if (connection.InTransaction)
                connection.Execute("ROLLBACK");
        }
        catch (SqliteFault second)
        {
            // A transaction that can be neither finished nor taken back leaves nothing to go on with.
            Stop(second);
        }
    }

    /// <summary>
    /// Tries the units of a lost transaction in smaller ones, so that a unit which can't succeed fails alone. That hardly
    /// ever happens: savepoints, which would spare the others, would cost each unit copies of all pages that it changes.
    /// </summary>
    private void RunAgain(List<WriteWork> units, Exception fault)
    {
        if (units.Count > 1 && refusal is null)
        {
            var half = units.Count / 2;
            RunTransaction(new Listed(units[..half]));
            RunTransaction(new Listed(units[half..]));
            return;
        }
        foreach (var unit in units)
            unit.Fail(fault is SqliteFault sqlite ? sqlite.ToRefusal() : fault);
    }

    /// <summary>
    /// Copies the log into the file. Not left to SQLite's own automatism, which hides a failed fsync and would
    /// try it again, with success and without the data.
    /// </summary>
    private void CheckpointIfDue()
    {
        try
        {
            pagesInLog += connection.TakePagesWritten();
            if (pagesInLog >= CheckpointPages)
                pagesInLog = connection.Checkpoint() ? 0 : CheckpointPages - CheckpointAgainPages;
        }
        catch (SqliteFault fault)
        {
            // A full disk: the log keeps what it has until there is room.
            pagesInLog = CheckpointPages - CheckpointAgainPages;
            StopIfFatal(fault);
        }
    }

    private void StopIfFatal(SqliteFault fault)
    {
        if (fault.IsFatal)
            Stop(fault);
    }

    private void Stop(SqliteFault fault)
    {
        refusal ??= new SpotterException(
            ErrorCodes.StoreUnavailable, $"The job store has failed and takes nothing more ({fault.Message}); restart the service once its disk is well.", fault);
        connection.LeaveLogOnClose();
        work.Complete();
        failed.TrySetResult(fault);
    }

    /// <summary>Where the units of a transaction come from.</summary>
    private interface IUnits
    {
        /// <summary>The next one; null when the transaction should end.</summary>
        WriteWork? Next(bool somebodyWaits);
    }

    private sealed class Listed(IReadOnlyList<WriteWork> units) : IUnits
    {
        private int next;

        public WriteWork? Next(bool somebodyWaits) => next < units.Count ? units[next++] : null;
    }

    private sealed class Arrivals(SqliteWriter writer) : IUnits
    {
        private readonly long begun = Stopwatch.GetTimestamp();
        private int count;

        public WriteWork? Next(bool somebodyWaits)
        {
            while (count < LargestGroup)
            {
                if (writer.work.TryTake(out var unit))
                {
                    writer.room.Release();
                    count++;
                    return unit;
                }
                if (somebodyWaits || Stopwatch.GetElapsedTime(begun) > LongestLinger || !writer.work.Wait(Linger))
                    return null;
            }
            return null;
        }
    }
}
