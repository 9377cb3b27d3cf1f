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
        place.Length > Scheme.Length && place.StartsWith(Scheme, StringComparison.Ordinal) ? Open(place[Scheme.Length..], random) : null;

    /// <summary>Opens a folder by its path.</summary>
    public static BlobPlace Open(string folder, RandomSource random)
    {
        var store = new FolderBlobStore(folder, random);
        return new BlobPlace(store, $"The folder {Path.GetFullPath(folder)}") { Failed = store.Failed };
    }
}
