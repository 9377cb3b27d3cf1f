using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Spotter.Attack.Harness;

/// <summary>What would notice a confined process that gets out: sockets that listen, a program to be run, a file to be read.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Trap : IDisposable
{
    private readonly TcpListener tcp = new(IPAddress.Loopback, 0);
    private readonly UdpClient udp = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Socket unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string path;

    private Trap(TemporaryFolder folder)
    {
        (path, File, Sign, Script) = (folder.File("trap.sock"), folder.File("private.txt"), folder.File("was-run"), folder.File("run.sh"));
        tcp.Start();
        unix.Bind(new UnixDomainSocketEndPoint(path));
        unix.Listen();
        System.IO.File.WriteAllText(File, "private");
        System.IO.File.WriteAllText(Script, $"#!/bin/sh\ntouch '{Sign}'\n");
        System.IO.File.SetUnixFileMode(Script, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    /// <summary>A file that is none of anybody's business.</summary>
    public string File { get; }

    /// <summary>A program that leaves <see cref="Sign"/>.</summary>
    public string Script { get; }

    /// <summary>Is there once <see cref="Script"/> has run.</summary>
    public string Sign { get; }

    /// <summary>How many of the sockets something has come to.</summary>
    public int Connects => (tcp.Pending() ? 1 : 0) + (udp.Available > 0 ? 1 : 0) + (unix.Poll(0, SelectMode.SelectRead) ? 1 : 0);

    /// <summary>Attempts to reach one of them, or somebody else.</summary>
    public IReadOnlyList<string> Forbidden =>
    [
        Text($"get http://127.0.0.1:{Port(tcp.LocalEndpoint)}/"), Text($"get http://[::1]:{Port(tcp.LocalEndpoint)}/"), Text($"get http://localhost:{Port(tcp.LocalEndpoint)}/"), "get http://169.254.169.254/latest/meta-data/", "get http://spotter-attack.invalid/",
        Text($"udp 127.0.0.1:{Port(udp.Client.LocalEndPoint!)}"), "udp 127.0.0.1:53", "udp [::1]:53", $"unix {path}", "unix /var/run/docker.sock", "unix /run/dbus/system_bus_socket", "listen 0",
    ];

    public static Trap Open(TemporaryFolder folder) => new(folder);

    public void Dispose()
    {
        tcp.Dispose();
        udp.Dispose();
        unix.Dispose();
    }

    private static int Port(EndPoint at) => ((IPEndPoint)at).Port;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
