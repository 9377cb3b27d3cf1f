using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Vision.Models;

/// <summary>
/// The files beside a model that belong to it: the one that overrides it, the labels that this names, and the files that
/// its weights lie in. A change of any of them makes another version.
/// </summary>
public static class ModelFiles
{
    /// <summary>The file that overrides what is found in a model; it need not exist.</summary>
    public static string OverridesOf(string modelFile) => Path.ChangeExtension(modelFile, ".yaml");

    /// <summary>
    /// The files that a model and its overrides name, whether they exist or not, in an order of their own. A file that
    /// can't be read names nothing, and one that may not be named (<see cref="SideFile"/>) is left out.
    /// </summary>
    public static IReadOnlyList<string> NamedBy(string modelFile)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(modelFile))!;
        List<string> names = [];
        if (ModelOverrides.LabelsFileOf(modelFile) is { } labels)
            names.Add(labels);
        try
        {
            names.AddRange(OnnxFile.WeightsOf(modelFile).Keys);
        }
        catch (SpotterException)
        {
            // Whoever loads it says so.
        }
        return [.. names.Where(SideFile.MayBeNamed).Select(name => Path.Combine(folder, name))];
    }

    /// <summary>Makes sure that the weights of a model are there before a library that knows no such rules reads them.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelInvalid"/>: one of its files is missing, cut short, or none of its own.</exception>
    internal static void CheckWeights(string modelFile)
    {
        foreach (var (name, bytes) in OnnxFile.WeightsOf(modelFile))
        {
            if ((SideFile.Find(modelFile, name, out var path) ?? FlawOf(path, bytes)) is { } flaw)
                throw new SpotterException(ErrorCodes.ModelInvalid, $"{modelFile} keeps its weights in another file, {name}, {flaw}.");
        }
    }

    private static string? FlawOf(string path, long bytes)
    {
        try
        {
            using var file = RegularFile.Open(path);
            return file.Length < bytes ? $"which has {file.Length} bytes where at least {bytes} are wanted; copy it again, whole" : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return $"which can't be read ({unreadable.Message.TrimEnd('.')}); see to the file";
        }
    }
}
