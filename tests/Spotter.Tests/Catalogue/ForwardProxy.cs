using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spotter.Tests.Catalogue;

/// <summary>
/// A small forward proxy: requests with a whole address and <c>CONNECT</c>. Every host leads to one server here, so that
/// only who goes through it arrives.
/// </summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> requests = new();
    private readonly Uri destination;
    private readonly Task accepting;

    public ForwardProxy(Uri destination)
    {
        this.destination = destination;
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>What it answers to <c>CONNECT</c>.</summary>
    public string Answer { get; set; } = "200 Connection established";

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>First lines of the requests.</summary>
    public IReadOnlyList<string> Requests => [.. requests];

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        finally
        {
            await Task.WhenAll(serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var near = client.GetStream();
            var head = await ReadHeadAsync(near);
            var line = head[..head.IndexOf('\r', StringComparison.Ordinal)];
            requests.Enqueue(line);
            using var server = new TcpClient();
            await server.ConnectAsync(destination.Host, destination.Port, stop.Token);
            var far = server.GetStream();
            if (line.StartsWith("CONNECT ", StringComparison.Ordinal))
            {
                await near.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {Answer}\r\n\r\n"), stop.Token);
                if (!Answer.StartsWith("200", StringComparison.Ordinal))
                    return;
            }
            else
            {
                await far.WriteAsync(Encoding.ASCII.GetBytes(head), stop.Token);
            }
            await Task.WhenAny(near.CopyToAsync(far, stop.Token), far.CopyToAsync(near, stop.Token));
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, stop.Token) == 1)
            head.Append((char)one[0]);
        return head.ToString();
    }
}
