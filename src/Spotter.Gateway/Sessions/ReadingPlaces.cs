namespace Spotter.Gateway.Sessions;

/// <summary>Places for whoever reads the document of a session: each may be as long as what is let in, and is copied on its way.</summary>
internal static class ReadingPlaces
{
    private const int Most = 4;

    private static readonly SemaphoreSlim Places = new(Most);

    /// <summary>Waits for a place; dispose of it afterwards.</summary>
    public static async Task<IDisposable> EnterAsync(CancellationToken cancel)
    {
        await Places.WaitAsync(cancel);
        return new Place();
    }

    private sealed class Place : IDisposable
    {
        private int isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isLeft, 1) == 0)
                Places.Release();
        }
    }
}
