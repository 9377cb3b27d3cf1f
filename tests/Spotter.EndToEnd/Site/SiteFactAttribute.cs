using Spotter.EndToEnd.Page;

namespace Spotter.EndToEnd.Site;

/// <summary>A test of the documentation site, which <c>./test site</c> makes; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SiteFactAttribute : FactAttribute
{
    public SiteFactAttribute() => Skip = Missing;

    /// <summary>Why there is none; null when it is there.</summary>
    public static string? Missing { get; } = Folder is null ? "No site was made; ./test site makes one." : null;

    /// <summary>Where it is.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable("SPOTTER_TEST_SITE") is { Length: > 0 } folder ? folder : null;
}

/// <summary>A test of the site in Chromium; skipped without one of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SiteBrowserFactAttribute : FactAttribute
{
    public SiteBrowserFactAttribute() => Skip = SiteFactAttribute.Missing ?? (Browser.Executable is null ? Browser.Missing : null);
}
