using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Fleets.Processes;

/// <summary>How to start a worker process.</summary>
/// <param name="Program">The program.</param>
/// <param name="Arguments">Its arguments; the fleet adds <c>--name NAME</c>.</param>
/// <param name="Environment">Variables to set: what must not be seen in a process list.</param>
public sealed record WorkerCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);

/// <summary>How a worker process ended.</summary>
/// <param name="Worker">Its name.</param>
/// <param name="Status">Its exit status; 128 and the number of the signal that ended it.</param>
/// <param name="Board">What its threads were doing then, one byte for each; empty when that is not known.</param>
public sealed record WorkerExit(string Worker, int Status, IReadOnlyList<byte> Board)
{
    // Illegal instruction, abort, bus error (two numbers), arithmetic, memory.
    private static readonly int[] Crashes = [4, 6, 7, 8, 10, 11];

    /// <summary>True when the process itself did something that no process may do.</summary>
    public bool IsCrash => Crashes.Contains(Status - 128);
}

/// <summary>Names the file in which a worker process says what its threads do, which is still there when it is not.</summary>
/// <param name="Variable">The variable that tells the process the file's path.</param>
/// <param name="Bytes">The file's length.</param>
public sealed record CrashBreadcrumbs(string Variable, int Bytes);

/// <summary>
/// Workers as child processes. A child is told to drain, or to stay after all, by a line on its standard input, and ends at
/// once when that is closed, so no child outlives a gateway that was killed; one that does is ended at the next start. One
/// that dies is reported, and new ones wait the longer, the more have died within the last minute. One that does not join,
/// or has left and does not end, is killed.
/// </summary>
public sealed partial class ProcessFleet : IFleet, IAsyncDisposable
{
    private static readonly TimeSpan FirstLongestBoot = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LastLongestBoot = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestOrphanEnd = TimeSpan.FromSeconds(5);
    private const int FreeDeaths = 1;
    private static readonly TimeSpan CrashWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    private readonly Func<WorkerCommand> command;
    private readonly WorkerRoster roster;
    private readonly Func<WorkerExit, Task> onExit;
    private readonly CrashBreadcrumbs? board;
    private readonly ChildLedger? ledger;
    private readonly TimeProvider time;
    private readonly RandomSource random;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Child> children = new(StringComparer.Ordinal);
    private readonly Queue<long> deaths = new();
    private TimeSpan longestBoot = FirstLongestBoot;
    private long quietUntil;
    private int launched;
    private long crashes;
    private int failedBoots;

    /// <summary>Creates an empty fleet.</summary>
    /// <param name="command">How to start a worker; asked at each launch.</param>
    /// <param name="roster">The workers that have joined.</param>
    /// <param name="onExit">Told when a worker has ended, and how: its leases can be taken.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Makes names unlike those of earlier workers.</param>
    /// <param name="log">Told of crashes.</param>
    /// <param name="board">Where workers say what they do; null when they don't.</param>
    public ProcessFleet(
        Func<WorkerCommand> command, WorkerRoster roster, Func<WorkerExit, Task> onExit, TimeProvider time, RandomSource random, ILogger<ProcessFleet> log,
        CrashBreadcrumbs? board = null)
    {
        this.board = board;
        this.command = command;
        this.roster = roster;
        this.onExit = onExit;
        this.time = time;
        this.random = random;
        this.log = log;
    }

    /// <summary>What all names begin with, where those of other fleets must not be taken for this one's.</summary>
    public string NamePrefix { get; init; } = "";

    /// <summary>Told how long boots took; null when nobody wants to know.</summary>
    public ScaleMeter? Meter { get; init; }

    /// <summary>Where it is noted which processes there are, for <see cref="EndOrphans"/> after a crash; null for nowhere.</summary>
    public string? Ledger
    {
        get;
        init
        {
            field = value;
            ledger = value is null ? null : new ChildLedger(value);
        }
    }

    /// <inheritdoc/>
    public FleetHealth Health
    {
        get
        {
            lock (gate)
                return new FleetHealth(crashes, failedBoots);
        }
    }

