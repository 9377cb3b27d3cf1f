using Spotter.Scaling;

namespace Spotter.Examples.Launchers;

/// <summary>Workers as tasks of this process: for a test, or for a program that has Spotter inside.</summary>
/// <param name="work">What a worker of this name does until it is stopped; its exit status.</param>
/// <param name="time">The clock.</param>
internal sealed class TaskLauncher(Func<string, CancellationToken, Task<int>> work, TimeProvider time) : IWorkerLauncher
{
    private const int Killed = 128 + 9;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Running> workers = new(StringComparer.Ordinal);
    private int started;

    public Action<WorkerExit>? Exited { get; set; }

    /// <summary>No more than this many run at once.</summary>
    public int Capacity { get; set; } = 16;

    public Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel)
    {
        lock (gate)
            return Task.FromResult<IReadOnlyList<LaunchedWorker>>([.. workers.Select(w => new LaunchedWorker(w.Key, time.GetElapsedTime(w.Value.Since)))]);
    }

    public Task<int> StartAsync(int count, CancellationToken cancel)
    {
        lock (gate)
        {
            var begun = Math.Clamp(Capacity - workers.Count, 0, count);
            for (var i = 0; i < begun; i++)
            {
                // Never a name that was there before: the controller knows workers by their names.
                var (name, running) = ($"task{++started}", new Running(time.GetTimestamp(), new CancellationTokenSource()));
                workers.Add(name, running);
                _ = Task.Run(() => RunAsync(name, running), CancellationToken.None);
            }
            return Task.FromResult(begun);
        }
    }

    public async Task StopAsync(string worker, CancellationToken cancel)
    {
        Running? running;
        lock (gate)
            running = workers.GetValueOrDefault(worker);
        if (running is not null)
            await running.Stop.CancelAsync();
    }

    private async Task RunAsync(string name, Running running)
    {
        int status;
        try
        {
            status = await work(name, running.Stop.Token);
        }
        catch (OperationCanceledException) when (running.Stop.IsCancellationRequested)
        {
            status = Killed;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            status = 1;
        }
        // First of all: whoever is missing from the list has been reported.
        Exited?.Invoke(new WorkerExit(name, status, []));
        lock (gate)
            workers.Remove(name);
    }

    // A source without a timer holds nothing to dispose of.
    private sealed record Running(long Since, CancellationTokenSource Stop);
}
