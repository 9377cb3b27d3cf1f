using System.Diagnostics;
using System.Text;

namespace Spotter.EndToEnd.Load;

/// <summary>The benchmarks' own checks: a measurement with a mistake planted in it has to fail, and say what did not happen.</summary>
public sealed class BenchmarkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_measurement_without_mistakes_passes()
    {
        var (status, output, errors) = await RunAsync("selftest");

        status.ShouldBe(0, errors);
        output.ShouldContain("Spotter, 1 worker");
    }

    [Theory]
    [InlineData("cache", "were answered from a stored result, not by a worker")]
    [InlineData("count", "The service knows only")]
    [InlineData("bytes", "is not the one that was sent")]
    [InlineData("backlog", "jobs should wait")]
    public async Task A_mistake_is_noticed_and_named(string plant, string sentence)
    {
        var (status, output, errors) = await RunAsync("selftest", "--plant", plant);

        status.ShouldBe(1, errors);
        errors.ShouldContain(sentence);
        output.ShouldNotContain("Spotter, 1 worker");
    }

    private static async Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
        var program = Path.Combine(SharedFiles.Repository, "benchmarks", "Spotter.Benchmarks", "bin", configuration, "net10.0", "Spotter.Benchmarks.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        })!;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
