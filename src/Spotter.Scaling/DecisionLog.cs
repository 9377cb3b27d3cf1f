namespace Spotter.Scaling;

/// <summary>
/// The latest decisions that did something, or changed their mind, for whoever asks why. Safe to use from many threads.
/// </summary>
/// <param name="earlier">Those of before the start, oldest first; null for none.</param>
/// <param name="keep">Told of each decision that is noted, so that it outlives the process; null when none does.</param>
public sealed class DecisionLog(IReadOnlyList<LoggedDecision>? earlier = null, Action<LoggedDecision>? keep = null)
{
    /// <summary>So many are there to be read; the oldest go first.</summary>
    public const int Kept = 10_000;

    // Those too many are dropped together, since each time moves all others.
    private const int Slack = 500;

    private readonly Lock gate = new();
    private readonly List<LoggedDecision> entries = [.. (earlier ?? []).TakeLast(Kept)];
    private readonly Dictionary<string, ScaleDecision> latest = new(StringComparer.Ordinal); // by pool

    /// <summary>Told of each decision that is noted.</summary>
    public Action<LoggedDecision> Noted { get; set; } = static _ => { };

    /// <summary>The latest target, of all pools together; 0 before the first decision.</summary>
    public int Target
    {
        get
        {
            lock (gate)
                return latest.Values.Sum(d => d.Target);
        }
    }

    /// <summary>
    /// Notes a decision; false, and not kept, when it does nothing and says the same as the one before of its pool but for the
    /// numbers.
    /// </summary>
    public bool Add(DateTimeOffset time, ScaleDecision decision)
    {
        LoggedDecision added;
        lock (gate)
        {
            var pool = decision.Pool ?? "";
            var isSame = latest.TryGetValue(pool, out var before) && SaysTheSame(before, decision);
            latest[pool] = decision;
            if (isSame)
                return false;
            added = new LoggedDecision(entries.Count > 0 ? entries[^1].Id + 1 : 1, time, decision);
            entries.Add(added);
            if (entries.Count > Kept + Slack)
                entries.RemoveRange(0, entries.Count - Kept);
        }
        keep?.Invoke(added);
        Noted(added);
        return true;
    }

    /// <summary>The newest first, at most <paramref name="limit"/>; only those older than the one with the id <paramref name="after"/>, if given.</summary>
    public IReadOnlyList<LoggedDecision> Latest(int limit = Kept, long? after = null)
    {
        lock (gate)
        {
            var oldest = Math.Max(0, entries.Count - Kept);
            var end = entries.Count;
            // Ids have no gaps, but those of a file that was damaged may.
            if (after is { } id)
            {
                while (end > oldest && entries[end - 1].Id >= id)
                    end--;
            }
            var begin = Math.Max(oldest, end - Math.Max(0, limit));
            var page = entries.GetRange(begin, end - begin);
            page.Reverse();
            return page;
        }
    }

    private static bool SaysTheSame(ScaleDecision before, ScaleDecision now) =>
        now.Launch == 0 && now.Drain.Count == 0 && now.CancelDrain.Count == 0
        && before.Target == now.Target
        && before.Reason.Where(IsWord).SequenceEqual(now.Reason.Where(IsWord));

    private static bool IsWord(char c) => !char.IsAsciiDigit(c) && c is not ('.' or '-');
}

/// <summary>A decision and when it was taken.</summary>
/// <param name="Id">Rises with each that is kept.</param>
/// <param name="Time">When.</param>
/// <param name="Decision">What was decided.</param>
public sealed record LoggedDecision(long Id, DateTimeOffset Time, ScaleDecision Decision);
