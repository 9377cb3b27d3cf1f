using System.Globalization;
using Spotter.Core;

namespace Spotter.Faults.Soak;

/// <summary>What <c>./test soak</c> says of a run.</summary>
internal static class SoakSettings
{
    /// <summary>How long it is to last on each store; zero when nobody asked for it.</summary>
    public static TimeSpan Length { get; } =
        double.TryParse(Environment.GetEnvironmentVariable("SPOTTER_TEST_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var minutes) ? TimeSpan.FromMinutes(minutes) : TimeSpan.Zero;

    /// <summary>What is done to the service, and when, follows from it.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("SPOTTER_TEST_SOAK_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : (int)(RandomSource.System.NextDouble() * int.MaxValue);

    /// <summary>The file to which it writes how far it is; null for none.</summary>
    public static string? Progress { get; } = Environment.GetEnvironmentVariable("SPOTTER_TEST_SOAK_PROGRESS");

    /// <summary>Why it is skipped; null when it was asked for.</summary>
    public static string? Missing => Length > TimeSpan.Zero ? null : "This takes hours, and ./test soak runs it.";
}

/// <summary>A run of hours, on a store that has to be there; skipped unless <c>./test soak</c> asks for it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SoakFactAttribute : FactAttribute
{
    /// <param name="store">The store that it needs.</param>
    public SoakFactAttribute(string store) =>
        Skip = SoakSettings.Missing ?? (!OperatingSystem.IsLinux() ? "this needs what only Linux has" : store switch
        {
            SoakStore.Postgres => PostgresCluster.Missing,
            SoakStore.Moto => MotoServer.Missing,
            _ => null,
        });
}
