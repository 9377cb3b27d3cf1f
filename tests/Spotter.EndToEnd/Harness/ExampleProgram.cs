using System.Diagnostics;

namespace Spotter.EndToEnd.Harness;

/// <summary>
/// The examples as a program of their own, with engines that do not come with Spotter: a gateway and a worker on a folder
/// that is deleted with it.
/// </summary>
internal sealed class ExampleProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder folder = new();
    private readonly Process process;

    private ExampleProgram(Func<TemporaryFolder, Process> start) => process = start(folder);

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(2) };

    public Uri Address => Client.BaseAddress!;

    /// <summary>Most memory that it has had so far, in bytes (<c>VmHWM</c>).</summary>
    public long PeakMemoryBytes => Processes.MostMemoryOf(process.Id);

    /// <summary>What it keeps and what it has not finished writing.</summary>
    public IReadOnlyList<string> Blobs => [.. Files(Path.Combine(folder.Path, "data", "blobs")).Where(file => Path.GetFileName(file) != "spotter-owner")];

    /// <summary>What its worker has on this machine while jobs run.</summary>
    public IReadOnlyList<string> Scratch =>
        [.. Directory.GetDirectories(Path.Combine(folder.Path, "temporary"), "spotter-worker-*").SelectMany(worker => Files(worker))];

    public static async Task<ExampleProgram> StartAsync()
    {
        var started = new ExampleProgram(Start);
        using var patience = new CancellationTokenSource(Patience);
        var line = await started.process.StandardOutput.ReadLineAsync(patience.Token);
        started.Client.BaseAddress = new Uri(line.ShouldNotBeNull().Replace("listening on ", "", StringComparison.Ordinal));
        return started;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.Dispose();
        folder.Dispose();
    }

    private static Process Start(TemporaryFolder folder)
    {
        var temporary = Directory.CreateDirectory(Path.Combine(folder.Path, "temporary")).FullName;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
        var program = Path.Combine(SharedFiles.Repository, "tests", "Spotter.Examples", "bin", configuration, "net10.0", "Spotter.Examples.dll");
        var start = new ProcessStartInfo("dotnet", [program, Path.Combine(folder.Path, "data")]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["TMPDIR"] = temporary;
        return Process.Start(start)!;
    }

    private static string[] Files(string folder) =>
        Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : [];
}
