using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Keeps bytes under keys that the server makes: lower-case letters, digits, <c>-</c>, <c>.</c> and <c>/</c>
/// (<see cref="BlobKey"/>). A blob is written once and never changed.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// Returns once the bytes would survive a power cut. A blob that was not finished can't be read. Writing an
    /// existing key again replaces it whole.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.DiskFull"/>, <see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task PutAsync(string key, Stream content, CancellationToken cancel);

    /// <summary>
    /// Opens a blob for reading; null if there is none. The stream knows its length, though it may not seek, and throws
    /// rather than end early. The caller disposes of it.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>, also while the stream is read.</exception>
    Task<Stream?> OpenAsync(string key, CancellationToken cancel);

    /// <summary>Deletes a blob; nothing happens if there is none.</summary>
    Task DeleteAsync(string key, CancellationToken cancel);

    /// <summary>Keys that start with <paramref name="prefix"/> and were written before <paramref name="before"/>, in no order.</summary>
    IAsyncEnumerable<string> ListAsync(string prefix, DateTimeOffset before, CancellationToken cancel);

    /// <summary>What lets others write and read blobs by themselves; null where that can't be.</summary>
    IBlobLinks? Links => null;

    /// <summary>What lets processes on this machine read blobs by themselves; null where that can't be.</summary>
    IBlobFiles? Files => null;

    /// <summary>Deletes what processes that are gone left half-written, and had last written to before <paramref name="before"/>.</summary>
    Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel);
}
