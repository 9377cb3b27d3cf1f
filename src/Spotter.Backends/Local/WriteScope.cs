using System.Runtime.InteropServices;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>What a unit of work sees of the transaction that it runs in. Lives on the writer's thread.</summary>
internal sealed class WriteScope(SqliteConnection connection)
{
    private readonly List<(Line Line, int Kind, int Change, ServedJobs Served)> tallies = [];
    private readonly List<JobChange> changed = [];
    private readonly Dictionary<(string Queue, JobPriority Priority), long> entered = [];

    /// <summary>The statement for this text.</summary>
    public SqliteStatement Prepare(string sql) => connection.Prepare(sql);

    /// <summary>The row id of the last row added.</summary>
    public long LastRowId => connection.LastRowId;

    /// <summary>The ticket of a job that enters a line now: how many have entered it, this one included.</summary>
    public long NextTicket(Line line)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(entered, (line.Queue, line.Priority), out var known);
        if (!known)
        {
            using var select = Prepare("SELECT n FROM tallies WHERE queue = ?1 AND priority = ?2 AND internal = 0 AND kind = 6")
                .Bind(1, line.Queue).Bind(2, (int)line.Priority);
            count = select.Step() ? select.Long(0) : 0;
        }
        return ++count;
    }

    /// <summary>
    /// A job came to be in <paramref name="to"/> (null: its row is gone) from <paramref name="from"/> (null: it is new), and
    /// counts as <paramref name="served"/> if a worker did it.
    /// </summary>
    public void Moved(Line line, JobState? from, JobState? to, ServedJobs served = default)
    {
        if (from is { } old)
            tallies.Add((line, (int)old, -1, default));
        if (to is { } now)
            tallies.Add((line, (int)now, 1, served));
        // Lines and ends are counted for users and Spotter together, and never down.
        var all = line with { Internal = false };
        if (to == JobState.Queued)
            tallies.Add((all, Tallies.Entered, 1, default));
        if (from == JobState.Queued)
            tallies.Add((all, Tallies.Left, 1, default));
        if (to is { } end && end.IsTerminal() && !line.Internal)
            tallies.Add((line, Tallies.Ended, 1, default));
    }

    /// <summary>Readers of the changes are told once this is committed.</summary>
    public void Changed(JobId job, string? queue = null) => changed.Add(new JobChange(job, queue));

    /// <summary>True when there is anything to tell them.</summary>
    internal bool HasChanged => changed.Count > 0;

    /// <summary>Drops the notes of a transaction that was taken back.</summary>
    internal void Forget()
    {
        entered.Clear();
        tallies.Clear();
        changed.Clear();
    }

    /// <summary>Writes the sums of the whole group, a few rows instead of several per job.</summary>
    internal void WriteTallies()
    {
        if (tallies.Count == 0)
            return;
        var sums = new Dictionary<(Line, int), (int Change, ServedJobs Served)>();
        foreach (var (line, kind, change, served) in tallies)
        {
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, (line, kind), out _);
            sum = (sum.Change + change, sum.Served + served);
        }
        foreach (var ((line, kind), (change, served)) in sums)
        {
            if (change == 0 && served.Jobs == 0)
                continue;
            connection.Prepare("""
                INSERT INTO tallies (queue, priority, internal, kind, n, served, seconds, squares) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                ON CONFLICT (queue, priority, internal, kind) DO UPDATE SET
                    n = n + excluded.n, served = served + excluded.served, seconds = seconds + excluded.seconds, squares = squares + excluded.squares
                """).Bind(1, line.Queue).Bind(2, (int)line.Priority).Bind(3, line.Internal ? 1 : 0).Bind(4, kind).Bind(5, change)
                .Bind(6, served.Jobs).Bind(7, served.Seconds).Bind(8, served.SquareSeconds).Run();
        }
        tallies.Clear();
    }

    /// <summary>The changes made by what has just been committed.</summary>
    internal IReadOnlyList<JobChange> TakeChanged()
    {
        if (changed.Count == 0)
            return [];
        var made = changed.ToArray();
        changed.Clear();
        return made;
    }
}

/// <summary>The kinds of tallies beside the numbers of <see cref="JobState"/>, which tell how many are there now; these only rise.</summary>
internal static class Tallies
{
    /// <summary>Jobs that have begun to wait.</summary>
    public const int Entered = 6;

    /// <summary>Jobs that have stopped waiting.</summary>
    public const int Left = 7;

    /// <summary>Jobs that have ended.</summary>
    public const int Ended = 8;
}
