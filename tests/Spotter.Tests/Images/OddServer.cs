using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spotter.Tests.Images;

/// <summary>Gives every request the same answer and hangs up.</summary>
internal sealed class OddServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly byte[] answer;
    private readonly Task serving;
    private int requests;

    public OddServer(string status, string mediaType, string body)
    {
        answer = Encoding.UTF8.GetBytes($"{status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nContent-Type: {mediaType}\r\nConnection: close\r\n\r\n{body}");
        listener.Start();
        Address = new Uri($"http://{listener.LocalEndpoint}");
        serving = ServeAsync();
    }

    public Uri Address { get; }

    public int Requests => Volatile.Read(ref requests);

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
    }

    private async Task ServeAsync()
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                // The headers come first, and all that matters here is that they came.
                _ = await stream.ReadAsync(buffer);
                Interlocked.Increment(ref requests);
                await stream.WriteAsync(answer);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(buffer) > 0)
                {
                    // What is left unread would reset the connection before the answer is read.
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
            catch (IOException)
            {
                // The client had enough.
            }
        }
    }
}
