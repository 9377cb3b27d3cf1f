using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>Requests that no decent client sends.</summary>
internal static class RawRequest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Sends these bytes and reads all that comes back.</summary>
    public static Task<string> SendAsync(Uri address, string request) => SendAsync(address, Encoding.Latin1.GetBytes(request), Stream.Null, chunked: false);

    /// <summary>Sends a head and then a body for as long as the server takes it, and reads all that comes back meanwhile.</summary>
    public static async Task<string> SendAsync(Uri address, byte[] head, Stream body, bool chunked)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, patience.Token);
        await using var stream = client.GetStream();
        var sending = SendAsync(stream, head, body, chunked, patience.Token);
        var answer = new StringBuilder();
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, patience.Token)) > 0)
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Reset by the server, after what it had to say.
        }
        await sending;
        return answer.ToString();
    }

    /// <summary>The status and the body of an answer.</summary>
    public static (int Status, string Body) Read(string answer)
    {
        answer.ShouldStartWith("HTTP/1.1 ");
        return (int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture), answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    private static async Task SendAsync(NetworkStream stream, byte[] head, Stream body, bool chunked, CancellationToken cancel)
    {
        try
        {
            await stream.WriteAsync(head, cancel);
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await body.ReadAsync(buffer, cancel)) > 0)
            {
                if (chunked)
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{read:x}\r\n")), cancel);
                await stream.WriteAsync(buffer.AsMemory(0, read), cancel);
                if (chunked)
                    await stream.WriteAsync("\r\n"u8.ToArray(), cancel);
            }
            if (chunked)
                await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), cancel);
        }
        catch (IOException)
        {
            // The server has heard enough.
        }
    }
}
