using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spotter.EndToEnd.Watch;

/// <summary>
/// A camera that speaks RTSP over TCP (RFC 2326, interleaved) and asks for a password. What it sees comes from an ffmpeg that sends RTP
/// here; this passes the packets on.
/// </summary>
internal sealed class RtspCamera : IAsyncDisposable
{
    public const string User = "viewer";
    public const string Password = "s3cret/ÄÖ";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ended = new();
    private readonly TemporaryFolder folder = new();
    private readonly Task accepting;
    private int transport;

    public RtspCamera()
    {
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Its address with user and password.</summary>
    public string UrlWithPassword => $"rtsp://{User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/ch1";

    /// <summary>How many clients have asked for packets within the connection, which is what TCP means.</summary>
    public int Interleaved => Volatile.Read(ref transport);

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
        await accepting;
        ended.Dispose();
        folder.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(ended.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        Process? ffmpeg = null;
        try
        {
            var stream = near.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, false, 1024, leaveOpen: true);
            var sdp = folder.File($"{((IPEndPoint)udp.Client.LocalEndPoint!).Port}.sdp");
            while (await ReadAsync(reader) is { } request)
            {
                var method = request[0].Split(' ')[0];
                var head = $"RTSP/1.0 200 OK\r\n{request.First(l => l.StartsWith("CSeq", StringComparison.OrdinalIgnoreCase))}\r\n";
                var known = "Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
                if (method is not "OPTIONS" && !request.Contains(known, StringComparer.Ordinal))
                {
                    await WriteAsync(stream, head.Replace("200 OK", "401 Unauthorized", StringComparison.Ordinal) + "WWW-Authenticate: Basic realm=\"camera\"\r\n\r\n");
                    continue;
                }
                switch (method)
                {
                    case "OPTIONS":
                        await WriteAsync(stream, head + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n");
                        break;
                    case "DESCRIBE":
                        ffmpeg = Film(((IPEndPoint)udp.Client.LocalEndPoint!).Port, sdp);
                        await Eventually.BeAsync("ffmpeg describes what it sends", () => File.Exists(sdp) && File.ReadAllText(sdp).Contains("config=", StringComparison.Ordinal));
                        var text = await File.ReadAllTextAsync(sdp);
                        await WriteAsync(stream, string.Create(CultureInfo.InvariantCulture, $"{head}Content-Type: application/sdp\r\nContent-Length: {text.Length}\r\n\r\n{text}"));
                        break;
                    case "SETUP":
                        if (request.Any(l => l.StartsWith("Transport: RTP/AVP/TCP", StringComparison.OrdinalIgnoreCase)))
                            Interlocked.Increment(ref transport);
                        await WriteAsync(stream, head + "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n");
                        break;
                    case "PLAY":
                        await WriteAsync(stream, head + "Session: 1\r\nRange: npt=0.000-\r\n\r\n");
                        await PassOnAsync(udp, stream);
                        break;
                    default:
                        return;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or SocketException)
        {
            // Whoever looked has gone, or the test is over.
        }
        finally
        {
            if (ffmpeg is not null)
            {
                ffmpeg.Kill();
                await ffmpeg.WaitForExitAsync();
                ffmpeg.Dispose();
            }
        }
    }

    private static Process Film(int port, string sdp) => Process.Start(new ProcessStartInfo(
        Programs.Ffmpeg!,
        [
            "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=128x96:rate=10", "-c:v", "mpeg4", "-g", "5", "-flags", "+global_header", "-sdp_file", sdp,
            "-f", "rtp", string.Create(CultureInfo.InvariantCulture, $"rtp://127.0.0.1:{port}?pkt_size=1200"),
        ]) { UseShellExecute = false, RedirectStandardInput = true })!;

    private async Task PassOnAsync(UdpClient udp, NetworkStream stream)
    {
        while (true)
        {
            var packet = (await udp.ReceiveAsync(ended.Token)).Buffer;
            // Control packets have types of their own.
            var channel = packet[1] is >= 200 and <= 204 ? (byte)1 : (byte)0;
            await stream.WriteAsync((byte[])[(byte)'$', channel, (byte)(packet.Length >> 8), (byte)packet.Length, .. packet], ended.Token);
        }
    }

    private async Task<List<string>?> ReadAsync(StreamReader reader)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync(ended.Token) is { } line)
        {
            if (line.Length == 0 && lines.Count > 0)
                return lines;
            lines.Add(line);
        }
        return null;
    }

    private Task WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text), ended.Token).AsTask();
}
