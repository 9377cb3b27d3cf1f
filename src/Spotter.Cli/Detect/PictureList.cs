using System.IO.Enumeration;

namespace Spotter.Cli.Detect;

/// <summary>The pictures that the arguments of <c>detect</c> name, in the order of the arguments.</summary>
internal static class PictureList
{
    private static readonly HashSet<string> Extensions =
        new([".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif"], StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Files as named, whatever their extension; of folders and their subfolders the files with the extension of a
    /// picture, sorted. A folder without any stays in the list, so that it is reported.
    /// </summary>
    /// <param name="arguments">Files and folders.</param>
    /// <param name="output">A folder that is left out: what was written there is no input.</param>
    public static IReadOnlyList<string> Of(IEnumerable<string> arguments, string? output)
    {
        var files = new List<string>();
        foreach (var argument in arguments)
        {
            if (!Directory.Exists(argument))
            {
                files.Add(argument);
                continue;
            }
            var before = files.Count;
            files.AddRange(In(argument, output is null ? null : Path.GetFullPath(output)));
            if (files.Count == before)
                files.Add(argument);
        }
        return files;
    }

    /// <summary>The files of a folder and its subfolders with the extension of a picture, sorted.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="output">A folder in it that is left out; null for none.</param>
    public static IEnumerable<string> In(string folder, string? output) =>
        new FileSystemEnumerable<string>(
            folder,
            (ref entry) => entry.ToSpecifiedFullPath(),
            new() { RecurseSubdirectories = true, IgnoreInaccessible = true })
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory && Extensions.Contains(Path.GetExtension(entry.FileName).ToString()),
            // A link to a folder may lead back to where it lies.
            ShouldRecursePredicate = (ref entry) =>
                !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)
                && !string.Equals(Path.GetFullPath(entry.ToFullPath()), output, StringComparison.Ordinal),
        }.Order(StringComparer.Ordinal);
}
