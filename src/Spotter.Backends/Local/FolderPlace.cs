using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Backends.Local;

/// <summary>Pictures in a folder.</summary>
internal sealed class FolderPlace : IBlobPlaceModule
{
    private const string Scheme = "folder:";

    public string Form => "folder:PATH";

    public IReadOnlyList<Setting> Settings => [];

    public BlobPlace? Open(string place, SettingReader settings, RandomSource random, TimeProvider clock) =>
        place.Length > Scheme.Length && place.StartsWith(Scheme, StringComparison.Ordinal) ? Open(place[Scheme.Length..], random, shared: true) : null;

    /// <summary>Opens a folder by its path.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="random">As in <see cref="FolderBlobStore"/>.</param>
    /// <param name="shared">As in <see cref="FolderBlobStore"/>.</param>
    public static BlobPlace Open(string folder, RandomSource random, bool shared = false)
    {
        var store = new FolderBlobStore(folder, random, shared);
        return new BlobPlace(store, $"The folder {Path.GetFullPath(folder)}") { Failed = store.Failed };
    }
}
