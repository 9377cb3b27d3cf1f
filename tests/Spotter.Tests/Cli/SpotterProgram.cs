using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Spotter.Tests.Cli;

/// <summary>What a run of a program left behind.</summary>
public sealed record Ran(int Status, string Output, string Errors)
{
    /// <summary>Standard output as one JSON document per line; throws if anything else is on it.</summary>
    public IReadOnlyList<JsonElement> Json() =>
        [.. Lines(Output).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The lines on standard error.</summary>
    public IReadOnlyList<string> ErrorLines() => Lines(Errors);

    private static List<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}

/// <summary>Runs the program as built, in a process of its own.</summary>
public static class SpotterProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The program as built.</summary>
    public static readonly string Program = Path.Combine(
        SharedFiles.Repository, "src", "Spotter.Cli", "bin", Configuration(), "net10.0", "spotter.dll");

    public static Task<Ran> RunAsync(params string[] arguments) => RunWithAsync(new(StringComparer.Ordinal), arguments);

    /// <summary>Runs it with more time than usual.</summary>
    public static Task<Ran> RunAsync(TimeSpan patience, params string[] arguments) =>
        StartAsync("dotnet", [Program, .. arguments], new(StringComparer.Ordinal), patience);

    public static Task<Ran> RunWithAsync(Dictionary<string, string> environment, params string[] arguments) =>
        StartAsync("dotnet", [Program, .. arguments], environment);

    /// <summary>Runs it in a folder of the caller's.</summary>
    public static Task<Ran> RunInAsync(string folder, Dictionary<string, string> environment, params string[] arguments) =>
        StartAsync("dotnet", [Program, .. arguments], environment, folder: folder);

    /// <summary>Runs any program to its end.</summary>
    public static async Task<Ran> StartAsync(string file, IEnumerable<string> arguments, Dictionary<string, string> environment, TimeSpan? within = null, string folder = "")
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("SPOTTER_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["SPOTTER_STARTER"] = "none";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(within ?? Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return new(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end within {within ?? Patience}.", e);
        }
    }

    // The program is built in the same configuration as the tests.
    private static string Configuration() =>
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
}

/// <summary>A folder that ends with its test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("spotter-test-").FullName;

    /// <summary>Makes a file, and the folders to it.</summary>
    public string File(string name, byte[]? content = null)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, content ?? []);
        return path;
    }

    /// <summary>Copies a shared picture or model into the folder.</summary>
    public string Copy(string source, string name) => File(name, System.IO.File.ReadAllBytes(source));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
