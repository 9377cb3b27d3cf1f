namespace Spotter.Backends.Local;

/// <summary>
/// Flushes one folder for all who have given files a name in it (group commit): those who come while a flush runs share
/// the next one.
/// </summary>
/// <param name="disk">Where it waits for the disk.</param>
/// <param name="sync">Flushes the folder.</param>
internal sealed class FolderSync(DiskThreads disk, Action sync)
{
    private readonly Lock gate = new();
    private TaskCompletionSource? next;
    private bool isRunning;

    /// <summary>
    /// Completes once names that were there before the call would survive a power cut. Called on a thread of the disk's, which does it
    /// itself when nobody else does: handing it to another one would cost a switch of threads.
    /// </summary>
    public Task Sync()
    {
        Task mine;
        lock (gate)
        {
            mine = (next ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            if (isRunning)
                return mine;
            isRunning = true;
        }
        RunNext();
        return mine;
    }

    private void RunNext()
    {
        TaskCompletionSource now;
        lock (gate)
        {
            // Too late for whoever comes from now on.
            (now, next) = (next!, null);
        }
        try
        {
            sync();
            now.SetResult();
        }
        catch (Exception e)
        {
            now.SetException(e);
        }
        lock (gate)
        {
            isRunning = next is not null;
            if (!isRunning)
                return;
        }
        // Behind those who are about to give files a name, so that they share it; and this thread's own caller waits no longer.
        if (!disk.TryPost(RunNext))
            RunNext();
    }
}
