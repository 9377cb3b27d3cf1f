using Spotter.Backends.Local;
using Spotter.Backends.S3;
using Spotter.Core;

namespace Spotter.Backends.Opening;

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
            { } bucket when S3Settings.IsLocation(bucket) => InBucket(
                new S3BlobStore(S3Settings.Parse(bucket, settings.S3Endpoint, settings.S3Region), clock), bucket),
            { Length: > 7 } folder when folder.StartsWith(Folder, StringComparison.Ordinal) => InFolder(folder[Folder.Length..], random),
            var other => throw new SpotterException(
                ErrorCodes.InvalidSettings, $"Pictures can't be kept in '{other}'; write folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX."),
        };
        return place with { Adopt = settings.AdoptBlobs };
    }

    private static BlobPlace InBucket(S3BlobStore store, string name) => new(store, name) { Check = store.CheckAsync };

    private static BlobPlace InFolder(string folder, RandomSource random)
    {
        var store = new FolderBlobStore(folder, random);
        return new BlobPlace(store, $"The folder {Path.GetFullPath(folder)}") { Failed = store.Failed };
    }
}
