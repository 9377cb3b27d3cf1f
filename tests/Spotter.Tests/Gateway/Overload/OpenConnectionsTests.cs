using System.Net;
using System.Net.Sockets;

namespace Spotter.Tests.Gateway.Overload;

public sealed class OpenConnectionsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")]
    public async Task Connections_that_do_nothing_shut_nobody_out(string sent)
    {
        await using var bench = await GatewayBench.StartAsync(s => s with { ClientConnections = 20, Jobs = s.Jobs with { MaxWorkers = 1, LanesPerWorker = 1 } });
        var job = await bench.SubmitAsync();
        using var events = await bench.Client.GetAsync(new Uri($"/v1/jobs/{job}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        var idle = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 3 * bench.Settings.MaxConnections; i++)
            {
                var client = new TcpClient();
                idle.Add(client);
                await client.ConnectAsync(IPAddress.Loopback, bench.Address.Port);
                await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(sent));
            }

            for (var i = 0; i < 5; i++)
            {
                using var fresh = new HttpClient { BaseAddress = bench.Address };
                (await fresh.GetAsync(new Uri("/v1/stats", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
            }
            // Who came first and has nothing to say had to go; who follows a job did not.
            using var safety = new CancellationTokenSource(GatewayBench.Safety);
            (await ReadAsync(idle[0], safety.Token)).ShouldBe(0);
            await bench.Jobs.CancelAsync(job, null, default);
            (await events.Content.ReadAsStringAsync(safety.Token)).ShouldContain("id: end");
        }
        finally
        {
            idle.ForEach(c => c.Dispose());
        }
    }

    private static async Task<int> ReadAsync(TcpClient client, CancellationToken cancel)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], cancel);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
