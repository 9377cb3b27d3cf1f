using System.Diagnostics;
using System.Globalization;
using System.Net;
using SQLitePCL;
using Xunit.Abstractions;

namespace Spotter.Faults;

/// <summary>Rows of the fault matrix that are one fault each.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    [LinuxFact]
    public async Task Without_a_fault_no_job_is_run_twice() =>
        FaultTable.ShouldSurvive(0, "no fault at all: each job is run once", await Scenarios.NothingGoesWrongAsync(null));

    [StraceFact]
    public async Task The_202_leaves_after_everything_has_been_flushed() =>
        FaultTable.ShouldSurvive(0, "order of system calls: blob, name and row are flushed before the 202", await Scenarios.PromisesAreOnTheDiskAsync(null));

    [LinuxFact]
    public async Task A_gateway_killed_before_the_commit_has_promised_nothing() =>
        FaultTable.ShouldSurvive(1, "SIGKILL gateway late, before the commit", await Scenarios.KilledBeforeTheCommitAsync(null));

    [LinuxFact]
    public async Task A_client_that_never_got_its_answer_gets_the_same_job() =>
        FaultTable.ShouldSurvive(2, "SIGKILL gateway before the 202; the client sends it again", await Scenarios.TheAnswerGetsLostAsync(null));

    [LinuxFact]
    public async Task A_job_of_a_worker_that_fell_silent_is_run_by_another() =>
        FaultTable.ShouldSurvive(3, "a worker takes a job and is never heard of again", await Scenarios.AWorkerFallsSilentAsync(null));

    [LinuxFact]
    public async Task Of_three_results_of_one_job_one_counts() =>
        FaultTable.ShouldSurvive(5, "one job at three workers: one result, two fenced", await Scenarios.ThreeWorkersOneJobAsync(null));

    [LinuxFact]
    public async Task A_worker_stopped_for_longer_than_its_lease_changes_nothing()
    {
        await using var bench = await Bench.StartAsync(work: 30);
        var away = await bench.JoinWorkerAsync();
        var first = await bench.Ledger.SubmitAsync(() => bench.Api, "first", 200);
        await Eventually.SeeAsync("it runs", () => bench.Api.JobAsync(first), job => SpotterApi.StateOf(job) == "running");
        Processes.Signal(away.Id, Processes.Stop);
        Verdict verdict;
        try
        {
            bench.StartWorker();
            await bench.Ledger.SubmitAsync(() => bench.Api, "second", 210);
            verdict = await bench.Ledger.CheckAsync(bench.Api);
        }
        finally
        {
            Processes.Signal(away.Id, Processes.Continue);
        }
        // It is back when it gives signs of life, and then its late result has been dropped.
        await Eventually.SeeAsync("it is back", bench.Api.StatsAsync, stats => stats.GetProperty("workers").GetInt32() == 2);
        await bench.Ledger.SubmitAsync(() => bench.Api, "third", 220);
        FaultTable.ShouldSurvive(6, "SIGSTOP worker past its lease, then SIGCONT", verdict.And(await bench.Ledger.CheckAsync(bench.Api)));
    }

    [LinuxFact]
    public async Task A_picture_that_hangs_its_decoder_is_given_up() =>
        FaultTable.ShouldSurvive(7, "decoder hangs: its worker is ended, three times", await PoisonAsync("hang", "dead", "decode_timeout"));

    [LinuxFact]
    public async Task A_picture_that_crashes_its_decoder_is_given_up() =>
        FaultTable.ShouldSurvive(8, "decoder crashes: three workers die", await PoisonAsync("crash", "dead", "decode_crashed"));

    [LinuxFact]
    public async Task A_picture_that_takes_all_memory_fails() =>
        FaultTable.ShouldSurvive(9, "decoder takes all memory that its worker has", await PoisonAsync("hog", "failed", "image_too_complex", memory: 1_500_000_000));

    [LinuxFact]
    public async Task Deaths_are_counted_and_the_third_is_the_last() =>
        FaultTable.ShouldSurvive(8, "a job's workers fall silent, three times", await Scenarios.APictureKillsItsWorkersAsync(null));

    [SmallDiskFact]
    public async Task A_full_disk_under_the_pictures_heals()
    {
        SmallDisk? disk = null;
        await using var bench = await Bench.StartAsync(prepare: data => disk = SmallDisk.Mount(Directory.CreateDirectory(Path.Combine(data, "blobs")).FullName, 4));
        using (disk)
        {
            FaultTable.ShouldSurvive(11, "disk full under the pictures", await FullDiskAsync(bench, Path.Combine(bench.Data, "blobs", "filler")));
            await bench.Gateway.KillAsync();
        }
    }

    [SmallDiskFact]
    public async Task A_full_disk_under_the_database_heals()
    {
        SmallDisk? disk = null, blobs = null;
        await using var bench = await Bench.StartAsync(prepare: data =>
        {
            disk = SmallDisk.Mount(data, 3);
            blobs = SmallDisk.Mount(Directory.CreateDirectory(Path.Combine(data, "blobs")).FullName, 32);
        });
        using (disk)
        {
            using (blobs)
            {
                FaultTable.ShouldSurvive(11, "disk full under the database", await FullDiskAsync(bench, Path.Combine(bench.Data, "filler")));
                await bench.Gateway.KillAsync();
            }
        }
    }

    [StraceFact]
    public async Task A_disk_that_fails_to_flush_ends_the_gateway() =>
        FaultTable.ShouldSurvive(12, "EIO on flushing the log: 503, end, never flushed again", await Scenarios.TheDiskFailsToFlushAsync(null));

    [StraceFact]
    public async Task A_disk_that_fails_to_flush_names_ends_the_gateway()
    {
        await using var bench = await Bench.StartAsync();
        var first = await bench.Ledger.SubmitAsync(() => bench.Api, "before", 200);
        using var folder = new TemporaryFolder();
        await using var strace = await Strace.AttachAsync(
            bench.Gateway.Id, folder.File("calls"), "-P", Path.Combine(bench.Data, "blobs", "in"), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO");
        var verdict = new Verdict();
        // The first one whose folder is not there yet: those of some seconds share one.
        for (var i = 0; i < 100; i++)
        {
            var answer = await bench.Api.SubmitAsync([Part.Image(Pictures.Png((byte)(100 + i)))]);
            if (answer.Status == HttpStatusCode.Accepted)
            {
                bench.Ledger.Note($"more-{i}", SpotterApi.IdOf(answer.Json), (byte)(100 + i));
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
                continue;
            }
            verdict.Expect(answer.Status == HttpStatusCode.ServiceUnavailable, $"the answer was {answer}");
            break;
        }
        verdict.Expect(await bench.Gateway.ExitAsync() == 1, "the gateway did not end with an error");
        var calls = await strace.DetachAsync();
        verdict.Expect(calls.Count(call => call.Contains("INJECTED", StringComparison.Ordinal)) == 1, "a flush that had failed was tried again: " + string.Join('\n', calls));
        await bench.StartGatewayAsync();
        bench.StartWorker();
        FaultTable.ShouldSurvive(12, "EIO on flushing a folder: 503, end, never flushed again", verdict.And(await bench.Ledger.CheckAsync(bench.Api)));
        SpotterApi.StateOf(await bench.Api.JobAsync(first)).ShouldBe("succeeded");
    }

    [LinuxFact]
    public async Task A_locked_database_is_said_in_time_and_loses_nothing()
    {
        await using var bench = await Bench.StartAsync();
        await bench.Ledger.SubmitAsync(() => bench.Api, "before", 200);
        var verdict = new Verdict();
        Batteries_V2.Init();
        raw.sqlite3_open(Path.Combine(bench.Data, "spotter.db"), out var other).ShouldBe(raw.SQLITE_OK);
        using (other)
        {
            // The gateway writes now and then.
            raw.sqlite3_busy_timeout(other, 10_000).ShouldBe(raw.SQLITE_OK);
            raw.sqlite3_exec(other, "BEGIN EXCLUSIVE").ShouldBe(raw.SQLITE_OK);
            var begun = Stopwatch.GetTimestamp();
            var answer = await bench.Api.SubmitAsync([Part.Image(Pictures.Png(201))]);
            var took = Stopwatch.GetElapsedTime(begun);
            verdict.Expect(answer.Status == HttpStatusCode.ServiceUnavailable && answer.Json.GetProperty("code").GetString() == "busy", $"the answer was {answer}");
            verdict.Expect(took > TimeSpan.FromSeconds(4.5) && took < TimeSpan.FromSeconds(9), $"the answer took {took.TotalSeconds:0.0} s");
            if (TimeSpan.FromSeconds(10) - Stopwatch.GetElapsedTime(begun) is var rest && rest > TimeSpan.Zero)
                await Task.Delay(rest, TimeProvider.System);
            raw.sqlite3_exec(other, "ROLLBACK").ShouldBe(raw.SQLITE_OK);
        }
        await bench.Ledger.SubmitAsync(() => bench.Api, "after", 202);
        bench.StartWorker();
        FaultTable.ShouldSurvive(13, "database locked for 10 s by another program: busy at 5 s", verdict.And(await bench.Ledger.CheckAsync(bench.Api)));
    }

    [LinuxFact]
    public async Task An_output_store_that_is_down_costs_no_attempt()
    {
        await using var bench = await Bench.StartAsync();
        var place = Path.Combine(bench.Data, "blobs", "out");
        await File.WriteAllTextAsync(place, "in the way");
        bench.StartWorker();
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "drawn", 200, Part.Field("annotate", "true"));
        await Eventually.SeeAsync("it runs", () => bench.Api.JobAsync(id), job => SpotterApi.StateOf(job) == "running");
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        SpotterApi.IsTerminal(await bench.Api.JobAsync(id)).ShouldBeFalse();
        File.Delete(place);
        FaultTable.ShouldSurvive(16, "output store down for 3 s: no attempt is spent", await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 1));
    }

    [LinuxFact]
    public async Task A_worker_told_to_end_gives_back_what_it_has()
    {
        await using var bench = await Bench.StartAsync(work: 20);
        var leaving = await bench.JoinWorkerAsync();
        for (var i = 0; i < 8; i++)
            await bench.Ledger.SubmitAsync(() => bench.Api, string.Create(CultureInfo.InvariantCulture, $"picture-{i}"), (byte)(100 + i));
        await Eventually.SeeAsync("something runs", bench.Api.StatsAsync, stats => stats.GetProperty("running").GetInt64() > 0);
        var status = await leaving.TerminateAsync();
        bench.StartWorker();
        var verdict = await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 1);
        verdict.Expect(status == 0, $"the worker ended with status {status}");
        FaultTable.ShouldSurvive(22, "SIGTERM worker: its jobs are given back, no attempt is spent", verdict);
    }

    [LinuxFact]
    public async Task A_flipped_bit_is_noticed() =>
        FaultTable.ShouldSurvive(39, "a bit of a stored picture flips", await Scenarios.ABitIsFlippedAsync(null));

    [LinuxFact]
    public async Task What_has_ended_can_not_be_cancelled() =>
        FaultTable.ShouldSurvive(0, "a job is cancelled after its end", await Scenarios.CancelledAfterItsEndAsync(null));

    [PostgresFact]
    public async Task A_database_server_that_restarts_at_once_loses_nothing()
    {
        using var cluster = PostgresCluster.Start();
        using var pictures = new TemporaryFolder();
        await using var bench = await OnPostgresAsync(cluster, pictures);
        bench.StartWorker();
        for (var i = 0; i < 20; i++)
        {
            if (i == 10)
                cluster.Crash();
            await bench.Ledger.SubmitAsync(() => bench.Api, string.Create(CultureInfo.InvariantCulture, $"picture-{i:00}"), (byte)(100 + i));
        }
        FaultTable.ShouldSurvive(14, "PostgreSQL restarts at once (-m immediate)", await bench.Ledger.CheckAsync(bench.Api, TimeSpan.FromSeconds(90)));
    }

    [LinuxFact]
    public async Task Another_tenants_job_is_not_there()
    {
        var keys = new List<string>();
        await using var bench = await Bench.StartAsync(prepare: data =>
        {
            foreach (var tenant in (string[])["red", "blue"])
                keys.Add(SpotterProgram.RunAsync("keys", "add", tenant, "--tenant", tenant, "--scopes", "submit,read", "--data", data).GetAwaiter().GetResult().Output.Trim());
        });
        using var red = new SpotterApi(bench.Gateway.Address, keys[0]);
        using var blue = new SpotterApi(bench.Gateway.Address, keys[1]);
        var id = await bench.Ledger.SubmitAsync(() => red, "picture", 200);
        bench.StartWorker();
        var verdict = await bench.Ledger.CheckAsync(red);
        foreach (var path in (string[])["", "/image", "/original", "/events"])
            verdict.Expect((await blue.GetAsync($"/v1/jobs/{id}{path}")).Status == HttpStatusCode.NotFound, $"another tenant sees {path}");
        verdict.Expect((await blue.DeleteAsync($"/v1/jobs/{id}")).Status == HttpStatusCode.NotFound, "another tenant may cancel it");
        verdict.Expect((await blue.ListAsync()).Count == 0, "another tenant sees it listed");
        FaultTable.ShouldSurvive(38, "another tenant asks for a job: 404", verdict);
    }

    private static Task<Bench> OnPostgresAsync(PostgresCluster cluster, TemporaryFolder pictures) =>
        Bench.StartAsync(arguments: ["--backend", "postgres", "--blobs", $"folder:{pictures.Path}"], settings: ("SPOTTER__POSTGRES__URL", cluster.Url));

    /// <summary>One picture does something terrible to its worker, among others that don't.</summary>
    private async Task<Verdict> PoisonAsync(string action, string state, string code, long? memory = null)
    {
        using var folder = new TemporaryFolder();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER_FAILPOINT"] = $"worker-decoding(poison.png)={action}",
            ["SPOTTER__WORKER__DECODESECONDS"] = action == "hang" ? "1" : "15",
            ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.3",
            ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.2",
        };
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "1"], settings);
        using var api = new SpotterApi(service.Address);
        if (memory is { } most)
        {
            // Passed on to the workers that it starts.
            using var limit = Process.Start("prlimit", ["--pid", service.Id.ToString(CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"--data={most}")]);
            await limit.WaitForExitAsync();
            limit.ExitCode.ShouldBe(0);
        }
        var neighbours = new Ledger();
        for (var i = 0; i < 3; i++)
            await neighbours.SubmitAsync(() => api, $"neighbour-{i}", (byte)(100 + i));
        var poison = await neighbours.SubmitAsync(() => api, "poison", 200);
        for (var i = 3; i < 6; i++)
            await neighbours.SubmitAsync(() => api, $"neighbour-{i}", (byte)(100 + i));
        var end = await api.EndOfAsync(poison, TimeSpan.FromSeconds(90));
        output.WriteLine(end.GetRawText());
        var verdict = await neighbours.CheckAsync(api, TimeSpan.FromSeconds(90), mostAttempts: 3, states: ["succeeded", state]);
        verdict.Expect(SpotterApi.StateOf(end) == state && Scenarios.CodeOf(end) == code, $"the picture ended as {end.GetRawText()}");
        verdict.Expect((await api.StatsAsync()).GetProperty("succeeded").GetInt64() == 6, "not all neighbours have their result");
        if (!verdict.Holds)
            output.WriteLine(service.Log);
        return verdict;
    }

    private static async Task<Verdict> FullDiskAsync(Bench bench, string filler)
    {
        var verdict = new Verdict();
        await bench.Ledger.SubmitAsync(() => bench.Api, "before", 200);
        SmallDisk.Fill(filler);
        var refused = 0;
        for (var i = 0; i < 60 && refused < 3; i++)
        {
            // A last one may still find room in what is left of a block.
            var large = new byte[256 * 1024];
            Pictures.Png((byte)(100 + i)).CopyTo(large, 0);
            var answer = await bench.Api.SubmitAsync([Part.Image(large)]);
            if (answer.Status == HttpStatusCode.Accepted)
            {
                bench.Ledger.Note($"full-{i}", SpotterApi.IdOf(answer.Json), (byte)(100 + i));
                continue;
            }
            refused++;
            verdict.Expect((int)answer.Status is 507 or 503, $"the answer was {answer}");
        }
        verdict.Expect(refused > 0, "the disk was not full");
        verdict.Expect((await bench.Api.GetAsync("/healthz")).Status == HttpStatusCode.OK, "the gateway is not well");
        File.Delete(filler);
        await bench.Ledger.SubmitAsync(() => bench.Api, "after", 202);
        bench.StartWorker();
        return verdict.And(await bench.Ledger.CheckAsync(bench.Api));
    }
}
