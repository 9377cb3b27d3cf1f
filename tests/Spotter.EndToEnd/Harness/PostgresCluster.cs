using System.Diagnostics;
using System.Globalization;

namespace Spotter.EndToEnd.Harness;

/// <summary>A PostgreSQL server of our own in a temporary folder, with fsync on and a password; it goes away with the tests.</summary>
public sealed class PostgresCluster : IDisposable
{
    private const string User = "spotter";
    private const string Password = "correct horse/battery?staple";
    private const string Locale = "C";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly string? Programs = FindPrograms();

    private readonly string folder;
    private bool disposed;

    private PostgresCluster(string folder, int port)
    {
        this.folder = folder;
        Port = port;
    }

    /// <summary>Why there can be no cluster here; null when there can.</summary>
    public static string? Missing { get; } =
        Programs is null ? "there is no PostgreSQL server here: install the package postgresql" : null;

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Its address, with user and password.</summary>
    public string Url =>
        string.Create(CultureInfo.InvariantCulture, $"postgres://{User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{Port}/postgres");

    /// <summary>The password, to look for where it must not be.</summary>
    public static string Secret => Password;

    private string Data => Path.Combine(folder, "data");

    /// <summary>Makes and starts one.</summary>
    public static PostgresCluster Start()
    {
        var cluster = new PostgresCluster(Directory.CreateTempSubdirectory("spotter-postgres-").FullName, FreePort.Take());
        try
        {
            var passwordFile = Path.Combine(cluster.folder, "password");
            File.WriteAllText(passwordFile, Password);
            if (Environment.IsPrivilegedProcess)
                Run("chown", "-R", ServerUser(), cluster.folder);
            cluster.RunProgram("initdb", "-D", cluster.Data, "-U", User, "-A", "scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8", $"--locale={Locale}", "--no-sync");
            cluster.Control("start");
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>As after a crash of the server: nothing is flushed, every connection is cut, and it comes up again from its log.</summary>
    public void Crash() => Control("restart", "-m", "immediate");

    /// <summary>Ends it as <c>pg_ctl stop</c> does in this mode: <c>fast</c>, or <c>immediate</c>.</summary>
    public void Stop(string mode) => RunProgram("pg_ctl", "-D", Data, "-m", mode, "-w", "stop");

    /// <summary>Starts it again after <see cref="Stop"/>.</summary>
    public void StartAgain() => Control("start");

    /// <summary>Runs a client program of the server's package, as <c>pg_dump</c>, on it.</summary>
    public void RunClient(string program, params string[] arguments) => Run(Folders().Select(f => Path.Combine(f, program)).First(File.Exists), [$"--dbname={Url}", .. arguments]);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            Stop("immediate");
        Directory.Delete(folder, recursive: true);
    }

    private static string? FindPrograms() => Folders().FirstOrDefault(p => ((string[])["initdb", "pg_ctl", "postgres"]).All(f => File.Exists(Path.Combine(p, f))));

    private static IEnumerable<string> Folders()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(d => Path.Combine(d, "bin"))
            : [];
        return path.Concat(installed);
    }

    /// <summary>The server refuses to run as root.</summary>
    private static string ServerUser() =>
        File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private void Control(params string[] what) =>
        RunProgram(
            "pg_ctl", ["-D", Data, "-w", "-t", "60", "-l", Path.Combine(folder, "log"),
            "-o", string.Create(CultureInfo.InvariantCulture, $"-p {Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"), .. what]);

    private void RunProgram(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(Programs!, program), .. arguments];
        if (Environment.IsPrivilegedProcess)
            command = ["runuser", "-u", ServerUser(), "--", .. command];
        Run(command[0], command[1..]);
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["LC_ALL"] = Locale;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} can't be started.");
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} takes longer than {Patience}.");
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with status {process.ExitCode}: {string.Join('\n', said.Result)}");
    }
}
