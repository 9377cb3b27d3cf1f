using System.Net;
using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>What kind of source an address names.</summary>
internal enum SourceKind
{
    /// <summary>An address that answers with a picture each time.</summary>
    Snapshot,

    /// <summary>A stream that ffmpeg reads, which has no end of its own.</summary>
    Stream,

    /// <summary>A video file that ffmpeg reads.</summary>
    VideoFile,

    /// <summary>A folder into which pictures are put.</summary>
    Folder,
}

/// <summary>What <c>spotter watch</c> is pointed at. What it prints of itself has no password in it.</summary>
internal sealed record SourceAddress
{
    /// <summary>What stands for a password where something is shown.</summary>
    public const string Hidden = "***";

    private static readonly string[] Streams = ["rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "tcp", "udp"];

    private SourceAddress(SourceKind kind, string location) => (Kind, Location) = (kind, location);

    /// <summary>What it is.</summary>
    public SourceKind Kind { get; }

    /// <summary>The address without user and password, or the full path of the file or folder.</summary>
    public string Location { get; }

    /// <summary>User and password; null for none.</summary>
    public NetworkCredential? Credentials { get; init; }

    /// <summary>A name for it when the user gives none: the host, or the last part of the path.</summary>
    public string DefaultName => Kind is SourceKind.Folder or SourceKind.VideoFile ? Path.GetFileNameWithoutExtension(Location) : new Uri(Location).Host;

    /// <summary>Reads what was typed.</summary>
    /// <param name="text">The address, file or folder.</param>
    /// <param name="isStream">True when ffmpeg is to read an http address.</param>
    /// <exception cref="SpotterException">It is none of these. What was typed is not repeated where it may hold a password.</exception>
    public static SourceAddress Parse(string text, bool isStream = false)
    {
        var colon = text.IndexOf("://", StringComparison.Ordinal);
        if (colon <= 0)
            return OfPath(text);
        var scheme = text[..colon].ToLowerInvariant();
        if (scheme is not ("http" or "https") && !Streams.Contains(scheme, StringComparer.Ordinal))
            throw Wrong($"`{scheme}://` is no kind of source; name a folder, a video file, or an address that begins with http://, https:// or rtsp://.");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
            throw Wrong($"The {scheme}:// address of the source can't be read; write special characters of a user or password as %40 for @, %2F for / and so on.");
        var bare = new UriBuilder(url) { UserName = "", Password = "" }.Uri;
        return new(scheme is "http" or "https" && !isStream ? SourceKind.Snapshot : SourceKind.Stream, bare.AbsoluteUri) { Credentials = CredentialsOf(url) };
    }

    /// <summary>User and password of an address; null when it has none.</summary>
    public static NetworkCredential? CredentialsOf(Uri url)
    {
        if (url.UserInfo.Length == 0)
            return null;
        var colon = url.UserInfo.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? new(Uri.UnescapeDataString(url.UserInfo), "")
            : new(Uri.UnescapeDataString(url.UserInfo[..colon]), Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]));
    }

    /// <summary>The address with user and password in it, for the program that connects. Never for people.</summary>
    public string WithCredentials() => Credentials is null
        ? Location
        : new UriBuilder(Location) { UserName = Uri.EscapeDataString(Credentials.UserName), Password = Uri.EscapeDataString(Credentials.Password) }.Uri.AbsoluteUri;

    /// <summary>What another program says, with passwords taken out of it, however they are written there.</summary>
    public string Hide(string text)
    {
        if (Kind is SourceKind.Folder or SourceKind.VideoFile)
            return text;
        text = text.Replace(WithCredentials(), Shown, StringComparison.Ordinal).Replace(Location, Shown, StringComparison.Ordinal);
        if (Credentials is not { Password: { Length: > 0 } password })
            return text;
        return text.Replace(Uri.EscapeDataString(password), Hidden, StringComparison.OrdinalIgnoreCase).Replace(password, Hidden, StringComparison.Ordinal);
    }

    /// <summary>For people.</summary>
    public override string ToString() => Kind switch
    {
        SourceKind.Folder => $"the folder {Location}",
        SourceKind.VideoFile => $"the video {Location}",
        _ => $"the camera {Shown}",
    };

    /// <summary>The address as far as it may be shown: a query may hold a password too, as <c>?usr=admin&amp;pwd=secret</c>.</summary>
    private string Shown => Location.IndexOf('?', StringComparison.Ordinal) is var query and >= 0 ? $"{Location[..query]}?{Hidden}" : Location;

    private static SourceAddress OfPath(string text)
    {
        var path = Path.GetFullPath(text);
        if (Directory.Exists(path))
            return new(SourceKind.Folder, Path.TrimEndingDirectorySeparator(path));
        return File.Exists(path)
            ? new(SourceKind.VideoFile, path)
            : throw Wrong($"There is no folder or video {text}; correct its name, or give an address that begins with http://, https:// or rtsp://.");
    }

    private static SpotterException Wrong(string message) => new(ErrorCodes.InvalidRequest, message);
}
