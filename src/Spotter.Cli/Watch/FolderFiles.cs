namespace Spotter.Cli.Watch;

/// <summary>A file as a look into a folder shows it.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Written">When it was last written.</param>
internal readonly record struct SeenFile(string Path, long Length, DateTime Written);

/// <summary>
/// Says of the files of a folder which are ready: those that are new, or changed, and have stopped changing. Nothing says when
/// a program has finished writing a file, so one that stays the same for a while counts as finished; one that changes again later
/// is a new one.
/// </summary>
/// <param name="settle">How long it has to stay the same.</param>
/// <param name="takesExisting">True when what is there at the first look is new too.</param>
internal sealed class FolderFiles(TimeSpan settle, bool takesExisting)
{
    private readonly Dictionary<string, Note> notes = new(StringComparer.Ordinal);
    private readonly HashSet<string> complete = new(StringComparer.Ordinal);
    private bool hasLooked;

    /// <summary>True when there are files of which it is not yet known whether they have stopped changing.</summary>
    public bool HasUnsettled => notes.Values.Any(n => !n.IsTaken);

    /// <summary>Notes that a file came under its name as a whole, by being renamed: it need not settle.</summary>
    public void Complete(string path) => complete.Add(path);

    /// <summary>The files that are ready now and were not before, the oldest first.</summary>
    /// <param name="files">All that are there.</param>
    /// <param name="now">The time since some start.</param>
    public IReadOnlyList<SeenFile> Look(IEnumerable<SeenFile> files, TimeSpan now)
    {
        var ready = new List<SeenFile>();
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            there.Add(file.Path);
            if (!notes.TryGetValue(file.Path, out var note) || note.File != file)
                note = new(file, now, IsTaken: !hasLooked && !takesExisting);
            if (!note.IsTaken && file.Length > 0 && (complete.Contains(file.Path) || now - note.Since >= settle))
            {
                ready.Add(file);
                note = note with { IsTaken = true };
            }
            notes[file.Path] = note;
        }
        hasLooked = true;
        complete.Clear();
        foreach (var gone in notes.Keys.Where(path => !there.Contains(path)).ToList())
            notes.Remove(gone);
        return [.. ready.OrderBy(f => f.Written).ThenBy(f => f.Path, StringComparer.Ordinal)];
    }

    private readonly record struct Note(SeenFile File, TimeSpan Since, bool IsTaken);
}
