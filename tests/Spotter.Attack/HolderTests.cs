using System.Net;
using System.Text;

namespace Spotter.Attack;

/// <summary>Who holds on to what others need: connections, uploads, event streams.</summary>
public sealed class HolderTests(KeyedService service) : IClassFixture<KeyedService>
{
    private const int TricklesOfOne = 300;

    // More than the service lets in, and twice as many as it counts, so that those on their way out count too.
    private static readonly int[] Idlers = [1_000, 9_600];

    [Fact]
    public async Task Uploads_that_trickle_keep_nobody_out()
    {
        var row = new AttackRow("A4", $"64 and {TricklesOfOne} uploads that trickle, and who comes besides", "submissions");
        foreach (var count in (int[])[64, TricklesOfOne])
        {
            await using var trickles = await Holders.OpenAsync(service.Process.Address, count);
            var head = $"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.Keys["both"]}\r\nContent-Type: image/png\r\nContent-Length: 10000000\r\n\r\n";
            byte[] begun = [.. Encoding.ASCII.GetBytes(head), .. Pictures.Png(150), .. new byte[40_000]];
            await trickles.SendAsync(begun);
            for (var round = 0; round < 10; round++)
            {
                await trickles.SendAsync(new byte[2_048]);
                var other = await service.Blue.SubmitAsync(Pictures.Png((byte)round));
                row.Try(other.Status == HttpStatusCode.Accepted, $"another key beside {count}: {other}");
                if (count == 64)
                {
                    var same = await service.Red.SubmitAsync(Pictures.Png((byte)round));
                    row.Try(same.Status == HttpStatusCode.Accepted, $"the same key beside {count}: {same}");
                }
            }
            // Of one client's uploads there are so many and no more; those that are refused are told so.
            var answered = await trickles.AnsweredAsync();
            row.Try(count == 64 ? answered.Count == 0 : answered.Count >= TricklesOfOne - 256 && answered.All(a => a.StartsWith("HTTP/1.1 503", StringComparison.Ordinal)), $"of {count} were answered: {string.Join('\n', answered.Take(3))}");
        }
        row.End(atLeast: 30);
    }

    [Fact]
    public async Task Connections_that_do_nothing_shut_nobody_out()
    {
        var row = new AttackRow("A5", $"{string.Join(" and ", Idlers)} idle connections from one address, and who comes besides", "connections");
        // Its worker asks for jobs on connections that it has already.
        SpotterApi.StateOf(await service.Blue.RunAsync(Pictures.Png(151))).ShouldBe("succeeded");
        var workers = service.Process.Workers();
        using var kept = new SpotterApi(service.Process.Address, service.Keys["operate"]);
        await kept.StatsAsync();
        foreach (var count in Idlers)
        {
            foreach (var word in (string[])["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
            {
                await using var idle = await Holders.OpenAsync(service.Process.Address, count);
                if (word.Length > 0)
                    await idle.SendAsync(Encoding.ASCII.GetBytes(word));
                for (var round = 0; round < 5; round++)
                {
                    using var fresh = new SpotterApi(service.Process.Address, service.Keys["operate"]);
                    await TryAsync("an operator", fresh.GetAsync("/v1/stats"));
                    await TryAsync("an operator who was there before", kept.GetAsync("/v1/stats"));
                    using var joining = new SpotterApi(service.Process.Address);
                    await TryAsync("a worker", joining.SendAsync(KeyedService.Request("PUT", "/v1/workers/joining", KeyedService.WorkerToken, """{"lanes":1,"models":[{"id":"patches","version":"v1"}]}""")));
                    await TryAsync("a worker that leaves", joining.SendAsync(KeyedService.Request("DELETE", "/v1/workers/joining", KeyedService.WorkerToken)));
                }
                var job = await service.Blue.RunAsync(Pictures.Png(152));
                row.Try(SpotterApi.StateOf(job) == "succeeded" && job.GetProperty("attempts").GetInt32() == 1, $"a job beside {count}: {job.GetRawText()}");

                async Task TryAsync(string who, Task<Answer> asked)
                {
                    try
                    {
                        var answer = await asked;
                        row.Try((int)answer.Status is 200 or 204, $"{who} beside {count} of '{word}': {answer}");
                    }
                    catch (HttpRequestException shutOut)
                    {
                        row.Try(false, $"{who} beside {count} of '{word}': {shutOut.Message}");
                    }
                }
            }
        }
        row.Try(service.Process.Workers().SequenceEqual(workers), "the worker has ended");
        row.End(atLeast: 120);
    }

    [Fact]
    public async Task One_key_takes_a_share_of_the_event_streams()
    {
        const int Asked = 200;
        const int Share = 64;
        var row = new AttackRow("A8", $"{Asked} event streams of one key, then another's", "streams");
        var mine = await SubmitLaterAsync(service.Red);
        var others = await SubmitLaterAsync(service.Blue);
        var streams = new List<HttpResponseMessage>();
        using var client = new HttpClient { BaseAddress = service.Process.Address };
        try
        {
            for (var i = 0; i < Asked; i++)
                streams.Add(await OpenAsync(mine, service.Keys["both"]));
            var open = streams.Count(s => s.StatusCode == HttpStatusCode.OK);
            row.Try(open == Share, $"{open} streams of one key are open");
            foreach (var refused in streams.Where(s => s.StatusCode != HttpStatusCode.OK))
                row.Try(refused.StatusCode == HttpStatusCode.ServiceUnavailable && refused.Headers.RetryAfter is not null, $"a stream too many: {(int)refused.StatusCode}");
            foreach (var (who, id) in ((string, string)[])[("other", others), ("operate", mine), ("operate", others)])
            {
                using var stream = await OpenAsync(id, service.Keys[who]);
                row.Try(stream.StatusCode == HttpStatusCode.OK, $"a stream of {who}: {(int)stream.StatusCode}");
            }
            // A place is there again as soon as a stream has ended.
            (await service.Red.DeleteAsync($"/v1/jobs/{mine}")).Status.ShouldBe(HttpStatusCode.OK);
            foreach (var stream in streams.Where(s => s.StatusCode == HttpStatusCode.OK))
                row.Try((await stream.Content.ReadAsStringAsync()).Contains("\"cancelled\"", StringComparison.Ordinal), "a stream does not end with its job");
            var next = await SubmitLaterAsync(service.Red);
            using var again = await Eventually.SeeAsync("a place is free", () => OpenAsync(next, service.Keys["both"]), s => s.StatusCode == HttpStatusCode.OK);
            await service.Red.DeleteAsync($"/v1/jobs/{next}");
            await service.Blue.DeleteAsync($"/v1/jobs/{others}");
        }
        finally
        {
            streams.ForEach(s => s.Dispose());
        }
        row.End(atLeast: Asked - Share);

        Task<HttpResponseMessage> OpenAsync(string id, string key) =>
            client.SendAsync(KeyedService.Request("GET", $"/v1/jobs/{id}/events", key), HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task<string> SubmitLaterAsync(SpotterApi api) =>
        SpotterApi.IdOf((await api.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(153))])).Json);
}
