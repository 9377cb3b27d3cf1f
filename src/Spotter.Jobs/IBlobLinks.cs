using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Lets others write and read single blobs by themselves, past the gateway: what a blob store offers whose server checks
/// signatures. What it hands out opens one blob for some minutes to whoever has it, so it is never logged.
/// </summary>
public interface IBlobLinks
{
    /// <summary>Most characters of a note. S3 keeps 2 KB of what users say of an object, its name counted.</summary>
    const int LongestNote = 1900;

    /// <summary>What is to be sent to write a blob, by an HTTP POST of a form. The server refuses another key, type or length, and all of it later.</summary>
    /// <param name="key">The blob.</param>
    /// <param name="contentType">Its media type.</param>
    /// <param name="least">Fewest bytes.</param>
    /// <param name="most">Most bytes.</param>
    /// <param name="life">For how long the form is taken.</param>
    /// <param name="note">What is kept with the blob (<see cref="BlobStart.Note"/>): at most <see cref="LongestNote"/> ASCII characters; null for nothing. Whoever has the form can read it and not change it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>, as in all of these.</exception>
    Task<BlobForm> FormAsync(string key, string contentType, long least, long most, TimeSpan life, string? note, CancellationToken cancel);

    /// <summary>An address at which a blob can be read by an HTTP GET for some time.</summary>
    Task<string> LinkAsync(string key, TimeSpan life, CancellationToken cancel);

    /// <summary>The beginning of a blob; null if there is none.</summary>
    /// <param name="key">The blob.</param>
    /// <param name="most">Most bytes of it.</param>
    /// <param name="cancel">Ends it.</param>
    Task<BlobStart?> ReadStartAsync(string key, int most, CancellationToken cancel);

    /// <summary>Copies a blob within the server; the SHA-256 of its bytes as 64 lower-case hexadecimal digits.</summary>
    /// <param name="from">The blob.</param>
    /// <param name="version">Which version of it (<see cref="BlobStart.Version"/>).</param>
    /// <param name="to">The key of the copy.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">Also <see cref="ErrorCodes.NotReady"/>: it is no longer that version.</exception>
    Task<string> CopyAsync(string from, string version, string to, CancellationToken cancel);
}

/// <summary>A form that writes one blob.</summary>
/// <param name="Url">Where it is to be sent.</param>
/// <param name="Fields">Its fields; the bytes come after them, in a field <see cref="File"/>.</param>
/// <param name="Expires">Until when it is taken.</param>
public sealed record BlobForm(string Url, IReadOnlyDictionary<string, string> Fields, DateTimeOffset Expires)
{
    /// <summary>The field with the bytes, which has to be the last.</summary>
    public const string File = "file";

    /// <summary>Not the values: they are a permission.</summary>
    public override string ToString() => nameof(BlobForm);
}

/// <summary>The beginning of a blob.</summary>
/// <param name="Bytes">Its first bytes.</param>
/// <param name="Length">Its whole length in bytes.</param>
/// <param name="Version">What tells these bytes from others under the same key.</param>
/// <param name="Note">What the form that wrote it has noted; null for nothing.</param>
public sealed record BlobStart(ReadOnlyMemory<byte> Bytes, long Length, string Version, string? Note);
