namespace Spotter.Jobs;

/// <summary>A place among the uploads that are worked on at one time. It is others' while nothing comes.</summary>
/// <param name="places">Where it was taken.</param>
public sealed class UploadPlace(SemaphoreSlim places) : IDisposable
{
    private bool isLeft;

    /// <summary>Waits for the next bytes with the place given up, and takes one again.</summary>
    /// <param name="next">Completes when they are there.</param>
    /// <param name="cancel">Ends the wait for the place.</param>
    public async ValueTask<T> AwaitAsync<T>(ValueTask<T> next, CancellationToken cancel)
    {
        if (next.IsCompleted)
            return await next;
        Dispose();
        var value = await next;
        await places.WaitAsync(cancel);
        isLeft = false;
        return value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isLeft)
            return;
        isLeft = true;
        places.Release();
    }
}
