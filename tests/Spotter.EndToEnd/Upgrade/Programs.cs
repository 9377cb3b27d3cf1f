namespace Spotter.EndToEnd.Upgrade;

/// <summary>The builds of the program that an upgrade goes from, which <c>./test upgrade</c> makes of earlier commits, and to.</summary>
internal static class Programs
{
    /// <summary>The program as built here.</summary>
    public const string New = "new";

    /// <summary>One beside which this one can run on the same store.</summary>
    public const string Rolling = "rolling";

    /// <summary>One whose tables are so unlike the present ones that it has to be stopped first.</summary>
    public const string Stopped = "stopped";

    /// <summary>Why there is nothing to upgrade from; null when there is.</summary>
    public static string? Missing { get; } =
        FileOf(Rolling) is null || FileOf(Stopped) is null ? "No earlier program was built; ./test upgrade builds them." : null;

    /// <summary>What has a program run.</summary>
    public static Dictionary<string, string> Environment(string program)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef" };
        if (program != New)
            environment[SpotterProgram.Other] = FileOf(program)!;
        return environment;
    }

    private static string? FileOf(string program) =>
        System.Environment.GetEnvironmentVariable(program == Rolling ? "SPOTTER_TEST_UPGRADE_ROLLING" : "SPOTTER_TEST_UPGRADE_STOPPED") is { Length: > 0 } file ? file : null;
}

/// <summary>A test of an upgrade from each earlier program; skipped where none was built.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UpgradeTheoryAttribute : TheoryAttribute
{
    public UpgradeTheoryAttribute() => Skip = Programs.Missing;
}

/// <summary>A test of an upgrade on a PostgreSQL server; skipped where there is none, or no earlier program.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresUpgradeFactAttribute : FactAttribute
{
    public PostgresUpgradeFactAttribute() => Skip = Programs.Missing ?? PostgresCluster.Missing;
}
