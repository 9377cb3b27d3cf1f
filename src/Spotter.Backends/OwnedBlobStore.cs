using System.Runtime.CompilerServices;
using System.Text;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>A place where blobs can be kept, whoever it belongs to.</summary>
/// <param name="Store">What keeps them there.</param>
/// <param name="Name">How people call it.</param>
internal sealed record BlobPlace(IBlobStore Store, string Name) : IDisposable
{
    /// <summary>True to take it over from another job store; see <see cref="BackendSettings.AdoptBlobs"/>.</summary>
    public bool Adopt { get; init; }

    /// <summary>True for a place inside the job store's own: what lies there unmarked is from before places were marked.</summary>
    public bool IsInside { get; init; }

    /// <summary>Makes sure that blobs can be kept there, whoever it belongs to; null where opening it has done that.</summary>
    public Func<CancellationToken, Task<string?>>? Check { get; init; }

    /// <summary>See <see cref="Backend.Failed"/>; null where nothing is lost that way.</summary>
    public Task<Exception>? Failed { get; init; }

    /// <summary>Hears of what others write there; null for nothing.</summary>
    public IUploadEvents? UploadEvents { get; init; }

    public void Dispose()
    {
        (UploadEvents as IDisposable)?.Dispose();
        (Store as IDisposable)?.Dispose();
    }
}

/// <summary>
/// The blobs of one job store. Maintenance deletes those that its job store knows nothing of, so a place belongs to one job
/// store: a marker in it has the job store's id. As long as it is not known whose a place is, nothing is done in it.
/// </summary>
/// <param name="place">Where they lie.</param>
/// <param name="owner">The job store's id.</param>
/// <param name="jobs">The job store.</param>
internal sealed class OwnedBlobStore(BlobPlace place, string owner, IJobStore jobs) : IBlobStore, IBlobLinks, IBlobFiles
{
    /// <summary>The marker's key.</summary>
    public const string MarkerKey = "spotter-owner";

    private const int MarkerBytes = 64;
    private const int Batch = 500;

    // Keys are random, so a few of them speak for all; and a bucket may hold millions.
    private const int MostLookedAt = 10_000;

    private readonly Lock gate = new();
    private Task<string?>? claim;
    private bool adopt = place.Adopt;
    private volatile bool owned;

    /// <inheritdoc/>
    public IBlobLinks? Links => place.Store.Links is null ? null : this;

    /// <inheritdoc/>
    public IBlobFiles? Files => place.Store.Files is null ? null : this;

    /// <inheritdoc/>
    public string LentFolder => place.Store.Files!.LentFolder;

    /// <summary>See <see cref="Backend.CheckBlobsAsync"/>.</summary>
    public async Task<string?> CheckAsync(CancellationToken cancel)
    {
        if (place.Check is { } check && await check(cancel) is { } passing)
            return passing;
        string? refusal;
        try
        {
            refusal = await ClaimAsync(cancel);
        }
        catch (SpotterException away)
        {
            return away.Message;
        }
        return refusal is null ? null : throw new SpotterException(ErrorCodes.StoreUnavailable, refusal);
    }

    public async Task PutAsync(string key, Stream content, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        await place.Store.PutAsync(key, content, cancel);
    }

    public async Task<Stream?> OpenAsync(string key, CancellationToken cancel)
    {
        // In another's place there is no such blob, and that must not end a job.
        await OwnAsync(cancel);
        return await place.Store.OpenAsync(key, cancel);
    }

    public string? Lend(string key) => owned ? place.Store.Files!.Lend(key) : null;

    public async Task DeleteAsync(string key, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        await place.Store.DeleteAsync(key, cancel);
    }

    public async IAsyncEnumerable<string> ListAsync(
        string prefix, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancel)
    {
        // What is listed may be deleted, and somebody may have taken the place over.
        await ClaimOrThrowAsync(cancel);
        await foreach (var key in place.Store.ListAsync(prefix, before, cancel))
        {
            if (key != MarkerKey)
                yield return key;
        }
    }

