using Xunit.Abstractions;

namespace Spotter.Faults;

/// <summary>
/// A gateway, then a worker, is killed at its first durable step, at its second, and so on until a run ends unhit; each
/// time it is started again, and everything that was promised must have been kept.
/// </summary>
public sealed class KillLoopTests(ITestOutputHelper output)
{
    private const int Most = 100;

    // Steps up to the commit that accepts a job, and those from there to the answer.
    private static readonly string[] BeforeAcceptance = ["blob-written", "blob-flushed", "blob-named", "blob-durable", "group-run"];
    private static readonly string[] BeforeTheAnswer = ["group-committed", "job-accepted", "job-queued", "answer-ready"];

    [LinuxFact]
    public async Task A_gateway_killed_at_any_step_keeps_every_promise()
    {
        await using var bench = await Bench.StartAsync();
        await bench.JoinWorkerAsync();
        var hit = new List<string>();
        for (var k = 1; k <= Most; k++)
        {
            await bench.Gateway.KillAsync();
            var (failpoint, once) = bench.Once($"*=kill@{k}");
            await bench.StartGatewayAsync(failpoint, once.Setting);
            var working = SubmitTwoAsync(bench, k);
            var died = bench.Gateway.ExitAsync(TimeSpan.FromSeconds(120));
            await Task.WhenAny(working, died);
            if (once.Step is not null)
            {
                await died;
                await bench.StartGatewayAsync();
            }
            await working;
            var verdict = await bench.Ledger.CheckAsync(bench.Api);
            if (once.Step is not { } step)
            {
                verdict.Holds.ShouldBeTrue(verdict.ToString());
                break;
            }
            hit.Add(step);
            FaultTable.ShouldSurvive(RowOf(step, hit), $"SIGKILL gateway {PlaceOf(step, hit)}", verdict);
        }
        output.WriteLine($"{hit.Count} kills: {string.Join(", ", hit)}");
        hit.Count.ShouldBeInRange(20, Most - 1);
        foreach (var step in (string[])[.. BeforeAcceptance, .. BeforeTheAnswer, "job-taken", "job-started", "output-stored", "job-finished", "delivery-settled"])
            hit.ShouldContain(h => h == step);

        // Uploads that never became a job are gone by reference.
        var known = bench.Ledger.Promises.Select(p => p.Id).ToHashSet(StringComparer.Ordinal);
        await Eventually.SeeAsync(
            "orphans are deleted", () => Task.FromResult(Orphans(bench, known)), orphans => orphans.Count == 0, TimeSpan.FromSeconds(15));
    }

    [LinuxFact]
    public async Task A_worker_killed_at_any_step_costs_no_answer()
    {
        await using var bench = await Bench.StartAsync();
        var hit = new List<string>();
        for (var k = 1; k <= Most; k++)
        {
            var (failpoint, once) = bench.Once($"worker-*=kill@{k}");
            var worker = await bench.JoinWorkerAsync(failpoint, once.Setting);
            var died = worker.ExitAsync(TimeSpan.FromSeconds(120));
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
        var first = await bench.Ledger.SubmitAsync(() => bench.Api, $"plain-{k}", Shade(2 * k));
        await EndAsync(bench, first);
        var second = await bench.Ledger.SubmitAsync(() => bench.Api, $"drawn-{k}", Shade((2 * k) + 1), Part.Field("annotate", "true"));
        await EndAsync(bench, second);
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

    private static List<string> Orphans(Bench bench, HashSet<string> known) =>
        [.. RunningService.BlobsIn(bench.Data).Where(file => !known.Contains(Path.GetFileName(file).Split('-')[0]))];

    // The first pass through a step belongs to the intake; the later ones of the same name to taking and finishing.
    private static int RowOf(string step, List<string> hit) =>
        !IsIntake(step, hit) ? 3 : BeforeAcceptance.Contains(step, StringComparer.Ordinal) ? 1 : 2;

    private static string PlaceOf(string step, List<string> hit) =>
        !IsIntake(step, hit) ? $"at {step}" : BeforeAcceptance.Contains(step, StringComparer.Ordinal) ? "before a job is accepted" : "after acceptance, before its 202";

    private static bool IsIntake(string step, List<string> hit) =>
        (BeforeAcceptance.Contains(step, StringComparer.Ordinal) || BeforeTheAnswer.Contains(step, StringComparer.Ordinal))
        && hit.LastIndexOf("blob-written") is var begun && begun >= 0
        && !hit.Skip(begun).Any(later => later is "answer-ready" && later != step)
        && !hit.Skip(begun).Any(later => later is "job-taken");
}
