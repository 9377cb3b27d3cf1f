namespace Spotter.EndToEnd.Watch;

/// <summary>Programs of others that some tests need.</summary>
internal static class Programs
{
    /// <summary>The video program.</summary>
    public static string? Ffmpeg { get; } = Find("ffmpeg");

    /// <summary>The MQTT broker.</summary>
    public static string? Mosquitto { get; } = Find("mosquitto");

    // Debian has servers where not everybody looks.
    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Concat(["/usr/bin", "/usr/sbin", "/usr/local/sbin"]).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}

/// <summary>A test that needs ffmpeg; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FfmpegFactAttribute : FactAttribute
{
    public FfmpegFactAttribute() => Skip = Programs.Ffmpeg is null ? "there is no ffmpeg here: install the package ffmpeg" : null;
}

/// <summary>A test that needs an MQTT broker; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MosquittoFactAttribute : FactAttribute
{
    public MosquittoFactAttribute() => Skip = Programs.Mosquitto is null ? "there is no mosquitto here: install the package mosquitto" : null;
}
