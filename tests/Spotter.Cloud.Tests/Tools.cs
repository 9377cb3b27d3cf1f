using Spotter.EndToEnd.Harness;

namespace Spotter.Cloud.Tests;

/// <summary>Programs that not every machine has, and why tests are skipped without them.</summary>
internal static class Tools
{
    public static string? CfnLint { get; } = Find("cfn-lint");

    public static string? Aws { get; } = Find("aws");

    /// <summary>Why what deploys can't be tried; null when it can.</summary>
    public static string? NoCloud => MotoServer.Missing ?? (Aws is null ? "there is no aws command: install the AWS command line" : null);

    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);
}

/// <summary>A test that needs cfn-lint; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LintFactAttribute : FactAttribute
{
    public LintFactAttribute() => Skip = Tools.CfnLint is null ? "there is no cfn-lint: pip install cfn-lint" : null;
}

/// <summary>A test that needs moto_server and the AWS command line; counted as skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CloudFactAttribute : FactAttribute
{
    public CloudFactAttribute() => Skip = Tools.NoCloud;
}

/// <summary>As <see cref="CloudFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CloudTheoryAttribute : TheoryAttribute
{
    public CloudTheoryAttribute() => Skip = Tools.NoCloud;
}
