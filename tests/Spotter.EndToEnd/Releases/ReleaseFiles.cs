using System.Formats.Tar;
using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Releases;

/// <summary>The files that <c>./release</c> made.</summary>
internal static partial class ReleaseFiles
{
    /// <summary>The version, as it is set.</summary>
    public static string Version { get; } = Number().Match(File.ReadAllText(Path.Combine(SharedFiles.Repository, "Directory.Build.props"))).Groups["version"].Value;

    /// <summary>Where they are.</summary>
    public static string Folder => ReleaseFactAttribute.Folder!;

    public static string Archive(string platform) => Path.Combine(Folder, $"spotter-{Version}-{platform}.tar.gz");

    public static string Package(string machine) => Path.Combine(Folder, $"spotter_{Version}_{machine}.deb");

    /// <summary>What is in an archive, in its order, with the bytes of files.</summary>
    public static IEnumerable<(TarEntry Entry, byte[] Bytes)> Read(string platform)
    {
        using var unzipped = new GZipStream(File.OpenRead(Archive(platform)), CompressionMode.Decompress);
        using var tar = new TarReader(unzipped);
        while (tar.GetNextEntry() is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            yield return (entry, bytes.ToArray());
        }
    }

    [GeneratedRegex("<Version>(?<version>[^<]+)</Version>", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Number();
}
