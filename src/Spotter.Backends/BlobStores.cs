using Spotter.Backends.Local;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>The one place that knows where pictures can be kept. Every backend takes any of them.</summary>
internal static class BlobStores
{
    private const string Folder = "folder:";

    /// <summary>Opens the store that the settings name.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidSettings"/>, or <see cref="ErrorCodes.StoreUnavailable"/>: the folder can't be used.
    /// </exception>
    public static IBlobStore Open(BackendSettings settings, RandomSource random, TimeProvider clock) => settings.Blobs switch
    {
        null or "" => new FolderBlobStore(Path.Combine(settings.DataFolder, "blobs"), random),
        { } place when S3Settings.IsLocation(place) =>
            new S3BlobStore(S3Settings.Parse(place, settings.S3Endpoint, settings.S3Region), random, clock),
        { Length: > 7 } place when place.StartsWith(Folder, StringComparison.Ordinal) => new FolderBlobStore(place[Folder.Length..], random),
        var other => throw new SpotterException(
            ErrorCodes.InvalidSettings, $"Pictures can't be kept in '{other}'; write folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX."),
    };

    /// <summary>See <see cref="Backend.CheckBlobsAsync"/>. A folder has been checked by opening it.</summary>
    public static Task<string?> CheckAsync(IBlobStore store, CancellationToken cancel) =>
        store is S3BlobStore bucket ? bucket.CheckAsync(cancel) : Task.FromResult<string?>(null);
}
