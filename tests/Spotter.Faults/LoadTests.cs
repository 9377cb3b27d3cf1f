using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit.Abstractions;

namespace Spotter.Faults;

/// <summary>More than the service can take: rows 20 and 21.</summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    private const long MostMemory = 400L * 1024 * 1024;

    [LinuxFact]
    public async Task A_burst_is_accepted_or_refused_and_never_dropped()
    {
        var pictures = int.TryParse(Environment.GetEnvironmentVariable("SPOTTER_FAULTS_BURST"), CultureInfo.InvariantCulture, out var wanted) ? wanted : 10_000;
        await using var bench = await Bench.StartAsync();
        bench.StartWorker();
        bench.StartWorker();
        var picture = Pictures.Png(200, 16, 16);
        var accepted = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var refused = new ConcurrentDictionary<int, int>();
        var next = 0;
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = bench.Gateway.Address };
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) <= pictures)
            {
                using var body = new ByteArrayContent(picture);
                body.Headers.ContentType = new MediaTypeHeaderValue("image/png");
                using var answer = await client.PostAsync(new Uri("/v1/jobs?reuse=false", UriKind.Relative), body);
                if (answer.StatusCode == HttpStatusCode.Accepted)
                    accepted[answer.Headers.Location!.OriginalString.Split('/')[^1]] = true;
                else
                    refused.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
            }
        })));
        var taken = Stopwatch.GetElapsedTime(begun);
        var stats = await Eventually.SeeAsync(
            "the backlog is worked off", bench.Api.StatsAsync,
            s => s.GetProperty("queued").GetInt64() + s.GetProperty("running").GetInt64() == 0, TimeSpan.FromMinutes(5));
        var done = Stopwatch.GetElapsedTime(begun);
        var memory = Processes.MostMemoryOf(bench.Gateway.Id);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{accepted.Count} of {pictures} accepted in {taken.TotalSeconds:0.0} s, all ended after {done.TotalSeconds:0.0} s; the gateway took at most {memory >> 20} MiB; {stats.GetRawText()}"));

        var verdict = new Verdict();
        var ended = (await bench.Api.ListAsync(limit: 500)).ToDictionary(SpotterApi.IdOf, StringComparer.Ordinal);
        verdict.Lost.AddRange(accepted.Keys.Where(id => !ended.TryGetValue(id, out var job) || SpotterApi.StateOf(job) != "succeeded"));
        verdict.Doubled.AddRange(ended.Keys.Where(id => !accepted.ContainsKey(id)));
        verdict.Doubled.AddRange(ended.Values.Where(job => job.GetProperty("attempts").GetInt32() > 1).Select(job => job.GetRawText()));
        verdict.Expect(accepted.Count + refused.Values.Sum() == pictures, "some got no answer");
        verdict.Expect(refused.Keys.All(status => status is 429 or 503), $"refused with {string.Join(", ", refused.Keys)}");
        verdict.Expect(memory < MostMemory, $"the gateway took {memory >> 20} MiB");
        FaultTable.ShouldSurvive(20, string.Create(CultureInfo.InvariantCulture, $"{pictures} pictures at once"), verdict);
    }

    [LinuxFact]
    public async Task Slow_clients_do_not_hold_up_the_others()
    {
        const int Slow = 500;
        await using var bench = await Bench.StartAsync();
        bench.StartWorker();
        await bench.Ledger.SubmitAsync(() => bench.Api, "warm", 200);
        var before = await SubmitSomeAsync(bench, "before", 30);
        using var stop = new CancellationTokenSource();
        // Half of them never end their headers, half of them dribble a body.
        var slow = Enumerable.Range(0, Slow).Select(i => DribbleAsync(bench.Gateway.Address, inBody: i % 2 == 0, stop.Token)).ToList();
        await Eventually.BeAsync("they are there", () => slow.Any(s => !s.IsCompleted));
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        var times = await SubmitSomeAsync(bench, "picture", 60);
        var ends = await Task.WhenAll(slow).WaitAsync(TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"others: median {times[30].TotalMilliseconds:0} ms, p95 {times[56].TotalMilliseconds:0} ms, longest {times[^1].TotalMilliseconds:0} ms, before {before[^1].TotalMilliseconds:0} ms; slow ones: {string.Join(", ", ends.GroupBy(e => e, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}"))}"));
        var verdict = await bench.Ledger.CheckAsync(bench.Api);
        verdict.Expect(ends.All(end => end is "408" or "closed"), $"slow ones ended as {string.Join(", ", ends.Distinct(StringComparer.Ordinal))}");
        // A machine that is busy with something else takes longer without slow clients too. One that held up the others would do so until it is
        // closed, which takes much longer than this.
        var bound = Math.Max(1000, 4 * before[^1].TotalMilliseconds);
        verdict.Expect(times[^1].TotalMilliseconds < bound, $"one of the others waited {times[^1].TotalMilliseconds:0} ms; the longest before waited {before[^1].TotalMilliseconds:0} ms");
        FaultTable.ShouldSurvive(21, string.Create(CultureInfo.InvariantCulture, $"{Slow} slow clients: closed, others served in 1 s"), verdict);
    }

    /// <summary>Hands in pictures one after the other; how long each took, the shortest first.</summary>
    private static async Task<List<TimeSpan>> SubmitSomeAsync(Bench bench, string name, int count)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < count; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await bench.Ledger.SubmitAsync(() => bench.Api, string.Create(CultureInfo.InvariantCulture, $"{name}-{i:00}"), (byte)(100 + i));
            times.Add(Stopwatch.GetElapsedTime(begun));
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        times.Sort();
        return times;
    }

    /// <summary>Sends a byte a second until the server has had enough; what it said.</summary>
    private static async Task<string> DribbleAsync(Uri address, bool inBody, CancellationToken stop)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, stop);
        await using var stream = client.GetStream();
        var head = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n" + (inBody ? "\r\n" : "X-Slow: ");
        var heard = new byte[1024];
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head), stop);
            var answer = stream.ReadAsync(heard, stop).AsTask();
            while (!answer.IsCompleted)
            {
                await stream.WriteAsync("x"u8.ToArray(), stop);
                await Task.WhenAny(answer, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop));
            }
            return await answer is > 12 ? Encoding.ASCII.GetString(heard, 9, 3) : "closed";
        }
        catch (IOException)
        {
            return "closed";
        }
    }
}
