namespace Spotter.Core.Scaling;

/// <summary>The latest decisions that changed something, or changed their mind, for whoever asks why.</summary>
public sealed class DecisionLog
{
    private const int Kept = 200;

    private readonly Lock gate = new();
    private readonly LinkedList<LoggedDecision> entries = [];

    /// <summary>The latest target; 0 before the first decision.</summary>
    public int Target { get; private set; }

    /// <summary>Notes a decision; false, and not kept, when it says the same as the one before.</summary>
    public bool Add(DateTimeOffset time, ScaleDecision decision)
    {
        lock (gate)
        {
            Target = decision.Target;
            var latest = entries.First?.Value.Decision;
            if (latest is not null && latest.Reason == decision.Reason && latest.Target == decision.Target)
                return false;
            entries.AddFirst(new LoggedDecision(time, decision));
            if (entries.Count > Kept)
                entries.RemoveLast();
            return true;
        }
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<LoggedDecision> Latest()
    {
        lock (gate)
            return [.. entries];
    }
}

/// <summary>A decision and when it was taken.</summary>
/// <param name="Time">When.</param>
/// <param name="Decision">What was decided.</param>
public sealed record LoggedDecision(DateTimeOffset Time, ScaleDecision Decision);
