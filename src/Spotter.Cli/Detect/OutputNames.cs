namespace Spotter.Cli.Detect;

/// <summary>Names for annotated pictures: the picture's own where possible, and never one name for two.</summary>
internal static class OutputNames
{
    /// <summary>A file in <paramref name="folder"/> for each of <paramref name="pictures"/>, the same on every run.</summary>
    public static IReadOnlyList<string> In(string folder, IReadOnlyList<string> pictures)
    {
        // Some file systems hold "a.jpg" and "A.jpg" to be one file.
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var next = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var names = new string[pictures.Count];
        for (var i = 0; i < names.Length; i++)
        {
            var stem = Path.GetFileNameWithoutExtension(pictures[i]);
            var name = stem + ".jpg";
            while (!taken.Add(name))
            {
                var number = next.GetValueOrDefault(stem, 2);
                next[stem] = number + 1;
                name = $"{stem}-{number}.jpg";
            }
            names[i] = Path.Combine(folder, name);
        }
        return names;
    }
}
