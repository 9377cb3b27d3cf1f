using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Web;
using Spotter.Cli.Load;
using Spotter.Cli.Remote;

namespace Spotter.Tests.Load;

/// <summary>How the answers to many requests are found, at a service that lists what it has and refuses longer pages, as ours does.</summary>
public sealed class AnswerSweepTests
{
    private const int Jobs = 3000;

    [Theory]
    [InlineData(300)]
    [InlineData(499)]
    [InlineData(120)]
    public async Task All_are_found_however_many_of_a_page_have_ended(int stride)
    {
        var (ended, refused) = (0, 0);
        using var listener = Listen(out var address);
        var serving = ServeAsync();
        var ledger = new LoadLedger("run", Jobs);
        for (var i = 0; i < Jobs; i++)
            ledger.Accept(i, IdOf(i), TimeSpan.Zero, TimeSpan.Zero);
        var clock = new LoadClock(TimeProvider.System);
        using (var service = new ServiceClient(address, key: null, connections: 1))
            await new AnswerSweep(ledger, new JobReader(service, ledger, clock), clock).RunAsync(Task.CompletedTask, default).WaitAsync(TimeSpan.FromSeconds(60));
        listener.Stop();
        await serving;

        (ledger.SettledCount, refused).ShouldBe((Jobs, 0));

        async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext call;
                try
                {
                    call = await listener.GetContextAsync();
                }
                catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                // Each page finds that some more have ended.
                var query = HttpUtility.ParseQueryString(call.Request.Url!.Query);
                var limit = query["limit"] is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
                ended = Math.Min(Jobs, ended + (limit > 0 ? stride : 0));
                if (limit > JobReader.LongestPage)
                {
                    refused++;
                    call.Response.StatusCode = 400;
                }
                else
                {
                    var body = limit == 0 ? Text(int.Parse(call.Request.Url.Segments[^1], CultureInfo.InvariantCulture)) : Page(query["after"], limit);
                    await call.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(body));
                }
                call.Response.Close();
            }
        }

        string Page(string? after, int limit)
        {
            var before = after is null ? Jobs : int.Parse(after, CultureInfo.InvariantCulture);
            return $$"""{"jobs":[{{string.Join(',', Enumerable.Range(0, before).Reverse().Take(limit).Select(Text))}}],"next":null}""";
        }

        string Text(int job) => JsonSerializer.Serialize(new { id = IdOf(job), name = $"run-{job}", state = job < ended ? "succeeded" : "queued" });
    }

    private static string IdOf(int job) => job.ToString(CultureInfo.InvariantCulture);

    private static HttpListener Listen(out Uri address)
    {
        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
        free.Stop();
        var listener = new HttpListener();
        listener.Prefixes.Add(address.ToString());
        listener.Start();
        return listener;
    }
}
