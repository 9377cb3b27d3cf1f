using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Spotter.Core;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Faults;

/// <summary>
/// Gateway and workers are killed again and again under load, while clients keep a ledger of what they were promised.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Kills = 24;
    private const int Clients = 3;

    [Fact]
    public async Task Whoever_is_killed_and_whenever_every_accepted_job_ends_once()
    {
        // Another order with each seed; one that found something is worth repeating.
        var seed = int.TryParse(Environment.GetEnvironmentVariable("SPOTTER_SEED"), CultureInfo.InvariantCulture, out var chosen) ? chosen : 1;
        output.WriteLine($"SPOTTER_SEED={seed}");
        var random = RandomSource.Seeded(seed);
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 6);
        var data = folder.File("data");
        var service = await SpotterProcess.StartAsync(data, model, Arguments);
        var ledger = new Ledger(service.Address);
        try
        {
            using var stop = new CancellationTokenSource();
            var clients = Enumerable.Range(0, Clients).Select(client => ledger.SubmitAsync(client, stop.Token)).ToList();
            var watching = ledger.WatchAsync(stop.Token);
            int gateways = 0, workers = 0;
            while (gateways + workers < Kills)
            {
                // Something is going on, and then it comes at any moment.
                var accepted = ledger.Count;
                await Eventually.BeAsync("jobs are accepted", () => ledger.Count >= accepted + 2);
                await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 250), TimeProvider.System, CancellationToken.None);
                var running = service.Workers();
                if (random.NextDouble() < 0.4 || running.Count == 0)
                {
                    await service.KillAsync();
                    gateways++;
                    service = await SpotterProcess.StartAsync(data, model, Arguments, port: service.Address.Port);
                }
                else
                {
                    Processes.Signal(running[(int)(random.NextDouble() * running.Count)], Processes.Kill);
                    workers++;
                }
            }
            await stop.CancelAsync();
            await Task.WhenAll([.. clients, watching]);
            output.WriteLine($"{gateways} kills of the gateway and {workers} of workers during {ledger.Count} jobs");
            gateways.ShouldBeGreaterThan(3);
            workers.ShouldBeGreaterThan(3);

            using var api = new SpotterApi(service.Address);
            await Eventually.SeeAsync("the backlog is worked off", api.StatsAsync,
                stats => stats.GetProperty("queued").GetInt64() + stats.GetProperty("running").GetInt64() == 0, TimeSpan.FromSeconds(90));
            await ledger.CheckAsync(api);

            // Nor does another start change what has ended.
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(data, model, Arguments, port: service.Address.Port);
            await ledger.CheckAsync(api);
        }
        catch (Exception)
        {
            output.WriteLine(service.Log);
            throw;
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_killed_gateway_takes_its_workers_along()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "2", "--max-workers", "2"]);
        var workers = await Eventually.SeeAsync("two workers", () => Task.FromResult(service.Workers()), seen => seen.Count == 2);

        await service.KillAsync();

        await Eventually.BeAsync("the workers end by themselves", () => !workers.Any(Processes.IsAlive));
    }

    [Fact]
    public async Task A_worker_that_was_away_for_longer_than_its_lease_changes_nothing()
    {
        var shortLeases = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__LEASE__DURATIONSECONDS"] = "2",
            ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.5",
            ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.2",
        };
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 100), ["--min-workers", "1", "--max-workers", "2", "--lanes", "1"], shortLeases);
        using var api = new SpotterApi(service.Address);
        await Eventually.SeeAsync("a worker is idle", api.StatsAsync, stats => stats.GetProperty("idle").GetInt32() == 1);
        var away = service.Workers().ShouldHaveSingleItem();

        // Enough for a second worker, which takes over what the first one holds.
        var submitted = await api.SubmitAsync(Enumerable.Range(0, 6).Select(i => Part.Image(Pictures.Png((byte)(100 + (20 * i))))));
        var ids = submitted.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ToList();
        await Eventually.SeeAsync("a job runs", () => api.StatsAsync(), stats => stats.GetProperty("running").GetInt64() > 0);
        Processes.Signal(away, Processes.Stop);
        var ends = new List<string>();
        try
        {
            foreach (var id in ids)
                ends.Add((await api.EndOfAsync(id, TimeSpan.FromSeconds(90))).GetRawText());
        }
        finally
        {
            Processes.Signal(away, Processes.Continue);
        }

        ends.ShouldAllBe(job => job.Contains("\"state\":\"succeeded\"", StringComparison.Ordinal));
        ends.ShouldContain(job => job.Contains("\"attempts\":2", StringComparison.Ordinal), "a lease ran out");
        // It is back when it works again or has ended, and then its late results have been dropped.
        foreach (var shade in (byte[])[60, 80, 90, 95])
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(shade))).ShouldBe("succeeded");
        for (var i = 0; i < ids.Count; i++)
            (await api.JobAsync(ids[i])).GetRawText().ShouldBe(ends[i]);
        (await api.StatsAsync()).GetProperty("succeeded").GetInt64().ShouldBe(10);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Told_to_end_it_finishes_what_runs_and_keeps_what_waits(bool byTerminal)
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("slow.onnx"), work: 60);
        List<string> ids;
        await using (var service = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "1", "--lanes", "1"]))
        {
            using var api = new SpotterApi(service.Address);
            var submitted = await api.SubmitAsync(Enumerable.Range(0, 12).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))));
            ids = [.. submitted.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf)];
            await Eventually.SeeAsync("a job is done", api.StatsAsync, stats => stats.GetProperty("succeeded").GetInt64() > 0);
            var workers = service.Workers();

            if (byTerminal)
            {
                // Ctrl-C reaches everyone in the terminal's group.
                foreach (var process in workers.Prepend(service.Id))
                    Processes.Signal(process, Processes.Interrupt);
            }
            (await service.TerminateAsync(signal: !byTerminal)).ShouldBe(0, service.Log);

            service.Output.ShouldBe([$"listening on {service.Address.ToString().TrimEnd('/')}"]);
            workers.ShouldAllBe(worker => !Processes.IsAlive(worker));
            service.Log.ShouldNotContain("ended with status");
        }

        await using var next = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "2", "--lanes", "1"]);
        using var again = new SpotterApi(next.Address);
        var states = await Task.WhenAll(ids.Select(again.JobAsync));
        states.ShouldContain(job => SpotterApi.StateOf(job) == "succeeded");
        states.ShouldContain(job => !SpotterApi.IsTerminal(job), "all was done before it could be told to end");
        foreach (var id in ids)
        {
            var end = await again.EndOfAsync(id);
            SpotterApi.StateOf(end).ShouldBe("succeeded");
            end.GetProperty("attempts").GetInt32().ShouldBe(1, "a drain costs no attempt");
        }
    }

    private static string[] Arguments => ["--max-workers", "2", "--lanes", "1"];

    /// <summary>What clients have sent and were promised, and what they saw come of it.</summary>
    private sealed class Ledger(Uri address)
    {
        private readonly ConcurrentDictionary<string, (string Id, byte Shade)> accepted = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, string> ended = new(StringComparer.Ordinal);

        public int Count => accepted.Count;

        /// <summary>Submits one picture after another, each until it is accepted, however often that takes.</summary>
        public async Task SubmitAsync(int client, CancellationToken stop)
        {
            using var api = new SpotterApi(address);
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var key = $"client-{client}-{i}";
                var shade = (byte)(80 + (((client * 97) + (i * 7)) % 170));
                await Eventually.SeeAsync($"{key} is accepted", () => TrySubmitAsync(api, key, shade), done => done, TimeSpan.FromSeconds(60));
            }
        }

        /// <summary>Looks at jobs while they are worked on, to know when one changes after its end.</summary>
        public async Task WatchAsync(CancellationToken stop)
        {
            using var api = new SpotterApi(address);
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    foreach (var job in (await api.GetAsync("/v1/jobs?limit=50")).Json.GetProperty("jobs").EnumerateArray().Where(SpotterApi.IsTerminal))
                        ended.GetOrAdd(SpotterApi.IdOf(job), job.GetRawText()).ShouldBe(job.GetRawText());
                }
                catch (Exception away) when (away is HttpRequestException or JsonException or IOException)
                {
                    // Killed just now.
                }
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            }
        }

        public async Task CheckAsync(SpotterApi api)
        {
            var jobs = (await api.ListAsync()).ToDictionary(SpotterApi.IdOf, StringComparer.Ordinal);
            jobs.Keys.Order(StringComparer.Ordinal).ShouldBe(accepted.Values.Select(a => a.Id).Order(StringComparer.Ordinal), "nothing lost, nothing twice");
            foreach (var (key, (id, shade)) in accepted)
            {
                var job = jobs[id];
                ended.GetOrAdd(id, job.GetRawText()).ShouldBe(job.GetRawText(), $"{key} changed after its end");
                if (SpotterApi.StateOf(job) == "dead")
                {
                    // By chance it was there when three workers were killed, which is as many as a job gets.
                    job.GetProperty("history").EnumerateArray().Count(e => e.GetRawText().Contains("with status 137", StringComparison.Ordinal)).ShouldBe(3, job.GetRawText());
                    continue;
                }
                SpotterApi.StateOf(job).ShouldBe("succeeded", $"{key}: {job.GetRawText()}");
                job.GetProperty("attempts").GetInt32().ShouldBeInRange(1, 5);
                var square = job.GetProperty("result").GetProperty("detections").EnumerateArray().Single(d => d.GetProperty("label").GetString() == "square");
                square.GetProperty("confidence").GetDouble().ShouldBe(shade / 255.0, 0.003, $"{key} got the result of another picture");
            }
        }

        private async Task<bool> TrySubmitAsync(SpotterApi api, string key, byte shade)
        {
            try
            {
                var answer = await api.SubmitAsync(Pictures.Png(shade), key: key);
                if (answer.Status == HttpStatusCode.ServiceUnavailable)
                    return false;
                answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
                accepted[key] = (SpotterApi.IdOf(answer.Json), shade);
                return true;
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException)
            {
                // Killed in the middle. Whether it was accepted is unknown, so the key is sent again.
                return false;
            }
        }
    }
}
