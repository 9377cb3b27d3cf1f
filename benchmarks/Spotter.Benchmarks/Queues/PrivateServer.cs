using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Spotter.Benchmarks.Queues;

/// <summary>A Redis or PostgreSQL of this run's own, on a free port and in a temporary folder; gone with this object.</summary>
internal sealed class PrivateServer : IAsyncDisposable
{
    private const int NotInstalled = 3;

    private readonly Process process;

    private PrivateServer(Process process, int port)
    {
        this.process = process;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Processor time that it has used so far.</summary>
    public TimeSpan ProcessorTime() => ServiceProcess.OfChildren(process.Id);

    /// <summary>How to reach it when it is PostgreSQL.</summary>
    public string PostgresUrl => string.Create(CultureInfo.InvariantCulture, $"postgres://spotter@127.0.0.1:{Port}/postgres");

    /// <summary>The address of a PostgreSQL server as .NET has it.</summary>
    public static string ConnectionString(string url)
    {
        var address = new Uri(url);
        return string.Create(CultureInfo.InvariantCulture, $"Host={address.Host};Port={address.Port};Username={address.UserInfo};Database={address.AbsolutePath[1..]}");
    }

    /// <summary>Starts one and waits until it answers; null, after saying why, where it is not installed.</summary>
    /// <param name="kind"><c>redis</c> or <c>postgres</c>.</param>
    public static async Task<PrivateServer?> StartAsync(string kind)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(Path.Combine(Peers.Folder, "private-server"), [kind, port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var server = Process.Start(start)!;
        var errors = server.StandardError.ReadToEndAsync();
        if (await server.StandardOutput.ReadLineAsync() == "ready")
            return new PrivateServer(server, port);
        await server.WaitForExitAsync();
        var why = (await errors).Trim();
        var status = server.ExitCode;
        server.Dispose();
        if (status != NotInstalled)
            throw new InvalidOperationException($"The server {kind} did not start: {why}");
        Console.WriteLine($"  left out: {why}");
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
