using SQLitePCL;
using Xunit.Abstractions;

namespace Spotter.Faults;

/// <summary>
/// A gateway, then a worker, is killed at its first durable step, at its second, and so on until a run ends unhit; each
/// time it is started again, and everything that was promised must have been kept.
/// </summary>
public sealed class KillLoopTests(ITestOutputHelper output)
{
    private const int Most = 100;

    /// <summary>The gateway's steps from a picture's first byte to the settled delivery, and the row of the matrix that they belong to.</summary>
    public static TheoryData<string, int> GatewaySteps => new()
    {
        { "blob-written", 1 }, { "blob-flushed", 1 }, { "blob-named", 1 }, { "blob-durable", 1 }, { "group-run", 1 },
        { "group-committed", 2 }, { "job-accepted", 2 }, { "answer-ready", 2 },
        { "job-started", 3 }, { "output-stored", 3 }, { "job-finished", 3 },
    };

    [LinuxTheory]
    [MemberData(nameof(GatewaySteps))]
    public async Task A_gateway_killed_at_this_step_keeps_every_promise(string step, int row)
    {
        await using var bench = await Bench.StartAsync(settings: ("SPOTTER__LEASE__ORPHANSECONDS", "3"));
        bench.StartWorker();
        var kills = 0;
        for (var k = 1; k <= Most; k++)
        {
            await bench.Gateway.KillAsync();
            var (failpoint, once) = bench.Once($"{step}=kill@{k}");
            await bench.StartGatewayAsync(failpoint, once.Setting);
            var working = SubmitAsync(bench, k, drawn: true);
            var died = bench.Gateway.ExitAsync(TimeSpan.FromSeconds(180));
            await Task.WhenAny(working, died);
            if (once.Step is not null)
            {
                await died;
                await bench.StartGatewayAsync();
            }
            await working;
            var verdict = await bench.Ledger.CheckAsync(bench.Api);
            if (once.Step is null)
            {
                verdict.Holds.ShouldBeTrue(verdict.ToString());
                break;
            }
            kills++;
            FaultTable.ShouldSurvive(row, $"SIGKILL gateway at {step}", verdict);
        }
        kills.ShouldBeInRange(1, Most - 1);

        // Uploads that never became a job are gone by reference.
        await Eventually.SeeAsync(
            "orphans are deleted", () => Task.FromResult(Orphans(bench)), orphans => orphans.Count == 0, TimeSpan.FromSeconds(60));
    }

    [LinuxFact]
    public async Task A_worker_killed_at_any_step_costs_no_answer()
    {
        await using var bench = await Bench.StartAsync();
        var hit = new List<string>();
        for (var k = 1; k <= Most; k++)
        {
            var (failpoint, once) = bench.Once($"worker-*=kill@{k}");
            var worker = bench.StartWorker(failpoint, once.Setting);
            var died = worker.ExitAsync(TimeSpan.FromSeconds(180));
            var working = SubmitTwoAsync(bench, k);
            await Task.WhenAny(working, died);
            if (died.IsCompleted)
                worker = bench.StartWorker();
            await working;
            // What comes after the last answer, as the end of the last call.
            if (!died.IsCompleted)
                await Task.WhenAny(died, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
            var verdict = await bench.Ledger.CheckAsync(bench.Api);
            await worker.DisposeAsync();
            if (once.Step is not { } step)
            {
                verdict.Holds.ShouldBeTrue(verdict.ToString());
                break;
            }
            hit.Add(step);
            FaultTable.ShouldSurvive(3, $"SIGKILL worker at {step}", verdict);
        }
        output.WriteLine($"{hit.Count} kills: {string.Join(", ", hit)}");
        hit.Count.ShouldBeInRange(10, Most - 1);
        foreach (var step in (string[])["worker-took", "worker-fetched", "worker-decoding", "worker-inferring", "worker-ran", "worker-uploaded", "worker-finished"])
            hit.ShouldContain(h => h == step);
    }

    /// <summary>A client sends one picture, waits for its answer, and sends another one that is to be drawn.</summary>
    private static async Task SubmitTwoAsync(Bench bench, int k)
    {
        await SubmitAsync(bench, k, drawn: false);
        await SubmitAsync(bench, k, drawn: true);
    }

    private static async Task SubmitAsync(Bench bench, int k, bool drawn)
    {
        Part[] fields = drawn ? [Part.Field("annotate", "true")] : [];
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, $"{(drawn ? "drawn" : "plain")}-{k}", Shade((2 * k) + (drawn ? 1 : 0)), fields);
        await EndAsync(bench, id);
    }

    /// <summary>Bright enough for the model to see something.</summary>
    private static byte Shade(int number) => (byte)(70 + (number * 7 % 180));

    private static async Task EndAsync(Bench bench, string id)
    {
        await Eventually.SeeAsync(
            $"job {id} ends",
            async () =>
            {
                try
                {
                    var answer = await bench.Api.GetAsync($"/v1/jobs/{id}");
                    return answer.Status == System.Net.HttpStatusCode.NotFound || SpotterApi.IsTerminal(answer.Json);
                }
                catch (Exception away) when (away is HttpRequestException or IOException)
                {
                    return false;
                }
            },
            ended => ended,
            TimeSpan.FromSeconds(60));
    }

    /// <summary>Blobs that no job speaks of, as the job store sees it.</summary>
    private static List<string> Orphans(Bench bench)
    {
        Batteries_V2.Init();
        raw.sqlite3_open_v2(Path.Combine(bench.Data, "spotter.db"), out var store, raw.SQLITE_OPEN_READONLY, null).ShouldBe(raw.SQLITE_OK);
        using (store)
        {
            var known = new HashSet<string>(StringComparer.Ordinal);
            raw.sqlite3_prepare_v2(store, "SELECT name FROM blobs", out var keys).ShouldBe(raw.SQLITE_OK);
            using (keys)
            {
                while (raw.sqlite3_step(keys) == raw.SQLITE_ROW)
                {
                    // The table has the folder last.
                    var parts = raw.sqlite3_column_text(keys, 0).utf8_to_string().Split('/', 2);
                    known.Add($"{parts[1]}/{parts[0]}");
                }
            }
            var place = Path.Combine(bench.Data, "blobs");
            return [.. RunningService.BlobsIn(bench.Data).Select(file => Path.GetRelativePath(place, file)).Where(key => !known.Contains(key))];
        }
    }
}
