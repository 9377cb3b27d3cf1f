using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Fleets.Processes;

/// <summary>
/// Workers as child processes. A child is told to drain, or to stay after all, by a line on its standard input, and ends at
/// once when that is closed, so no child outlives a gateway that was killed; one that does is ended at the next start.
/// </summary>
/// <param name="command">How to start a worker; asked at each start.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Makes names unlike those of earlier workers.</param>
/// <param name="log">Told of what can't be started.</param>
/// <param name="breadcrumbs">Where workers say what they do; null when they don't.</param>
public sealed partial class ProcessLauncher(
    Func<WorkerCommand> command, TimeProvider time, RandomSource random, ILogger<ProcessLauncher> log, CrashBreadcrumbs? breadcrumbs = null)
    : IWorkerLauncher, IWorkerLine, IAsyncDisposable
{
    private static readonly TimeSpan LongestOrphanEnd = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Child> children = new(StringComparer.Ordinal);
    private readonly ChildLedger? ledger;
    private int started;

    /// <inheritdoc/>
    public Action<WorkerExit>? Exited { get; set; }

    /// <summary>What all names begin with, where those of other gateways must not be taken for this one's.</summary>
    public string NamePrefix { get; init; } = "";

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
                    LogOrphan(name);
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
    public Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel)
    {
        lock (gate)
            return Task.FromResult<IReadOnlyList<LaunchedWorker>>([.. children.Values.Select(c => new LaunchedWorker(c.Name, time.GetElapsedTime(c.StartedAt)))]);
    }

    /// <inheritdoc/>
    public Task<int> StartAsync(int count, CancellationToken cancel)
    {
        lock (gate)
        {
            var begun = 0;
            while (begun < count && Start())
                begun++;
            if (begun > 0)
                NoteChildren();
            return Task.FromResult(begun);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(string worker, CancellationToken cancel)
    {
        if (Find(worker) is { } child)
            Kill(child);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Drain(string worker, int? order) =>
        Tell(Find(worker), order is { } number ? string.Create(CultureInfo.InvariantCulture, $"drain {number}") : "drain");

    /// <inheritdoc/>
    public void Stay(string worker, int order) => Tell(Find(worker), string.Create(CultureInfo.InvariantCulture, $"stay {order}"));

    /// <inheritdoc/>
    public void TellAll(string line)
    {
        foreach (var child in All())
            Tell(child, line);
    }

    /// <summary>Kills all children that are left.</summary>
    public async ValueTask DisposeAsync()
    {
        var left = All();
        foreach (var child in left)
            Kill(child);
        await Task.WhenAll(left.Select(c => c.Ended.Task));
    }

    private List<Child> All()
    {
        lock (gate)
            return [.. children.Values];
    }

    private Child? Find(string worker)
    {
        lock (gate)
            return children.GetValueOrDefault(worker);
    }

    private void NoteChildren() => ledger?.Write(children.Values.Select(c => (c.Name, c.Process)));

    private bool Start()
    {
        var name = $"{NamePrefix}w{++started}-{random.NextHex(3)}";
        var how = command();
        var start = new ProcessStartInfo(how.Program) { RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in how.Arguments)
            start.ArgumentList.Add(argument);
        start.ArgumentList.Add("--name");
        start.ArgumentList.Add(name);
        start.Environment.Clear();
        foreach (var (key, value) in how.Environment)
            start.Environment[key] = value;
        var trail = breadcrumbs?.Make();
        if (trail is not null)
            start.Environment[breadcrumbs!.Variable] = trail;

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new Child(name, process, time.GetTimestamp(), trail);
        process.Exited += (_, _) => End(child);
        children[name] = child;
        try
        {
            process.Start();
            foreach (var line in how.Input)
                Tell(child, line);
            return true;
        }
        catch (Win32Exception failed)
        {
            children.Remove(name);
            process.Dispose();
            CrashBreadcrumbs.Take(trail);
            LogNotStarted(failed, how.Program);
            return false;
        }
    }

    private void End(Child child)
    {
        // First of all: whoever is missing from the list has been reported.
        Exited?.Invoke(new WorkerExit(child.Name, child.Process.ExitCode, CrashBreadcrumbs.Take(child.Trail)));
        lock (gate)
        {
            children.Remove(child.Name);
            NoteChildren();
        }
        child.Process.Dispose();
        child.Ended.TrySetResult();
    }

    private static void Tell(Child? child, string line)
    {
        if (child is null)
            return;
        try
        {
            // Orders come from several threads; a line must not end up inside another.
            lock (child.Line)
            {
                child.Process.StandardInput.WriteLine(line);
                child.Process.StandardInput.Flush();
            }
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
            child.Process.Kill();
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} was still there from an earlier service, and was ended")]
    private partial void LogOrphan(string worker);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Program} can't be started as a worker")]
    private partial void LogNotStarted(Exception exception, string program);

    private sealed class Child(string name, Process process, long startedAt, string? trail)
    {
        public string Name { get; } = name;

        public Process Process { get; } = process;

        public long StartedAt { get; } = startedAt;

        /// <summary>The file of its breadcrumbs; null when there are none.</summary>
        public string? Trail { get; } = trail;

        public Lock Line { get; } = new();

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
