using Spotter.Core.Settings;

namespace Spotter.Backends;

/// <summary>The settings that all backends have.</summary>
internal static class BackendSettings
{
    /// <summary>Where pictures are kept.</summary>
    public static Setting<string?> Blobs { get; } = new(
        "blobs", "Where pictures are kept: folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX. Default: `blobs` in the data folder.", SettingValues.OptionalText("PLACE"), null) { Flag = "--blobs" };

    /// <summary>To take over a place for pictures that belongs to another job store, or may.</summary>
    public static Setting<bool> AdoptBlobs { get; } = new(
        "adoptBlobs",
        "Take over a folder or bucket that another job store may own. This DELETES all pictures in it that this job store doesn't know. Use it for one start only.",
        SettingValues.YesNo, false) { Flag = "--adopt-blobs", FlagText = "true", FlagOnly = true };
}
