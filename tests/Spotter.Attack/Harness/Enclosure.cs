using System.Net;

namespace Spotter.Attack.Harness;

/// <summary>The network namespace without a way out, in which <c>./test attack</c> runs these tests where one can be made.</summary>
internal static class Enclosure
{
    /// <summary>Where clouds answer their machines; in the enclosure this machine's own.</summary>
    public static readonly IPAddress Metadata = IPAddress.Parse("169.254.169.254");

    /// <summary>Why these tests have no such namespace; null when they have.</summary>
    public static string? Missing { get; } =
        Environment.GetEnvironmentVariable("SPOTTER_ENCLOSED") == "1" ? Strace.Missing : "this runs in a network namespace only (./test attack makes one with tests/Spotter.Attack/enclosed)";
}

/// <summary>A test that needs the enclosure and strace; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EnclosedFactAttribute : FactAttribute
{
    public EnclosedFactAttribute() => Skip = Enclosure.Missing;
}
