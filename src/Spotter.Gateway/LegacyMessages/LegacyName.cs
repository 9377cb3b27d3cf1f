using System.Text;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>Names of pictures, which anybody may have chosen. They are keys of objects and nothing else: no file has such a name, and no shell sees one.</summary>
internal static class LegacyName
{
    /// <summary>The folder below that of the pictures in which the originals are kept.</summary>
    public const string Originals = "original";

    // A key of S3 has 1024 bytes; folders and ids come before the name.
    private const int LongestBytes = 700;

    /// <summary>True for the name of a picture. What lies among the originals is none, as its annotated picture would go over an original.</summary>
    public static bool IsPicture(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= LongestBytes && IsPlain(name) && !name.StartsWith(Originals + "/", StringComparison.Ordinal);

    /// <summary>True for a key that every program on the way reads in the same way: addresses with empty parts or dots are made shorter by some.</summary>
    public static bool IsPlain(string name) =>
        !name.Any(char.IsControl) && !name.Contains('\uFFFD', StringComparison.Ordinal) && !name.Contains('\\', StringComparison.Ordinal)
        && name.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>A name without its last extension: <c>a.b.jpg</c> is <c>a.b</c>.</summary>
    public static string StemOf(string name) => name.LastIndexOf('.') is > 0 and var dot && dot > name.LastIndexOf('/') + 1 ? name[..dot] : name;

    /// <summary>The name with something before its last part.</summary>
    public static string Before(string prefix, string name) => name.LastIndexOf('/') is var slash && slash < 0 ? prefix + name : $"{name[..(slash + 1)]}{prefix}{name[(slash + 1)..]}";
}
