using System.Net.Sockets;
using System.Text;

namespace Spotter.Attack.Harness;

/// <summary>Many connections that one client holds.</summary>
internal sealed class Holders : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<Socket> sockets = [];

    /// <summary>Opens connections, one after another; those that the service closes at once count as well.</summary>
    public static async Task<Holders> OpenAsync(Uri service, int count)
    {
        var holders = new Holders();
        using var patience = new CancellationTokenSource(Patience);
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            holders.sockets.Add(socket);
            await socket.ConnectAsync(service.Host, service.Port, patience.Token);
        }
        return holders;
    }

    /// <summary>Sends the same on each; what was closed meanwhile is left alone.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        using var patience = new CancellationTokenSource(Patience);
        foreach (var socket in sockets)
        {
            try
            {
                await socket.SendAsync(bytes, patience.Token);
            }
            catch (SocketException)
            {
                // The service has had enough of it.
            }
        }
    }

    /// <summary>What has come back so far on those where something has.</summary>
    public async Task<IReadOnlyList<string>> AnsweredAsync()
    {
        List<string> answers = [];
        var buffer = new byte[4096];
        using var patience = new CancellationTokenSource(Patience);
        foreach (var socket in sockets.Where(s => s.Available > 0))
            answers.Add(Encoding.Latin1.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token)));
        return answers;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var socket in sockets)
        {
            // At once and for good: thousands that linger would be in the way of other tests.
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Dispose();
        }
        return ValueTask.CompletedTask;
    }
}
