using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>A file that a job has made, as it lies in the blob store.</summary>
/// <param name="Name">What its engine calls it: its name in the API, and never the path of anything.</param>
/// <param name="MediaType">What it is, as <c>application/json</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Key">Its key, made by the server (<see cref="BlobKey"/>).</param>
public sealed record OutputRef(string Name, string MediaType, long Bytes, string Key)
{
    /// <summary>Most files of one job.</summary>
    public const int Most = 64;

    private const int LongestName = 64;
    private const int LongestMediaType = 100;

    /// <summary>True for 1 to 64 ASCII letters, digits, <c>.</c>, <c>-</c> and <c>_</c>, the first of them a letter or a digit.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && !name.Contains("..", StringComparison.Ordinal);

    /// <summary>True for a media type in lower case and without parameters.</summary>
    public static bool IsMediaType(string type) =>
        type.Length <= LongestMediaType && type.Split('/') is [{ Length: > 0 }, { Length: > 0 }]
        && type.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '/' or '.' or '-' or '+');

    /// <summary>True for a key under which an output may lie.</summary>
    internal static bool IsKey(string key) => BlobKey.IsValid(key) && key.StartsWith(BlobKey.OutputsPrefix, StringComparison.Ordinal);

    /// <summary>Refuses what no engine of ours hands in.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    internal static void Check(IReadOnlyList<OutputRef> outputs)
    {
        if (outputs.Count > Most)
            throw Invalid($"{outputs.Count} files; a job has at most {Most}.");
        if (outputs.FirstOrDefault(o => !IsName(o.Name) || !IsMediaType(o.MediaType) || o.Bytes < 0) is { } odd)
            throw Invalid($"a file whose name '{odd.Name}', media type '{odd.MediaType}' or length {odd.Bytes} can't be.");
        if (outputs.FirstOrDefault(o => !IsKey(o.Key)) is { } foreign)
            throw Invalid($"the file '{foreign.Name}' under a key of something else.");
        if (outputs.DistinctBy(o => o.Name, StringComparer.Ordinal).Count() < outputs.Count)
            throw Invalid("two files of one name.");
    }

    private static SpotterException Invalid(string what) => new(ErrorCodes.InvalidRequest, $"The worker hands in {what}");
}
