using System.Diagnostics;

namespace Spotter.Benchmarks;

/// <summary>The Node programs that Spotter is measured against.</summary>
internal static class Peers
{
    /// <summary>Where they lie.</summary>
    public static string Folder { get; } = Path.Combine(BenchmarkOptions.Repository(), "benchmarks", "peers");

    /// <summary>Runs one of them and gives what it printed.</summary>
    public static string Run(string program, params string[] arguments)
    {
        Install();
        return Call("node", [program, .. arguments]);
    }

    /// <summary>Installs what they need when that is not there yet.</summary>
    public static void Install()
    {
        // It writes this file last, and what is newer has been pinned since.
        var installed = new FileInfo(Path.Combine(Folder, "node_modules", ".package-lock.json"));
        if (!installed.Exists || installed.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(Folder, "package-lock.json")))
            Call("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
    }

    private static string Call(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with status {process.ExitCode}.");
    }
}