    /// <summary>
    /// Ends the workers that an earlier service, which was killed, left behind. They end by themselves as their standard
    /// input is closed, unless they hang. Their names.
    /// </summary>
    public IReadOnlyList<string> EndOrphans()
    {
        var ended = new List<string>();
        foreach (var (name, process) in ledger?.Living() ?? [])
        {
            using (process)
            {
                try
                {
                    process.Kill();
                    process.WaitForExit(LongestOrphanEnd);
                    ended.Add(name);
                }
                catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
                {
                    // It has ended already.
                }
            }
        }
        return ended;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancel)
    {
        var workers = roster.List().ToDictionary(w => w.Id, StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var child in children.Values)
                workers[child.Name] = View(child, workers.GetValueOrDefault(child.Name));
        }
        return Task.FromResult<IReadOnlyList<WorkerView>>([.. workers.Values.OrderBy(w => w.Id, StringComparer.Ordinal)]);
    }

    /// <inheritdoc/>
    public Task<int> LaunchAsync(int count, CancellationToken cancel)
    {
        lock (gate)
        {
            var begun = 0;
            // The caller asks again at its next tick.
            while (begun < count && time.GetTimestamp() >= quietUntil && Launch())
                begun++;
            if (begun > 0)
                NoteChildren();
            return Task.FromResult(begun);
        }
    }

    /// <inheritdoc/>
    public Task DrainAsync(string worker, CancellationToken cancel)
    {
        lock (gate)
        {
            var child = children.GetValueOrDefault(worker);
            if (roster.IsDraining(worker))
                return Task.CompletedTask;
            if (roster.Drain(worker, drain: true) is { } order)
                Tell(child, $"drain {order}");
            else
                End(child);
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<bool> CancelDrainAsync(string worker, CancellationToken cancel)
    {
        lock (gate)
        {
            var child = children.GetValueOrDefault(worker);
            if (child?.EndingSince is not null || roster.Drain(worker, drain: false) is not { } order)
                return Task.FromResult(false);
            Tell(child, $"stay {order}");
        }
        return Task.FromResult(true);
    }

    /// <summary>Says a line to all children.</summary>
    public void TellAll(string line)
    {
        lock (gate)
        {
            foreach (var child in children.Values)
                Tell(child, line);
        }
    }

    /// <summary>Lets all children finish what they run; those still there after <paramref name="patience"/> are killed.</summary>
    public async Task DrainAllAsync(TimeSpan patience)
    {
        List<Child> all;
        lock (gate)
            all = [.. children.Values];
        foreach (var child in all)
        {
            roster.Drain(child.Name, drain: true);
            lock (gate)
                End(child);
        }
        try
        {
            await Task.WhenAll(all.Select(c => c.Ended.Task)).WaitAsync(patience, time);
        }
        catch (TimeoutException)
        {
            foreach (var child in all)
                Kill(child);
            await Task.WhenAll(all.Select(c => c.Ended.Task));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await DrainAllAsync(TimeSpan.Zero);

    /// <summary>What a child does, and an end to it if it has not done that in time.</summary>
    private WorkerView View(Child child, WorkerView? joined)
    {
        var age = time.GetElapsedTime(child.LaunchedAt);
        if (joined is not null)
        {
            if (!child.HasJoined)
                Joined(child, age - joined.Age);
            return child.EndingSince is { } since
                ? new(child.Name, WorkerState.Draining, age, time.GetElapsedTime(since))
                : joined with { Age = age };
        }
        if (child.HasJoined)
            child.EndingSince ??= time.GetTimestamp();
        if (child.EndingSince is { } ending)
        {
            var ended = time.GetElapsedTime(ending);
            if (ended > LongestFarewell)
                Kill(child);
            return new(child.Name, WorkerState.Draining, age, ended);
        }
        if (age > longestBoot && !child.IsKilled)
        {
            Kill(child);
            // What loads that long once may do so again, and is not to be killed for ever.
            longestBoot = longestBoot * 2 < LastLongestBoot ? longestBoot * 2 : LastLongestBoot;
        }
        return new(child.Name, WorkerState.Booting, age, age);
    }

    private void Joined(Child child, TimeSpan boot)
    {
        child.HasJoined = true;
        failedBoots = 0;
        Meter?.Booted(boot);
    }

    /// <summary>Tells a child to end for good, as one has to that has not joined: it knows no numbered orders yet.</summary>
    private void End(Child? child)
    {
        if (child is null)
            return;
        child.EndingSince ??= time.GetTimestamp();
        Tell(child, "drain");
    }

    private void NoteChildren() => ledger?.Write(children.Values.Select(c => (c.Name, c.Process)));

    private bool Launch()
    {
        var name = $"{NamePrefix}w{++launched}-{random.NextHex(3)}";
        var how = command();
        var start = new ProcessStartInfo(how.Program) { RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in how.Arguments)
            start.ArgumentList.Add(argument);
        start.ArgumentList.Add("--name");
        start.ArgumentList.Add(name);
        foreach (var (key, value) in how.Environment)
            start.Environment[key] = value;
        var boardFile = board is null ? null : MakeBoard(board);
        if (boardFile is not null)
            start.Environment[board!.Variable] = boardFile;

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new Child(name, process, time.GetTimestamp(), boardFile);
        process.Exited += (_, _) => _ = EndedAsync(child);
        children[name] = child;
        try
        {
            process.Start();
            return true;
        }
        catch (Win32Exception failed)
        {
            children.Remove(name);
            process.Dispose();
            TakeBoard(boardFile);
            LogNotStarted(failed, how.Program);
            failedBoots++;
            BackOff(freeDeaths: 0);
            return false;
        }
    }

    private async Task EndedAsync(Child child)
    {
        var status = child.Process.ExitCode;
        lock (gate)
        {
            children.Remove(child.Name);
            Judge(child, status);
            NoteChildren();
        }
        roster.Leave(child.Name);
        if (status != 0)
            LogDied(child.Name, status);
        try
        {
            await onExit(new WorkerExit(child.Name, status, TakeBoard(child.Board)));
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // Its leases run out instead.
            LogNotReleased(failed, child.Name);
        }
        finally
        {
            child.Ended.TrySetResult();
            child.Process.Dispose();
        }
    }

    /// <summary>Who is to blame for an end that nobody ordered.</summary>
    private void Judge(Child child, int status)
    {
        if (child.HasJoined || roster.Has(child.Name))
            crashes += status != 0 && !roster.RunsAlone(child.Name) ? 1 : 0;
        else if (child.EndingSince is null)
            failedBoots++;
        if (status != 0)
            BackOff(FreeDeaths);
    }

    private static string? MakeBoard(CrashBreadcrumbs board)
    {
        try
        {
            var path = Path.GetTempFileName();
            File.WriteAllBytes(path, new byte[board.Bytes]);
            return path;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            // Then nobody knows what a worker did when it died.
            return null;
        }
    }

    /// <summary>Reads what is on a board, and throws it away.</summary>
    private static byte[] TakeBoard(string? path)
    {
        if (path is null)
            return [];
        try
        {
            var said = File.ReadAllBytes(path);
            File.Delete(path);
            return said;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Each death in a minute doubles the wait, but for the first, which cost none.</summary>
    private void BackOff(int freeDeaths)
    {
        var now = time.GetTimestamp();
        while (deaths.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) > CrashWindow)
            deaths.Dequeue();
        deaths.Enqueue(now);
        if (deaths.Count <= freeDeaths)
            return;
        var wait = FirstBackoff * Math.Pow(2, Math.Min(deaths.Count - freeDeaths - 1, 20));
        if (wait > LongestBackoff)
            wait = LongestBackoff;
        quietUntil = now + (long)(wait.TotalSeconds * time.TimestampFrequency);
    }

    private static void Tell(Child? child, string line)
    {
        try
        {
            child?.Process.StandardInput.WriteLine(line);
            child?.Process.StandardInput.Flush();
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            // It has ended already.
        }
    }

    private static void Kill(Child child)
    {
        try
        {
            child.IsKilled = true;
            child.Process.Kill();
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} ended with status {Status}; its jobs go back into their queues")]
    private partial void LogDied(string worker, int status);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Program} can't be started as a worker")]
    private partial void LogNotStarted(Exception exception, string program);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The leases of {Worker} could not be taken back; they run out by themselves")]
    private partial void LogNotReleased(Exception exception, string worker);

    private sealed class Child(string name, Process process, long launchedAt, string? board)
    {
        public string? Board { get; } = board;

        public string Name { get; } = name;

        public Process Process { get; } = process;

        public long LaunchedAt { get; } = launchedAt;

        public bool HasJoined { get; set; }

        public bool IsKilled { get; set; }

        /// <summary>Since when it is to end and can't be kept; null while it may go on.</summary>
        public long? EndingSince { get; set; }

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
