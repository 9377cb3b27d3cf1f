namespace Spotter.Cli.Watch;

/// <summary>
/// How something stands that may go away and come back: a camera, the service, a broker. It is said once when it has gone, whatever
/// the number of attempts, and once when it is back.
/// </summary>
/// <param name="name">What it is called in sentences, as <c>the camera http://10.0.0.5/</c>; without any password.</param>
/// <param name="backoff">How long to wait between attempts.</param>
/// <param name="say">Takes the sentences.</param>
/// <param name="time">The clock.</param>
internal sealed class Connection(string name, Backoff backoff, Action<string> say, TimeProvider time)
{
    private volatile bool isAway;
    private volatile bool hasWorked;

    /// <summary>What it is called in sentences.</summary>
    public string Name => name;

    /// <summary>True from the failure that was said until it is back.</summary>
    public bool IsAway => isAway;

    /// <summary>True once it has worked. Until then a refusal is a mistake of whoever started this; later it will pass.</summary>
    public bool HasWorked => hasWorked;

    /// <summary>Called when it has gone and when it is back.</summary>
    public Action? OnChange { get; set; }

    /// <summary>Notes that it works.</summary>
    public void Works()
    {
        hasWorked = true;
        backoff.Reset();
        if (!isAway)
            return;
        isAway = false;
        say($"{name} is back.");
        OnChange?.Invoke();
    }

    /// <summary>Notes that it does not work, and waits until it is worth another attempt.</summary>
    /// <param name="why">Why, in a few words.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="atLeast">What it asks to wait itself.</param>
    public Task FailedAsync(string why, CancellationToken cancel, TimeSpan atLeast = default)
    {
        if (!isAway)
        {
            isAway = true;
            say($"{name} can't be used ({why}); it is tried again until it can.");
            OnChange?.Invoke();
        }
        var wait = backoff.Next();
        return Task.Delay(wait > atLeast ? wait : atLeast, time, cancel);
    }
}
