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
    public static BlobPlace Open(BackendSettings settings, RandomSource random, TimeProvider clock)
    {
        var place = settings.Blobs switch
        {
            null or "" => InFolder(Path.Combine(settings.DataFolder, "blobs"), random),
            { } bucket when S3Settings.IsLocation(bucket) => new BlobPlace(
                new S3BlobStore(S3Settings.Parse(bucket, settings.S3Endpoint, settings.S3Region), clock), bucket),
            { Length: > 7 } folder when folder.StartsWith(Folder, StringComparison.Ordinal) => InFolder(folder[Folder.Length..], random),
            var other => throw new SpotterException(
                ErrorCodes.InvalidSettings, $"Pictures can't be kept in '{other}'; write folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX."),
        };
        return place with { Adopt = settings.AdoptBlobs };
    }

    /// <summary>Makes sure that blobs can be kept there, whoever it belongs to. A folder has been checked by opening it.</summary>
    public static Task<string?> CheckAsync(IBlobStore store, CancellationToken cancel) =>
        store is S3BlobStore bucket ? bucket.CheckAsync(cancel) : Task.FromResult<string?>(null);

    private static BlobPlace InFolder(string folder, RandomSource random) =>
        new(new FolderBlobStore(folder, random), $"The folder {Path.GetFullPath(folder)}");
}
