using Spotter.Core;

namespace Spotter.Backends.Local;

/// <summary>
/// The threads that wait for the disk, so that those of the pool never do: while a disk is slow, or hangs, everybody who
/// does not need it is still answered.
/// </summary>
internal sealed class DiskThreads : IDisposable
{
    // Flushes that run side by side share the file system's journal; with more of them each only takes longer.
    private const int Threads = 8;

    private const int MostWaiting = 256;

    private readonly BlockingQueue<Action> work = new();
    private readonly SemaphoreSlim room = new(MostWaiting);

    /// <summary>Starts the threads.</summary>
    public DiskThreads()
    {
        for (var i = 0; i < Threads; i++)
            new Thread(Loop) { IsBackground = true, Name = "disk" }.Start();
    }

    /// <summary>
    /// Runs <paramref name="action"/> on one of the threads, in the order of the calls, and waits for what is left to others then. Once it
    /// is in line it can't be cancelled.
    /// </summary>
    public async Task RunAsync(Func<Task> action, CancellationToken cancel)
    {
        await room.WaitAsync(cancel);
        var done = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!work.TryAdd(() => Run(action, done)))
        {
            room.Release();
            throw new SpotterException(ErrorCodes.StoreUnavailable, "The blob store is being closed; try again once the service is back.");
        }
        await await done.Task;
    }

    /// <summary>Puts <paramref name="action"/>, which throws nothing, in line; false once nothing more is taken.</summary>
    public bool TryPost(Action action) => work.TryAdd(action);

    /// <summary>Does what waits, and takes nothing more. Not waited for: a disk that hangs must not keep the process from ending.</summary>
    public void Dispose() => work.Complete();

    private void Loop()
    {
        while (work.Take(out var action))
            action();
    }

    private void Run(Func<Task> action, TaskCompletionSource<Task> done)
    {
        try
        {
            done.SetResult(action());
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
        finally
        {
            room.Release();
        }
    }
}
