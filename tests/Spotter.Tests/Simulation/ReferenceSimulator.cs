using System.Globalization;
using System.Text.Json;
using Spotter.Scaling.Simulation;
using Spotter.Tests.Cli;

namespace Spotter.Tests.Simulation;

/// <summary>The simulator in Python that may lie beside the checkout.</summary>
internal static class ReferenceSimulator
{
    private static readonly string Bench = Path.Combine(SharedFiles.Root, "autoscale");

    /// <summary>What is missing to run it; null when nothing is.</summary>
    public static string? Missing { get; } =
        !File.Exists(Path.Combine(Bench, "bench.py")) ? "../shared/autoscale/bench.py is not here"
        : !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "python3"))) ? "python3 is not installed"
        : null;

    /// <summary>Runs policies on its traces; the traces lie in the folder then.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="machine">The kind of worker.</param>
    /// <param name="repetitions">How often each policy is run.</param>
    /// <param name="policies">Their names there.</param>
    /// <param name="traces">The traces' names there.</param>
    /// <param name="bounded">Of these, those whose bounds are worked out too.</param>
    public static async Task<JsonElement> RunAsync(
        string folder, MachineKind machine, int repetitions, IEnumerable<string> policies, IEnumerable<string> traces, IEnumerable<string> bounded)
    {
        var ran = await SpotterProgram.StartAsync(
            "python3",
            [
                "-B", Path.Combine(SharedFiles.Repository, "tests", "Spotter.Tests", "Simulation", "reference.py"), Bench, folder, machine.Name,
                repetitions.ToString(CultureInfo.InvariantCulture), string.Join(',', policies), string.Join(',', traces), string.Join(',', bounded),
            ],
            new(StringComparer.Ordinal),
            TimeSpan.FromMinutes(10));
        ran.Status.ShouldBe(0, ran.Errors);
        return ran.Json()[0];
    }

    /// <summary>One of its traces.</summary>
    public static ArrivalTrace Read(string folder, string name, JsonElement figures, MachineKind machine) =>
        TraceFile.Read(Path.Combine(folder, $"{name}.csv"), machine, new()) with { Horizon = figures.GetProperty(name).GetProperty("horizon").GetDouble() };
}

/// <summary>A test that needs the reference simulator; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReferenceFactAttribute : FactAttribute
{
    public ReferenceFactAttribute() => Skip = ReferenceSimulator.Missing;
}
