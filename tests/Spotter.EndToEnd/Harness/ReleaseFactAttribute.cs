namespace Spotter.EndToEnd.Harness;

/// <summary>A test of the files of a release, which <c>./test release</c> makes; skipped where there are none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReleaseFactAttribute : FactAttribute
{
    public ReleaseFactAttribute() => Skip = Missing;

    /// <summary>Why there are none; null when they are there.</summary>
    public static string? Missing { get; } = Folder is null ? "No release was made; ./test release makes one." : null;

    /// <summary>Where they are.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable("SPOTTER_TEST_RELEASE") is { Length: > 0 } folder ? folder : null;
}

/// <summary>A test of a release in a Debian that has nothing of what Spotter is built with; skipped where none can be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InstallFactAttribute : FactAttribute
{
    public InstallFactAttribute() =>
        Skip = ReleaseFactAttribute.Missing ?? (Debian is null ? "No Debian was made to install it in: that takes root's rights and debootstrap." : null);

    /// <summary>The folder with its files, which stays as it is.</summary>
    public static string? Debian => Environment.GetEnvironmentVariable("SPOTTER_TEST_DEBIAN") is { Length: > 0 } folder ? folder : null;
}
