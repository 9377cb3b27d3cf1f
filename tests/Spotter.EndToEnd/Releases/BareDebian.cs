using System.Diagnostics;
using System.Security.Cryptography;

namespace Spotter.EndToEnd.Releases;

/// <summary>A Debian with neither .NET nor Node.js, to install a release in. Goes away with the test.</summary>
internal sealed class BareDebian : IDisposable
{
    // What dpkg and useradd keep for themselves.
    private static readonly string[] Books = ["/var/lib/dpkg/", "/var/log/", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/proc/", "/dev/"];

    private readonly TemporaryFolder folder = new();

    private BareDebian()
    {
    }

    /// <summary>Its files.</summary>
    public string Root => folder.File("root");

    public static async Task<BareDebian> MakeAsync()
    {
        var made = new BareDebian();
        (await RunAsync("cp", ["-a", InstallFactAttribute.Debian!, made.Root])).Status.ShouldBe(0);
        foreach (var tool in (string[])["dotnet", "node", "spotter"])
            (await made.RunAsync("sh", "-c", $"command -v {tool}")).Status.ShouldNotBe(0);
        return made;
    }

    /// <summary>A file in it.</summary>
    public string File(string path) => Path.Combine(Root, path.TrimStart('/'));

    /// <summary>Runs a command in it as root, to its end.</summary>
    public Task<(int Status, string Text)> RunAsync(params string[] command) => RunAsAsync("root", command);

    /// <summary>As <see cref="RunAsync(string[])"/>, as one of its users.</summary>
    public Task<(int Status, string Text)> RunAsAsync(string user, params string[] command) =>
        RunAsync(Path.Combine(SharedFiles.Repository, "tests", "containers", "inside"), [Root, user, .. command]);

    /// <summary>What the harness of the program needs to run the one on the path of this root.</summary>
    public Dictionary<string, string> Environment(string user = "root") =>
        new(StringComparer.Ordinal) { [SpotterProgram.Root] = Root, [SpotterProgram.RootUser] = user, ["SPOTTER_STARTER"] = "" };

    /// <summary>Each file with a hash of what is in it, but the books of packages and users.</summary>
    public SortedDictionary<string, string> Files()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(Root).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
        {
            var name = file.FullName[Root.Length..];
            if (!Books.Any(b => name.StartsWith(b, StringComparison.Ordinal)))
                files[name] = Convert.ToHexString(SHA256.HashData(System.IO.File.ReadAllBytes(file.FullName)));
        }
        return files;
    }

    public void Dispose() => folder.Dispose();

    private static async Task<(int Status, string Text)> RunAsync(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false })!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
        return (process.ExitCode, await output + await errors);
    }
}
