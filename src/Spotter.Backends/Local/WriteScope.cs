using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>What a unit of work sees of the transaction that it runs in. Lives on the writer's thread.</summary>
internal sealed class WriteScope(SqliteConnection connection)
{
    private readonly List<(string Engine, string? Model, bool Internal, JobState State, int Change)> tallies = [];
    private readonly List<JobId> changed = [];

    /// <summary>The statement for this text.</summary>
    public SqliteStatement Prepare(string sql) => connection.Prepare(sql);

    /// <summary>A job came to be in <paramref name="to"/> (null: its row is gone) from <paramref name="from"/> (null: it is new).</summary>
    public void Moved(string engine, string? model, bool isInternal, JobState? from, JobState? to)
    {
        if (from is { } old)
            tallies.Add((engine, model, isInternal, old, -1));
        if (to is { } now)
            tallies.Add((engine, model, isInternal, now, 1));
    }

    /// <summary>Readers of the changes are told once this is committed.</summary>
    public void Changed(JobId job) => changed.Add(job);

    /// <summary>True when there is anything to tell them.</summary>
    internal bool HasChanged => changed.Count > 0;

    /// <summary>Where the notes stand, for <see cref="Forget"/>.</summary>
    internal (int Tallies, int Changed) Mark() => (tallies.Count, changed.Count);

    /// <summary>Drops the notes of a unit that was taken back.</summary>
    internal void Forget((int Tallies, int Changed) mark)
    {
        tallies.RemoveRange(mark.Tallies, tallies.Count - mark.Tallies);
        changed.RemoveRange(mark.Changed, changed.Count - mark.Changed);
    }

    /// <summary>Writes the sums of the whole group, a few rows instead of two per job.</summary>
    internal void WriteTallies()
    {
        if (tallies.Count == 0)
            return;
        var sums = new Dictionary<(string, string?, bool, JobState), int>();
        foreach (var (engine, model, isInternal, state, change) in tallies)
            sums[(engine, model, isInternal, state)] = sums.GetValueOrDefault((engine, model, isInternal, state)) + change;
        foreach (var ((engine, model, isInternal, state), change) in sums)
        {
            if (change == 0)
                continue;
            connection.Prepare("""
                INSERT INTO tallies (engine, model, internal, state, jobs) VALUES (?1, COALESCE(?2, ''), ?3, ?4, ?5)
                ON CONFLICT (engine, model, internal, state) DO UPDATE SET jobs = jobs + excluded.jobs
                """).Bind(1, engine).Bind(2, model).Bind(3, isInternal ? 1 : 0).Bind(4, (int)state).Bind(5, change).Run();
        }
        tallies.Clear();
    }

    /// <summary>The jobs changed by what has just been committed.</summary>
    internal IReadOnlyList<JobId> TakeChanged()
    {
        if (changed.Count == 0)
            return [];
        var ids = changed.ToArray();
        changed.Clear();
        return ids;
    }
}
