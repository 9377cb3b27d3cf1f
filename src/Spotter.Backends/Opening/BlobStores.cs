using Spotter.Backends.Local;
using Spotter.Backends.S3;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Backends.Opening;

/// <summary>The places where pictures can be kept. Every backend takes any of them.</summary>
internal static class BlobStores
{
    /// <summary>The technologies: the one place where they are registered.</summary>
    public static IReadOnlyList<IBlobPlaceModule> BuiltIn { get; } = [new FolderPlace(), new BucketPlace()];

    /// <summary>Opens the place that the settings name.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidSettings"/>, or <see cref="ErrorCodes.StoreUnavailable"/>: it can't be used.
    /// </exception>
    public static BlobPlace Open(SettingReader settings, string dataFolder, RandomSource random, TimeProvider clock)
    {
        var place = settings.Get(BackendSettings.Blobs) is { } named
            ? BuiltIn.Select(m => m.Open(named, settings, random, clock)).FirstOrDefault(p => p is not null)
                ?? throw new SpotterException(ErrorCodes.InvalidSettings, $"Pictures can't be kept in '{named}'; write {string.Join(", ", BuiltIn.Select(m => m.Form))}.")
            : FolderPlace.Open(Path.Combine(dataFolder, "blobs"), random) with { IsInside = true };
        if (place.UploadEvents is null && settings.Has(BucketPlace.Events))
        {
            place.Dispose();
            throw new SpotterException(ErrorCodes.InvalidSettings, $"{settings.NameOf(BucketPlace.Events)} names a queue, but pictures are not kept in a bucket; add {BackendSettings.Blobs.Flag} s3://BUCKET.");
        }
        return place with { Adopt = settings.Get(BackendSettings.AdoptBlobs) };
    }
}
