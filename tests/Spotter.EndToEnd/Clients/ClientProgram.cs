using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Clients;

/// <summary>Programs that use the clients, each run to its end.</summary>
internal static class ClientProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Where Node is; null where it is not.</summary>
    public static string? Node { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "node")).FirstOrDefault(File.Exists);

    /// <summary>What it takes to run them and isn't here; null when all is.</summary>
    public static string? Missing { get; } =
        EngineProcess.Python is null ? "there is no python3 here: install the package python3"
        : Node is null ? "there is no node here: install Node 20 or newer" : null;

    /// <summary>A file of the repository.</summary>
    public static string FileOf(params string[] parts) => Path.Combine([SharedFiles.Repository, .. parts]);

    /// <summary>How a program is started: one in Python or JavaScript by what runs it.</summary>
    public static ProcessStartInfo StartInfo(string file, IEnumerable<string> arguments, string folder = "")
    {
        var interpreter = Path.GetExtension(file) switch { ".py" => EngineProcess.Python!, ".mjs" or ".js" => Node!, _ => null };
        var start = new ProcessStartInfo(interpreter ?? file, interpreter is null ? arguments : [file, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["PYTHONPATH"] = FileOf("clients", "python");
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        return start;
    }

    /// <summary>Runs one to its end; what it wrote.</summary>
    public static async Task<(int Status, string Output, string Errors)> RunAsync(ProcessStartInfo start, string input = "")
    {
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            var output = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, output, await errors);
        }
        catch (OperationCanceledException late)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', start.ArgumentList)} did not end within {Patience.TotalSeconds:0} s.", late);
        }
    }

    /// <summary>As <see cref="RunAsync"/>, of one that has to succeed and prints JSON.</summary>
    public static async Task<JsonElement> JsonAsync(ProcessStartInfo start, string input = "")
    {
        var (status, output, errors) = await RunAsync(start, input);
        status.ShouldBe(0, errors);
        return JsonDocument.Parse(output).RootElement;
    }
}
