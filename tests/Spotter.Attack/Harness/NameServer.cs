using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spotter.Attack.Harness;

/// <summary>The name server of the enclosure: says what a test tells it to, something else each time if that is wanted.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    private const int TypeA = 1;
    private const int TypeAaaa = 28;

    private readonly UdpClient socket = new(new IPEndPoint(IPAddress.Loopback, 53));
    private readonly ConcurrentDictionary<string, IPAddress[]> names = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, int> asked = new(StringComparer.OrdinalIgnoreCase);
    private readonly Task serving;

    public NameServer() => serving = ServeAsync();

    /// <summary>Names where a name leads: the first time to the first address, the next time to the next, and to the last from then on.</summary>
    public void Lead(string name, params IPAddress[] addresses) => names[name] = addresses;

    /// <summary>How often a name was asked for.</summary>
    public int Asked(string name) => asked.GetValueOrDefault(name);

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        await serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var question = await socket.ReceiveAsync();
                await socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // It was disposed of.
        }
    }

    /// <summary>The answer to a question in the form of RFC 1035, 4.1.</summary>
    private byte[] Answer(byte[] question)
    {
        var labels = new List<string>();
        var at = 12;
        for (; question[at] > 0; at += question[at] + 1)
            labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
        at++;
        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at));
        var name = string.Join('.', labels);
        var address = Next(name, type);
        // The question again without what else came with it, then at most one answer that is good for no time.
        byte[] answer = [.. question[..2], 0x84, (byte)(address is not null || names.ContainsKey(name) ? 0 : 3), 0, 1, 0, (byte)(address is null ? 0 : 1), 0, 0, 0, 0, .. question[12..(at + 4)]];
        if (address is null)
            return answer;
        var bytes = address.GetAddressBytes();
        return [.. answer, 0xC0, 12, 0, (byte)type, 0, 1, 0, 0, 0, 0, 0, (byte)bytes.Length, .. bytes];
    }

    private IPAddress? Next(string name, int type)
    {
        if (!names.TryGetValue(name, out var addresses))
            return null;
        // Both types are asked for at a time; the count goes by one of them.
        var times = type == TypeA ? asked.AddOrUpdate(name, 1, (_, n) => n + 1) : Math.Max(1, asked.GetValueOrDefault(name));
        var address = addresses[Math.Min(times, addresses.Length) - 1];
        return (address.AddressFamily, type) is (AddressFamily.InterNetwork, TypeA) or (AddressFamily.InterNetworkV6, TypeAaaa) ? address : null;
    }
}
