using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Spotter.EndToEnd.Watch;

/// <summary>How a broker is spoken to.</summary>
internal enum BrokerAccess
{
    Open,
    Password,
    Tls,
}

/// <summary>An MQTT broker of our own, which keeps nothing on disk; it goes away with the tests.</summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    public const string User = "spotter";
    public const string Password = "br0ker-secret";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();
    private readonly BrokerAccess access;
    private Process? process;

    private Mosquitto(BrokerAccess access)
    {
        this.access = access;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        // As root it would change to a user who can't read these files.
        var settings = string.Create(CultureInfo.InvariantCulture, $"listener {Port} 127.0.0.1\nuser root\npersistence false\nallow_anonymous {(access == BrokerAccess.Password ? "false" : "true")}\n");
        if (access == BrokerAccess.Password)
        {
            using var passwords = Process.Start("mosquitto_passwd", ["-b", "-c", folder.File("passwords"), User, Password]);
            passwords.WaitForExit();
            settings += $"password_file {folder.File("passwords")}\n";
        }
        if (access == BrokerAccess.Tls)
        {
            LocalCertificate.Write("Broker of the tests", Certificate, folder.File("key.pem"));
            settings += $"certfile {Certificate}\nkeyfile {folder.File("key.pem")}\n";
        }
        File.WriteAllText(folder.File("mosquitto.conf"), settings);
    }

    public int Port { get; }

    /// <summary>Its address, without a password.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"{(access == BrokerAccess.Tls ? "mqtts" : "mqtt")}://{(access == BrokerAccess.Password ? User + "@" : "")}127.0.0.1:{Port}");

    /// <summary>The file of the certificate that it shows, which it made itself.</summary>
    public string Certificate => folder.File("certificate.pem");

    public static async Task<Mosquitto> StartAsync(BrokerAccess access = BrokerAccess.Open)
    {
        var broker = new Mosquitto(access);
        try
        {
            await broker.StartAgainAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>As after a crash: every connection is cut, and what it kept is lost.</summary>
    public async Task KillAsync()
    {
        if (process is null)
            return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    /// <summary>Starts it, also after <see cref="KillAsync"/>. Returns once it listens.</summary>
    public async Task StartAgainAsync()
    {
        process = Process.Start(new ProcessStartInfo(Programs.Mosquitto!, ["-c", folder.File("mosquitto.conf"), "-v"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var ready = new TaskCompletionSource();
        var said = new List<string>();
        void Hear(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return;
            lock (said)
                said.Add(line.Data);
            if (line.Data.Contains(" running", StringComparison.Ordinal))
                ready.TrySetResult();
        }
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) =>
        {
            lock (said)
                ready.TrySetException(new InvalidOperationException($"mosquitto does not start: {string.Join('\n', said)}"));
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        folder.Dispose();
    }
}
