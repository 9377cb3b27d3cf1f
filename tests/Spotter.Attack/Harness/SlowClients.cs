using System.Net.Sockets;
using System.Text;

namespace Spotter.Attack.Harness;

/// <summary>Connections on which bytes come one at a time. One that the service has ended is opened again, so that there are always as many.</summary>
internal sealed class SlowClients : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly Uri service;
    private readonly byte[] begun;
    private readonly byte[] trickle;
    private readonly CancellationTokenSource stop = new();
    private readonly Connection[] connections;
    private readonly Task sending;
    private int round;

    private SlowClients(Uri service, int count, byte[] begun, byte[] trickle)
    {
        (this.service, this.begun, this.trickle) = (service, begun, trickle);
        connections = [.. Enumerable.Range(0, count).Select(_ => new Connection())];
        sending = SendAsync();
    }

    /// <summary>How many have sent bytes and were then ended by the service, once at least.</summary>
    public int Ended => connections.Count(c => c.Ended > 0);

    /// <summary>True once each has been opened, and some bytes have come on it.</summary>
    public bool AreThere => Volatile.Read(ref round) > 3;

    /// <summary>The first lines of what the service has said, and how often.</summary>
    public string Heard
    {
        get
        {
            var heard = connections.SelectMany(c => c.Heard.ToArray()).CountBy(line => line, StringComparer.Ordinal);
            return string.Join(", ", heard.OrderByDescending(h => h.Value).Select(h => $"{h.Value} times '{h.Key}'"));
        }
    }

    /// <summary>Opens them.</summary>
    /// <param name="service">Where.</param>
    /// <param name="count">How many.</param>
    /// <param name="begun">What each sends at once.</param>
    /// <param name="trickle">What each sends a byte at a time, from its beginning again when it is at its end.</param>
    public static SlowClients Start(Uri service, int count, string begun, byte[] trickle) => new(service, count, Encoding.Latin1.GetBytes(begun), trickle);

    /// <summary>Ends with the error of the one that sends, if there is one.</summary>
    public async Task CheckAsync()
    {
        if (sending.IsCompleted)
            await sending;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var connection in connections)
            connection.Close();
        stop.Dispose();
    }

    private async Task SendAsync()
    {
        // Not on the thread of the one who asks besides.
        await Task.Yield();
        while (true)
        {
            foreach (var connection in connections)
                await SendAsync(connection);
            Interlocked.Increment(ref round);
            await Task.Delay(Pace, TimeProvider.System, stop.Token);
        }
    }

    private async Task SendAsync(Connection connection)
    {
        try
        {
            if (connection.IsEnded())
                connection.Close();
            if (connection.Socket is null)
            {
                connection.Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await connection.Socket.ConnectAsync(service.Host, service.Port, stop.Token);
                if (begun.Length > 0)
                    await connection.Socket.SendAsync(begun, stop.Token);
                connection.Sent = 0;
            }
            await connection.Socket.SendAsync(trickle.AsMemory(connection.Sent++ % trickle.Length, 1), stop.Token);
        }
        catch (SocketException)
        {
            // The service has had enough of it; it is opened again in the next round.
            connection.Close();
        }
    }

    private sealed class Connection
    {
        public Socket? Socket { get; set; }

        public int Sent { get; set; }

        public int Ended { get; private set; }

        public List<string> Heard { get; } = [];

        /// <summary>True when the service has closed it; notes what it says before.</summary>
        public bool IsEnded()
        {
            if (Socket is null || !Socket.Poll(0, SelectMode.SelectRead))
                return false;
            var buffer = new byte[4096];
            var read = Socket.Receive(buffer);
            if (read > 0)
                Heard.Add(Encoding.Latin1.GetString(buffer, 0, read).Split('\r')[0]);
            return read == 0;
        }

        public void Close()
        {
            if (Socket is null)
                return;
            if (Sent > 0)
                Ended++;
            // At once and for good: hundreds that linger would be in the way of other tests.
            Socket.LingerState = new LingerOption(enable: true, seconds: 0);
            Socket.Dispose();
            Socket = null;
        }
    }
}