    public async Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        await place.Store.DeleteUnfinishedAsync(before, cancel);
    }

    public async Task<BlobForm> FormAsync(string key, string contentType, long least, long most, TimeSpan life, string? note, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        return await place.Store.Links!.FormAsync(key, contentType, least, most, life, note, cancel);
    }

    public async Task<string> LinkAsync(string key, TimeSpan life, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        return await place.Store.Links!.LinkAsync(key, life, cancel);
    }

    public async Task<BlobStart?> ReadStartAsync(string key, int most, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        return await place.Store.Links!.ReadStartAsync(key, most, cancel);
    }

    public async Task<string> CopyAsync(string from, string version, string to, CancellationToken cancel)
    {
        await OwnAsync(cancel);
        return await place.Store.Links!.CopyAsync(from, version, to, cancel);
    }

    private Task OwnAsync(CancellationToken cancel) => owned ? Task.CompletedTask : ClaimOrThrowAsync(cancel);

    private async Task ClaimOrThrowAsync(CancellationToken cancel)
    {
        if (await ClaimAsync(cancel) is { } refusal)
            throw new SpotterException(ErrorCodes.StoreUnavailable, refusal);
    }

    /// <summary>Makes sure of the place; whoever comes meanwhile waits for the same answer, as each may take long.</summary>
    /// <returns>Why it can't be had; null when it is this job store's.</returns>
    private Task<string?> ClaimAsync(CancellationToken cancel)
    {
        lock (gate)
        {
            if (claim is not { IsCompleted: false })
                claim = Task.Run(ClaimAsync, CancellationToken.None);
            return claim.WaitAsync(cancel);
        }
    }

    private async Task<string?> ClaimAsync()
    {
        var refusal = await FindRefusalAsync();
        owned = refusal is null;
        if (owned)
            adopt = false;
        return refusal;
    }

    private async Task<string?> FindRefusalAsync()
    {
        var marked = await ReadMarkerAsync();
        if (marked is null && !owned && !adopt && !place.IsInside && await HoldsOnlyUnknownAsync())
        {
            // Another gateway of this job store may have marked it meanwhile, and stored its first picture.
            marked = await ReadMarkerAsync();
            if (marked is null)
                return $"{place.Name} holds pictures that this job store knows nothing of and would delete; {WhatToDo}";
        }
        if (marked == owner)
            return null;
        if (marked is not null && !adopt)
            return $"{place.Name} belongs to another job store, whose pictures this one would delete; {WhatToDo}";
        // Also when somebody has deleted the marker of a place that was known to be ours.
        await place.Store.PutAsync(MarkerKey, new MemoryStream(Encoding.ASCII.GetBytes(owner + "\n")), CancellationToken.None);
        return null;
    }

    private static string WhatToDo =>
        "name an empty place with --blobs, use the data folder or database that it belongs to, or, if its pictures may go, take it over with --adopt-blobs.";

    private async Task<string?> ReadMarkerAsync()
    {
        await using var marker = await place.Store.OpenAsync(MarkerKey, CancellationToken.None);
        if (marker is null)
            return null;
        var bytes = new byte[MarkerBytes];
        var read = await marker.ReadAtLeastAsync(bytes, MarkerBytes, throwOnEndOfStream: false, CancellationToken.None);
        return Encoding.UTF8.GetString(bytes, 0, read).Trim();
    }

    /// <summary>
    /// True when there are blobs, and no job speaks of any. One that jobs speak of shows that the place is this job store's,
    /// from before places were marked.
    /// </summary>
    private async Task<bool> HoldsOnlyUnknownAsync()
    {
        var looked = 0;
        foreach (var prefix in (string[])[BlobKey.InputsPrefix, BlobKey.OutputsPrefix])
        {
            await foreach (var keys in place.Store.ListAsync(prefix, DateTimeOffset.MaxValue, CancellationToken.None).Take(MostLookedAt).Chunk(Batch))
            {
                looked += keys.Length;
                if ((await jobs.UnknownBlobsAsync(keys, CancellationToken.None)).Count < keys.Length)
                    return false;
            }
        }
        return looked > 0;
    }
}
