using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

/// <summary>Workers that are nothing but names, as a cloud would have them: no line to them, and some start later than others.</summary>
internal sealed class MemoryLauncher(TimeProvider time) : IWorkerLauncher
{
    private readonly Dictionary<string, long> workers = new(StringComparer.Ordinal);
    private int started;

    public Action<WorkerExit>? Exited { get; set; }

    /// <summary>So many there may be.</summary>
    public int Capacity { get; set; } = int.MaxValue;

    /// <summary>Thrown by the next call that starts or stops one.</summary>
    public Exception? NextFault { get; set; }

    /// <summary>False for a cloud that does not tell when one ends.</summary>
    public bool Reports { get; set; } = true;

    public bool IsShared { get; set; }

    public int Started => started;

    /// <summary>The names of those that were stopped.</summary>
    public List<string> Stopped { get; } = [];

    public IReadOnlyCollection<string> Names => workers.Keys;

    public TaskCompletionSource FirstStart { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<LaunchedWorker>>([.. workers.Select(w => new LaunchedWorker(w.Key, time.GetElapsedTime(w.Value)))]);

    public Task<int> StartAsync(int count, CancellationToken cancel)
    {
        Fail();
        var begun = Math.Max(0, Math.Min(count, Capacity - workers.Count));
        for (var i = 0; i < begun; i++)
            workers.Add($"w{++started}", time.GetTimestamp());
        if (begun > 0)
            FirstStart.TrySetResult();
        return Task.FromResult(begun);
    }

    public Task StopAsync(string worker, CancellationToken cancel)
    {
        Fail();
        if (!workers.ContainsKey(worker))
            return Task.CompletedTask;
        Stopped.Add(worker);
        End(worker, 137);
        return Task.CompletedTask;
    }

    /// <summary>A worker ends by itself.</summary>
    public void End(string worker, int status)
    {
        if (Reports)
            Exited?.Invoke(new WorkerExit(worker, status, []));
        workers.Remove(worker);
    }

    private void Fail()
    {
        var fault = NextFault;
        NextFault = null;
        if (fault is not null)
            throw fault;
    }
}
