namespace Spotter.Backends;

/// <summary>Those who are to be woken when something happens; they return at once and never throw.</summary>
internal sealed class WakeList
{
    private readonly Lock gate = new();
    private volatile Registration[] registrations = [];

    /// <summary>Adds one, until the answer is disposed of.</summary>
    public IDisposable Add(Action wake)
    {
        var registration = new Registration(this, wake);
        lock (gate)
            registrations = [.. registrations, registration];
        return registration;
    }

    /// <summary>Wakes them.</summary>
    public void Wake()
    {
        foreach (var registration in registrations)
            registration.Wake();
    }

    private sealed class Registration(WakeList list, Action wake) : IDisposable
    {
        public void Wake() => wake();

        public void Dispose()
        {
            lock (list.gate)
                list.registrations = [.. list.registrations.Where(r => r != this)];
        }
    }
}
