using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>The simplest blob store there is. A blob appears whole, once all of it has been read.</summary>
internal sealed class InMemoryBlobStore : IBlobStore
{
    private readonly ConcurrentDictionary<string, (byte[] Bytes, DateTimeOffset At)> blobs = new(StringComparer.Ordinal);

    public async Task PutAsync(string key, Stream content, CancellationToken cancel)
    {
        using var all = new MemoryStream();
        await content.CopyToAsync(all, cancel);
        cancel.ThrowIfCancellationRequested();
        blobs[Checked(key)] = (all.ToArray(), TimeProvider.System.GetUtcNow());
    }

    public Task<Stream?> OpenAsync(string key, CancellationToken cancel) => Task.FromResult<Stream?>(
        blobs.TryGetValue(Checked(key), out var blob) ? new MemoryStream(blob.Bytes, writable: false) : null);

    public Task DeleteAsync(string key, CancellationToken cancel)
    {
        blobs.TryRemove(Checked(key), out _);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var (key, blob) in blobs)
        {
            cancel.ThrowIfCancellationRequested();
            if (key.StartsWith(prefix, StringComparison.Ordinal) && blob.At < before)
                yield return key;
        }
        await Task.CompletedTask;
    }

    public Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel) => Task.CompletedTask;

    private static string Checked(string key) => BlobKey.IsValid(key) ? key : throw new ArgumentException($"'{key}' is no key.", nameof(key));
}
