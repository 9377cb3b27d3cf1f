namespace Spotter.Backends.Aws;

/// <summary>
/// Until when a list need not be asked again, as far as this process knows: asking costs money, and whoever reads a list does so
/// every second. What is learned from an answer counts only if nothing changed since it was asked for.
/// </summary>
internal sealed class QuietTimes
{
    // With nothing heard it is looked this often: other gateways may have added something.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private readonly Dictionary<string, DateTimeOffset> until = new(StringComparer.Ordinal);
    private long changes;

    /// <summary>Whether a list need not be asked now; if it is, <paramref name="asOf"/> belongs to the answer.</summary>
    public bool IsQuiet(string list, DateTimeOffset now, out long asOf)
    {
        lock (gate)
        {
            asOf = changes;
            return until.TryGetValue(list, out var time) && now < time;
        }
    }

    /// <summary>Nothing is due now.</summary>
    /// <param name="list">In which list.</param>
    /// <param name="now">The time.</param>
    /// <param name="next">When something will be; null when there is nothing.</param>
    /// <param name="asOf">From <see cref="IsQuiet"/>, before the list was asked.</param>
    public void Rest(string list, DateTimeOffset now, DateTimeOffset? next, long asOf)
    {
        lock (gate)
        {
            if (changes == asOf)
                until[list] = next is { } due && due < now + Look ? due : now + Look;
        }
    }

    /// <summary>Something changed, after it was written.</summary>
    public void Reset()
    {
        lock (gate)
        {
            changes++;
            until.Clear();
        }
    }
}
