namespace Spotter.Cli.Detect;

/// <summary>Names for what is written about pictures: the picture's own where possible, and never one name for two.</summary>
internal static class OutputNames
{
    /// <summary>A file in <paramref name="folder"/> for each of <paramref name="pictures"/>, the same on every run.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="pictures">What they are named after.</param>
    /// <param name="extension">How their names end: <c>.jpg</c> for a picture with its boxes drawn.</param>
    public static IReadOnlyList<string> In(string folder, IReadOnlyList<string> pictures, string extension = ".jpg")
    {
        // Some file systems hold "a.jpg" and "A.jpg" to be one file.
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var next = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var names = new string[pictures.Count];
        for (var i = 0; i < names.Length; i++)
        {
            var stem = Path.GetFileNameWithoutExtension(pictures[i]);
            var name = stem + extension;
            while (!taken.Add(name))
            {
                var number = next.GetValueOrDefault(stem, 2);
                next[stem] = number + 1;
                name = $"{stem}-{number}{extension}";
            }
            names[i] = Path.Combine(folder, name);
        }
        return names;
    }
}
