using System.Net;
using System.Net.Sockets;

namespace Spotter.EndToEnd.Harness;

/// <summary>What a wire does to one direction of a connection.</summary>
/// <param name="AfterBytes">So many bytes pass first.</param>
/// <param name="Stall">Then nothing more passes; else the connection is cut.</param>
/// <param name="Times">So many connections have the fault; those after them are good.</param>
internal sealed record WireFault(int AfterBytes, bool Stall = false, int Times = int.MaxValue);

/// <summary>A way to a server that breaks on demand: what is sent to it goes to the server, and the answers back.</summary>
internal sealed class FaultyWire : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Uri server;
    private readonly CancellationTokenSource ended = new();
    private readonly List<Task> connections = [];
    private readonly Task accepting;
    private int hit;
    private int broken;
    private long carried;
    private volatile int accepted;
    private volatile int swallowed;

    public FaultyWire(Uri server)
    {
        this.server = server;
        listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        accepting = AcceptAsync();
    }

    /// <summary>Where it takes connections.</summary>
    public Uri Address { get; }

    /// <summary>Bytes that it has carried, both ways together.</summary>
    public long Carried => Interlocked.Read(ref carried);

    /// <summary>How often it has had a fault.</summary>
    public int Broken => Volatile.Read(ref broken);

    /// <summary>What is wrong with the way to the server.</summary>
    public WireFault? Requests { get; set; }

    /// <summary>What is wrong with the way back.</summary>
    public WireFault? Answers { get; set; }

    /// <summary>From now on the connections that there are pass nothing on, and nobody hears of it; new ones are good.</summary>
    public void Swallow() => swallowed = accepted;

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(connections);
        ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(ended.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var number = Interlocked.Increment(ref accepted);
        await Task.Yield();
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(server.Host, server.Port, ended.Token);
            using var cut = CancellationTokenSource.CreateLinkedTokenSource(ended.Token);
            var there = PassAsync(near.GetStream(), far.GetStream(), () => Requests, number, cut);
            var back = PassAsync(far.GetStream(), near.GetStream(), () => Answers, number, cut);
            await Task.WhenAny(there, back);
            await cut.CancelAsync();
            // No farewell after a cut: whoever waits for more must see that the connection broke. The end of a good one takes nothing away
            // that is still under way to a slow reader.
            if ((await Task.WhenAll(there, back)).Contains(true))
                near.Client.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // That is what it is for.
        }
    }

    /// <summary>True when it was cut.</summary>
    private async Task<bool> PassAsync(NetworkStream from, NetworkStream to, Func<WireFault?> fault, int number, CancellationTokenSource cut)
    {
        var buffer = new byte[16 * 1024];
        var passed = 0L;
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(buffer, cut.Token);
                if (read == 0)
                    return false;
                if (number <= swallowed)
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cut.Token);
                if (fault() is { } wrong && passed + read > wrong.AfterBytes && Interlocked.Increment(ref hit) <= wrong.Times)
                {
                    Interlocked.Increment(ref broken);
                    await to.WriteAsync(buffer.AsMemory(0, (int)(wrong.AfterBytes - Math.Min(passed, wrong.AfterBytes))), cut.Token);
                    if (wrong.Stall)
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cut.Token);
                    return true;
                }
                await to.WriteAsync(buffer.AsMemory(0, read), cut.Token);
                passed += read;
                Interlocked.Add(ref carried, read);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The other direction has ended.
            return false;
        }
    }
}
