#if PLANTED_BUGS
namespace Spotter.Core;

/// <summary>
/// Mistakes that the fault suite must notice. They exist only in a program built for that suite
/// (<c>-p:PlantedBugs=true</c>), and are made only when <c>SPOTTER_PLANTED_BUG</c> names them.
/// </summary>
public static class PlantedBug
{
    private static readonly string[] Planted = (Environment.GetEnvironmentVariable("SPOTTER_PLANTED_BUG") ?? "").Split(',');

    /// <summary>True when this mistake is to be made.</summary>
    public static bool Is(string bug) => Planted.Contains(bug, StringComparer.Ordinal);
}
#endif
