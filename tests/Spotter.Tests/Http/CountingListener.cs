using System.Net;
using System.Net.Sockets;

namespace Spotter.Tests.Http;

/// <summary>Counts who comes to an address, and says nothing to anybody.</summary>
internal sealed class CountingListener : IDisposable
{
    private readonly TcpListener listener;
    private int connects;

    public CountingListener(IPAddress address, int port = 0)
    {
        listener = new TcpListener(address, port);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = CountAsync();
    }

    public int Port { get; }

    public int Connects => Volatile.Read(ref connects);

    public void Dispose() => listener.Dispose();

    private async Task CountAsync()
    {
        var clients = new List<Socket>();
        try
        {
            while (true)
            {
                clients.Add(await listener.AcceptSocketAsync());
                Interlocked.Increment(ref connects);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // It was disposed of.
            clients.ForEach(c => c.Dispose());
        }
    }
}
