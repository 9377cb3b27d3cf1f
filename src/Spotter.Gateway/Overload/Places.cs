namespace Spotter.Gateway.Overload;

/// <summary>
/// Who may hold on to a connection while nothing is moved: few enough that there are always connections for workers, and
/// for those who ask something quick.
/// </summary>
internal sealed class LongRequests(GatewaySettings settings)
{
    /// <summary>Event streams.</summary>
    public Places Streams { get; } = new(settings.MaxStreams);

    /// <summary>Requests that wait for a result.</summary>
    public Places Waits { get; } = new(settings.MaxWaits);

    /// <summary>Requests that wait for a drawing.</summary>
    public Places Drawings { get; } = new(settings.MaxDrawings);
}

/// <summary>A bounded number of places that are free or not: nobody waits for one.</summary>
/// <param name="most">How many there are.</param>
internal sealed class Places(int most)
{
    private int used;

    /// <summary>Takes a place, to be disposed of when it is left; null when all are taken.</summary>
    public IDisposable? TryEnter()
    {
        if (Interlocked.Increment(ref used) <= most)
            return new Place(this);
        Interlocked.Decrement(ref used);
        return null;
    }

    private sealed class Place(Places owner) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0)
                Interlocked.Decrement(ref owner.used);
        }
    }
}
