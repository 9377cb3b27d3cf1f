namespace Spotter.EndToEnd.Harness;

/// <summary>A test of the container image, which <c>./test containers</c> builds; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ImageFactAttribute : FactAttribute
{
    /// <summary>The folder in which the image's files are; null when none was built.</summary>
    public static string? Root { get; } = Environment.GetEnvironmentVariable("SPOTTER_TEST_IMAGE") is { Length: > 0 } folder ? Path.Combine(folder, "root") : null;

    /// <summary>What the image says of itself, as <c>buildah inspect</c> prints it.</summary>
    public static string Description => Path.Combine(Path.GetDirectoryName(Root)!, "image.json");

    /// <summary>Skips where there is no image.</summary>
    public ImageFactAttribute()
    {
        if (Root is null)
            Skip = "No image was built; ./test containers builds one.";
    }
}
