using System.Globalization;
using Xunit.Abstractions;

namespace Spotter.Tests.Aws.Model;

/// <summary>The store on models of the services it uses, which do more harm than the real ones.</summary>
public sealed class StoreSimulationTests(ITestOutputHelper output)
{
    private static readonly int Jobs = Number("SPOTTER_TEST_SIMULATED_JOBS", otherwise: 3000);
    private static readonly string? Progress = Environment.GetEnvironmentVariable("SPOTTER_TEST_SIMULATION_PROGRESS");
    private static readonly int Seed = Number("SPOTTER_SEED", otherwise: 1);

    [Fact]
    public void Whatever_happens_each_job_ends_once_and_none_is_lost()
    {
        var simulation = new StoreSimulation(new() { Jobs = Jobs, Seed = Seed, Progress = Progress is null ? null : line => File.AppendAllText(Progress, line + "\n") });

        var report = simulation.Run();

        output.WriteLine(report);
        if (Progress is not null)
            File.AppendAllText(Progress, report + "\n");
        simulation.Oracle.Violations.ShouldBeEmpty(report);
        simulation.Oracle.ViolationCount.ShouldBe(0);
        // What is not met tells nothing.
        simulation.Kills.ShouldBeGreaterThan(0);
        simulation.Lost.ShouldBeGreaterThan(0);
        simulation.Doubled.ShouldBeGreaterThan(0);
        simulation.Oracle.Resends.ShouldBeGreaterThan(0);
        simulation.ReachedLimit.ShouldBeGreaterThan(0);
        simulation.LookedAt.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_same_seed_does_the_same_again()
    {
        var size = new SimulationSize { Jobs = 200, Seed = Seed };

        string Report() => new StoreSimulation(size).Run().Split(" in ")[0];

        Report().ShouldBe(Report());
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
