using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Spotter.Core;

/// <summary>
/// What the failpoint <c>escape</c> does: it tries what a sandbox must refuse, as somebody would who has taken a decoder over, and
/// writes what became of it to standard error. What to try is in <see cref="Variable"/>.
/// </summary>
internal static class EscapeAttempts
{
    /// <summary>Attempts, with <c>|</c> between them: <c>exec PATH</c>, <c>write PATH</c>, <c>read PATH</c>, <c>list PATH</c>, <c>watch PATH</c>, <c>get URL</c>,
    /// <c>udp ADDRESS:PORT</c>, <c>unix PATH</c>, <c>listen PORT</c>.</summary>
    private const string Variable = "SPOTTER_FAILPOINT_ESCAPE";

    public static void Make()
    {
        foreach (var attempt in (Environment.GetEnvironmentVariable(Variable) ?? "").Split('|', StringSplitOptions.RemoveEmptyEntries))
            Console.Error.WriteLine($"escape: {attempt}: {Outcome(attempt)}");
        Console.Error.WriteLine("escape: end");
    }

    private static string Outcome(string attempt)
    {
        try
        {
            switch (attempt.Split(' ', 2))
            {
                case ["exec", var path]:
                    using (Process.Start(path))
                        return "done";
                case ["write", var path]:
                    File.WriteAllText(path, "x");
                    return "done";
                case ["read", var path]:
                    using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
                        return file.ReadByte() >= 0 ? "done" : "refused (nothing is shown of it)";
                case ["list", var path]:
                    _ = Directory.GetFileSystemEntries(path);
                    return "done";
                case ["watch", var path]:
                    using (var watcher = new FileSystemWatcher(path))
                        watcher.EnableRaisingEvents = true;
                    return "done";
                case ["get", var url]:
                    using (var client = new HttpClient(Outgoing.NewHandler()))
                    using (var request = new HttpRequestMessage(HttpMethod.Get, url))
                    using (client.Send(request))
                        return "done";
#pragma warning disable RS0030 // Nothing is to be reached: these are what has to be refused.
                case ["udp", var endpoint]:
                    using (var socket = new Socket(SocketType.Dgram, ProtocolType.Udp))
                        socket.SendTo("x"u8, IPEndPoint.Parse(endpoint));
                    return "done";
                case ["unix", var path]:
                    using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                        socket.Connect(new UnixDomainSocketEndPoint(path));
                    return "done";
                case ["listen", var port]:
                    using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
                        socket.Bind(new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
                    return "done";
#pragma warning restore RS0030
                default:
                    return "unknown";
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ExternalException or HttpRequestException)
        {
            return $"refused ({refused.Message})";
        }
    }
}
