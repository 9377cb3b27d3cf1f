namespace Spotter.Vision.Models;

/// <summary>
/// The files that a model, or one beside it, may name. Who writes such a name may be a catalogue
/// of strangers, and what is read shows in the API, so a name leads to nothing but a file of the model's own folder.
/// </summary>
internal static class SideFile
{
    private const int MostLinks = 40;

    /// <summary>What is wrong with reading a file that is named beside another; null when nothing is.</summary>
    /// <param name="beside">The file that names it.</param>
    /// <param name="name">The name; folders are separated by <c>/</c>.</param>
    /// <param name="path">The file itself, behind all links.</param>
    public static string? Find(string beside, string name, out string path)
    {
        path = "";
        if (!MayBeNamed(name))
            return "which is no name within the model's own folder; put the file there and name it so";
        var folder = Path.GetDirectoryName(Path.GetFullPath(beside))!;
        if (!File.Exists(Path.Combine(folder, name)))
            return "which is not there; put it into the model's folder";
        var target = RealPath(Path.Combine(folder, name));
        if (target is null || RealPath(folder) is not { } home || !target.StartsWith(home.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return "which is a link that leads out of the model's own folder; put the file itself there";
        path = target;
        return null;
    }

    /// <summary>True for a name that stays in the folder, links aside; on any system, so that a model is the same everywhere.</summary>
    public static bool MayBeNamed(string name) =>
        name.AsSpan().IndexOfAny("\\:\0") < 0 && name.Split('/').All(part => part.Trim() is not ("" or ".."));

    /// <summary>A path without links; null for links that lead in circles.</summary>
    private static string? RealPath(string path, int links = 0)
    {
        if (links > MostLinks)
            return null;
        var root = Path.GetPathRoot(path)!;
        var real = root;
        var parts = path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            real = Path.Combine(real, parts[i]);
            if (new FileInfo(real).LinkTarget is { } target)
                return RealPath(Path.GetFullPath(Path.Combine([target, .. parts[(i + 1)..]]), Path.GetDirectoryName(real)!), links + 1);
        }
        return real;
    }
}
