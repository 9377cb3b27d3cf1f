namespace Spotter.Cli.Serve;

/// <summary>How to start this program again, as another command.</summary>
internal static class SelfProgram
{
    /// <summary>The executable: the .NET host when it runs this program, else the program itself.</summary>
    public static string File { get; } = Environment.ProcessPath
        ?? throw new InvalidOperationException("The path of the running program is unknown.");

    /// <summary>The arguments that come before the command.</summary>
    public static IReadOnlyList<string> Arguments { get; } = RunsInHost()
        ? [Path.Combine(AppContext.BaseDirectory, "spotter.dll")]
        : [];

    private static bool RunsInHost() =>
        Path.GetFileNameWithoutExtension(File).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
}
