using System.Diagnostics;
using System.Globalization;

namespace Spotter.EndToEnd.Harness;

/// <summary>A Redis server of our own with a password, which keeps nothing on disk; it goes away with the tests.</summary>
public sealed class RedisInstance : IDisposable
{
    private const string Password = "correct horse/battery?staple";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string? Program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Append("/usr/bin").Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);

    private readonly string folder = Directory.CreateTempSubdirectory("spotter-redis-").FullName;
    private Process? process;

    private RedisInstance(int port, bool isSecure)
    {
        Port = port;
        if (isSecure)
        {
            Certificate = Path.Combine(folder, "certificate.pem");
            LocalCertificate.Write("Redis of the tests", Certificate, Key);
        }
    }

    /// <summary>Why there can be none here; null when there can.</summary>
    public static string? Missing { get; } = Program is null ? "there is no Redis server here: install the package redis-server" : null;

    /// <summary>The password, to look for where it must not be.</summary>
    public static string Secret => Password;

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Its address, with the password.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"{(Certificate is null ? "redis" : "rediss")}://:{Uri.EscapeDataString(Password)}@127.0.0.1:{Port}/0");

    /// <summary>The file of the certificate that it shows, which it made itself; null for one without TLS.</summary>
    public string? Certificate { get; private set; }

    /// <summary>Starts one.</summary>
    /// <param name="isSecure">True for one that is spoken to by TLS only.</param>
    public static RedisInstance Start(bool isSecure = false)
    {
        var instance = new RedisInstance(FreePort.Take(), isSecure);
        try
        {
            instance.StartAgain();
            return instance;
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    /// <summary>As after a crash: nothing is written, every connection is cut.</summary>
    public void Kill()
    {
        if (process is null)
            return;
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    /// <summary>Starts it, also after <see cref="Kill"/>; it has nothing of what it had. Returns once it listens.</summary>
    public void StartAgain()
    {
        var start = new ProcessStartInfo(Program!)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList = { "-" },
        };
        process = Process.Start(start) ?? throw new InvalidOperationException("redis-server can't be started.");
        process.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"""
            bind 127.0.0.1
            {(Certificate is null ? "" : "tls-")}port {Port}
            {(Certificate is null ? "" : $"port 0\ntls-cert-file {Certificate}\ntls-key-file {Key}\ntls-ca-cert-file {Certificate}\ntls-auth-clients no")}
            requirepass "{Password}"
            save ""
            appendonly no

            """));
        process.StandardInput.Close();
        // Read to the end, or it would stop when nobody does.
        var ready = new TaskCompletionSource();
        var said = new List<string>();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
                ready.TrySetException(new InvalidOperationException($"redis-server does not start: {string.Join('\n', said)}"));
            else if (line.Data.Contains("Ready to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
            else if (!ready.Task.IsCompleted)
                said.Add(line.Data);
        };
        process.BeginOutputReadLine();
        ready.Task.WaitAsync(Patience).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        Directory.Delete(folder, recursive: true);
    }

    private string Key => Path.Combine(folder, "key.pem");
}
