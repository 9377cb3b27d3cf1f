using System.Diagnostics;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>The program as built, in the configuration of the tests.</summary>
public static class SpotterProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The variable that names a mistake to make, which only a program built with mistakes can.</summary>
    public const string PlantedBug = "SPOTTER_PLANTED_BUG";

    /// <summary>The program.</summary>
    public static readonly string File = Built(Configuration());

    /// <summary>The program with mistakes in it; built by <c>./test faults</c> only.</summary>
    public static readonly string PlantedFile = Built("planted");

    /// <summary>The variable that has the program of an image run, with this folder for what it writes (<c>tests/containers/run</c>).</summary>
    public const string ImageData = "SPOTTER_TEST_IMAGE_DATA";

    /// <summary>The variable that has the program on the path of this root run (<c>tests/containers/inside</c>).</summary>
    public const string Root = "SPOTTER_TEST_ROOT";

    /// <summary>The variable that says as which user of that root.</summary>
    public const string RootUser = "SPOTTER_TEST_ROOT_USER";

    /// <summary>The variable that has this program of that root run instead.</summary>
    public const string RootProgram = "SPOTTER_TEST_ROOT_PROGRAM";

    /// <summary>The variable that has another build of the program run, which is in this file (<c>./test upgrade</c>).</summary>
    public const string Other = "SPOTTER_TEST_PROGRAM";

    /// <summary>What starts it, with nothing of this process's own settings.</summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var file = environment?.GetValueOrDefault(Other) ?? (environment?.ContainsKey(PlantedBug) == true ? PlantedFile : File);
        (string Program, IEnumerable<string> Arguments) run = environment?.GetValueOrDefault(ImageData) is { } data
            ? (Path.Combine(SharedFiles.Repository, "tests", "containers", "run"), [ImageFactAttribute.Root!, data, .. arguments])
            : environment?.GetValueOrDefault(Root) is { } root
            ? (Path.Combine(SharedFiles.Repository, "tests", "containers", "inside"), [root, environment[RootUser], environment.GetValueOrDefault(RootProgram) ?? "spotter", .. arguments])
            : ("dotnet", [file, .. arguments]);
        var start = new ProcessStartInfo(run.Program, run.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("SPOTTER_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        // What a checkout carries of its own is tested where it is meant.
        start.Environment["SPOTTER_STARTER"] = "none";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs it to its end.</summary>
    public static Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments) =>
        RunWithAsync(new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    /// <summary>As <see cref="RunAsync"/>, with settings in the environment.</summary>
    public static async Task<(int Status, string Output, string Errors)> RunWithAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Process.Start(StartInfo(arguments, environment))!;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException late)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"spotter {string.Join(' ', arguments)} did not end within {Patience.TotalSeconds:0} s.", late);
        }
    }

    private static string Built(string output) =>
        Path.Combine(SharedFiles.Repository, "src", "Spotter.Cli", "bin", output, "net10.0", "spotter.dll");

    private static string Configuration() =>
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
}
