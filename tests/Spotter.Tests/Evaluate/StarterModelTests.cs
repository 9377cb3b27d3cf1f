using System.Text.Json;
using Spotter.Tests.Cli;
using Xunit.Abstractions;

namespace Spotter.Tests.Evaluate;

/// <summary>The model that comes with Spotter keeps what its description promises, measured by the engine that serves it.</summary>
public sealed class StarterModelTests(ITestOutputHelper output)
{
    /// <summary>The scenes that lie beside it: a sample, so that its figures spread more.</summary>
    [StarterFact]
    public async Task It_finds_what_is_in_the_scenes_beside_it() =>
        await HoldAsync(Path.Combine(StarterFactAttribute.Folder, "scenes"), map50: 0.92, map: 0.70);

    /// <summary>A thousand scenes that it has never seen.</summary>
    [DrawnScenesFact]
    public async Task It_finds_what_is_in_a_thousand_new_scenes() =>
        await HoldAsync(Environment.GetEnvironmentVariable(DrawnScenesFactAttribute.Variable)!, map50: 0.95, map: 0.75);

    private async Task HoldAsync(string scenes, double map50, double map)
    {
        var ran = await SpotterProgram.RunAsync(TimeSpan.FromMinutes(10), "models", "evaluate", StarterFactAttribute.Model, "--dataset", scenes, "--json");

        ran.Status.ShouldBe(0, ran.Errors);
        var report = ran.Json().ShouldHaveSingleItem();
        output.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        report.GetProperty("map50").GetDouble().ShouldBeGreaterThanOrEqualTo(map50);
        report.GetProperty("map").GetDouble().ShouldBeGreaterThanOrEqualTo(map);
    }
}

/// <summary>A test of the model that comes with Spotter; counted as skipped where it has not been put yet.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StarterFactAttribute : FactAttribute
{
    public const string Missing = "models/starter has no model or no scenes yet";

    public StarterFactAttribute()
    {
        if (!IsThere)
            Skip = Missing;
    }

    public static string Folder { get; } = Path.Combine(SharedFiles.Repository, "models", "starter");

    public static string Model { get; } = Path.Combine(Folder, "starter.onnx");

    public static bool IsThere { get; } = File.Exists(Model) && Directory.Exists(Path.Combine(Folder, "scenes", "images"));
}

/// <summary>As <see cref="StarterFactAttribute"/>, on scenes that have been drawn for it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DrawnScenesFactAttribute : FactAttribute
{
    public const string Variable = "SPOTTER_TEST_STARTER_SCENES";

    public DrawnScenesFactAttribute()
    {
        if (!StarterFactAttribute.IsThere)
            Skip = StarterFactAttribute.Missing;
        else if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
            Skip = "drawing a thousand scenes takes minutes and Python: run ./test starter";
    }
}
