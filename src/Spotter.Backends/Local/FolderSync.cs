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
    private Task running = Task.CompletedTask;
    private Task? next;

    /// <summary>Returns once names that were there before the call would survive a power cut.</summary>
    public Task SyncAsync()
    {
        lock (gate)
            return next ??= SyncAfterAsync(running);
    }

    private async Task SyncAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await disk.RunAsync(
            () =>
            {
                // Too late for whoever comes from now on.
                lock (gate)
                    (running, next) = (next!, null);
                sync();
            },
            CancellationToken.None);
    }
}
