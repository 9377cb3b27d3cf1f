using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Spotter.Tests.Webhooks;

namespace Spotter.Faults;

/// <summary>
/// Faults that are tried twice: on the program, which must survive them, and on the program with a planted mistake, which
/// must be caught by them.
/// </summary>
internal static partial class Scenarios
{
    /// <summary>What was promised is on the disk before the promise leaves: blob, its name, the row, and only then the 202.</summary>
    public static async Task<Verdict> PromisesAreOnTheDiskAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        await bench.Ledger.SubmitAsync(() => bench.Api, "warm", 200);
        using var folder = new TemporaryFolder();
        var strace = await Strace.AttachAsync(
            bench.Gateway.Id, folder.File("calls"), "-e", "trace=fsync,fdatasync,sendmsg,sendto,write,writev");
        await bench.Ledger.SubmitAsync(() => bench.Api, "traced", 201);
        var calls = await strace.DetachAsync();

        var answered = calls.ToList().FindIndex(call => call.Contains("HTTP/1.1 202", StringComparison.Ordinal));
        var flushed = Flushed(calls);
        var blob = First(flushed, "/blobs/.unfinished/");
        var name = First(flushed, "/blobs/in/");
        var row = flushed.Where(f => f.Path.EndsWith("spotter.db-wal", StringComparison.Ordinal) && f.At > blob).Select(f => f.At).DefaultIfEmpty(int.MaxValue).Min();
        var verdict = new Verdict();
        verdict.Expect(answered >= 0, "the 202 was not seen: " + string.Join('\n', calls));
        verdict.Expect(blob < answered, "the 202 was sent before the picture was flushed");
        verdict.Expect(name > blob && name < answered, "the 202 was sent before the picture's name was flushed");
        verdict.Expect(row > name && row < answered, "the 202 was sent before the job's row was flushed");
        return verdict;
    }

    /// <summary>The gateway is killed after it has run the statement that accepts a job, and before that is committed.</summary>
    public static async Task<Verdict> KilledBeforeTheCommitAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync("group-run=delay1500+kill@1", bug);
        var sent = bench.Ledger.TrySubmitAsync(bench.Api, "picture", 200);
        await bench.Gateway.ExitAsync();
        await sent;
        await bench.StartGatewayAsync();
        await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200);
        bench.StartWorker();
        return await bench.Ledger.CheckAsync(bench.Api);
    }

    /// <summary>The gateway is killed when a job is accepted and its answer not yet sent; the client sends it again.</summary>
    public static async Task<Verdict> TheAnswerGetsLostAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync("answer-ready=kill@1", bug);
        (await bench.Ledger.TrySubmitAsync(bench.Api, "picture", 200)).ShouldBeNull();
        await bench.Gateway.ExitAsync();
        await bench.StartGatewayAsync();
        await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200);
        bench.StartWorker();
        return await bench.Ledger.CheckAsync(bench.Api);
    }

    /// <summary>One job is given to three workers, since the first two fall silent; then all three hand in a result.</summary>
    public static async Task<Verdict> ThreeWorkersOneJobAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        const byte Right = 200;
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "picture", Right);
        using var worker = await FakeWorker.JoinAsync(bench.Gateway.Address, "fake");
        // No signs of life: each lease runs out, and the next one is taken.
        var first = await worker.TakeAsync();
        var second = await worker.TakeAsync();
        var third = await worker.TakeAsync();
        var verdict = new Verdict();
        verdict.Expect(first.Job.Id == second.Job.Id && second.Job.Id == third.Job.Id, "not the same job");
        verdict.Expect(!await worker.FinishAsync(first.Lease, 100), "the first lease was lost, and its result was taken");
        var accepted = await worker.FinishAsync(third.Lease, Right);
        verdict.Expect(accepted, "the latest lease's result was not taken");
        verdict.Expect(!await worker.FinishAsync(second.Lease, 110), "the second lease was lost, and its result was taken after the end");
        SpotterApi.IsTerminal(await bench.Api.JobAsync(id)).ShouldBeTrue();
        return verdict.And(await bench.Ledger.CheckAsync(bench.Api));
    }

    /// <summary>Nothing goes wrong: then nothing may be done twice either.</summary>
    public static async Task<Verdict> NothingGoesWrongAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug, work: 4, settings: ("SPOTTER__LEASE__DURATIONSECONDS", "30"));
        await bench.JoinWorkerAsync();
        await bench.JoinWorkerAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i =>
            bench.Ledger.SubmitAsync(() => bench.Api, string.Create(CultureInfo.InvariantCulture, $"picture-{i:00}"), (byte)(100 + i))));
        return await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 1);
    }

    /// <summary>A worker takes a job and is never heard of again; another one has to get it.</summary>
    public static async Task<Verdict> AWorkerFallsSilentAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200);
        using (var silent = await FakeWorker.JoinAsync(bench.Gateway.Address, "silent"))
            await silent.TakeAsync();
        var verdict = new Verdict();
        if (bug is not null)
        {
            // What is to be seen is seen in some seconds.
            await Eventually.SeeAsync(
                "the lease is over", () => bench.Api.JobAsync(id),
                job => SpotterApi.StateOf(job) == "queued" || Age(job) > TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(20));
            verdict.Expect(SpotterApi.StateOf(await bench.Api.JobAsync(id)) == "queued", "a lease of 2 s never ended");
            return verdict;
        }
        bench.StartWorker();
        return await bench.Ledger.CheckAsync(bench.Api);
    }

    /// <summary>A job's workers die on it, again and again.</summary>
    public static async Task<Verdict> APictureKillsItsWorkersAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200);
        using var worker = await FakeWorker.JoinAsync(bench.Gateway.Address, "mortal");
        var verdict = new Verdict();
        for (var death = 1; death <= 3; death++)
        {
            await worker.TakeAsync();
            var job = await Eventually.SeeAsync("the lease ends", () => bench.Api.JobAsync(id), j => SpotterApi.StateOf(j) != "running");
            verdict.Expect(job.GetProperty("attempts").GetInt32() == death, $"after {death} deaths {job.GetProperty("attempts").GetInt32()} attempts are counted");
            if (!verdict.Holds)
                return verdict;
        }
        return verdict.And(await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 3, states: "dead"));
    }

    /// <summary>A job that has ended is cancelled.</summary>
    public static async Task<Verdict> CancelledAfterItsEndAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200);
        using var worker = await FakeWorker.JoinAsync(bench.Gateway.Address, "fake");
        (await worker.FinishAsync((await worker.TakeAsync()).Lease, 200)).ShouldBeTrue();
        var verdict = await bench.Ledger.CheckAsync(bench.Api);
        await bench.Api.DeleteAsync($"/v1/jobs/{id}");
        return verdict.And(await bench.Ledger.CheckAsync(bench.Api));
    }

    /// <summary>A bit of a stored picture is another one when the worker reads it.</summary>
    public static async Task<Verdict> ABitIsFlippedAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        var flipped = await bench.Ledger.SubmitAsync(() => bench.Api, "flipped", 200);
        var blob = RunningService.BlobsIn(bench.Data).Single();
        var bytes = await File.ReadAllBytesAsync(blob);
        // Within the pixels' checksum: the decoder alone would not always notice.
        bytes[^1] ^= 0x01;
        await File.WriteAllBytesAsync(blob, bytes);
        bench.StartWorker();
        var job = await bench.Api.EndOfAsync(flipped, TimeSpan.FromSeconds(60));
        var verdict = await bench.Ledger.CheckAsync(bench.Api, mostAttempts: 1, states: "failed");
        verdict.Expect(CodeOf(job) == "blob_corrupt", $"the damage was not noticed: {job.GetRawText()}");
        return verdict;
    }

    /// <summary>The disk fails to flush the log.</summary>
    public static async Task<Verdict> TheDiskFailsToFlushAsync(string? bug)
    {
        await using var bench = await Bench.StartAsync(bug: bug);
        await bench.Ledger.SubmitAsync(() => bench.Api, "before", 200);
        using var folder = new TemporaryFolder();
        var strace = await Strace.AttachAsync(
            bench.Gateway.Id, folder.File("calls"), "-P", Path.Combine(bench.Data, "spotter.db-wal"), "-P", Path.Combine(bench.Data, "spotter.db"),
            "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO");
        var verdict = new Verdict();
        var answer = await bench.Api.SubmitAsync([Part.Image(Pictures.Png(201))]);
        verdict.Expect(answer.Status == HttpStatusCode.ServiceUnavailable, $"with the disk failing, the answer was {(int)answer.Status}");
        var status = -1;
        try
        {
            status = await bench.Gateway.ExitAsync(TimeSpan.FromSeconds(bug is null ? 30 : 6));
        }
        catch (TimeoutException)
        {
            verdict.Broken.Add("the gateway goes on after its disk has failed to flush");
        }
        var calls = await strace.DetachAsync();
        verdict.Expect(bug is not null || status == 1, $"the gateway ended with status {status}: {bench.Gateway.Log}");
        verdict.Expect(calls.Count(call => call.Contains("INJECTED", StringComparison.Ordinal)) == 1, "a flush that had failed was tried again: " + string.Join('\n', calls));
        if (bug is not null)
            return verdict;
        await bench.StartGatewayAsync();
        bench.StartWorker();
        // The refused one may have been written all the same; nobody was promised anything.
        var ids = bench.Ledger.Promises.Select(p => p.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var job in (await bench.Api.ListAsync()).Where(j => !ids.Contains(SpotterApi.IdOf(j))))
            bench.Ledger.Note("refused", SpotterApi.IdOf(job), 201);
        return verdict.And(await bench.Ledger.CheckAsync(bench.Api));
    }

    /// <summary>The gateway is killed around a delivery.</summary>
    public static async Task<Verdict> KilledAroundADeliveryAsync(string failpoint, string? bug)
    {
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var bench = await Bench.StartAsync(
            failpoint, bug, arguments: WebhookFaults.Allowed, settings: WebhookFaults.Quick);
        bench.StartWorker();
        var id = await bench.Ledger.SubmitAsync(() => bench.Api, "picture", 200, Part.Field("callback", endpoint.Url));
        await bench.Gateway.ExitAsync();
        await bench.StartGatewayAsync();
        var verdict = await bench.Ledger.CheckAsync(bench.Api);
        try
        {
            await Eventually.SeeAsync(
                "the webhook is delivered", () => bench.Api.JobAsync(id), job => WebhookFaults.StateOf(job) == "delivered", TimeSpan.FromSeconds(bug is null ? 40 : 8));
        }
        catch (TimeoutException late)
        {
            verdict.Lost.Add(late.Message);
        }
        var ids = endpoint.Deliveries.Select(d => d.Id).Distinct(StringComparer.Ordinal).ToList();
        if (ids.Count == 0)
            verdict.Lost.Add("no webhook came");
        if (ids.Exists(other => other != id))
            verdict.Doubled.Add($"webhooks of job {id} came as {string.Join(", ", ids)}");
        return verdict;
    }

    /// <summary>The gateway is killed when it has taken a delivery and not yet made it.</summary>
    public static Task<Verdict> KilledBeforeADeliveryAsync(string? bug) => KilledAroundADeliveryAsync("delivery-taken=delay1000+kill@1", bug);

    /// <summary>The code of a job's error.</summary>
    public static string? CodeOf(System.Text.Json.JsonElement job) =>
        job.GetProperty("error") is { ValueKind: System.Text.Json.JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null;

    private static TimeSpan Age(System.Text.Json.JsonElement job) =>
        TimeProvider.System.GetUtcNow() - job.GetProperty("created").GetDateTimeOffset();

    private static int First(List<(string Path, int At)> flushed, string part) =>
        flushed.Where(f => f.Path.Contains(part, StringComparison.Ordinal)).Select(f => f.At).DefaultIfEmpty(int.MaxValue).Min();

    /// <summary>What was flushed, and by which line of the trace it was done: the one on which the call came back.</summary>
    private static List<(string Path, int At)> Flushed(IReadOnlyList<string> calls)
    {
        var flushed = new List<(string, int)>();
        var open = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < calls.Count; i++)
        {
            if (Begun().Match(calls[i]) is { Success: true } begun)
            {
                if (calls[i].EndsWith("= 0", StringComparison.Ordinal))
                    flushed.Add((begun.Groups["path"].Value, i));
                else
                    open[begun.Groups["thread"].Value] = begun.Groups["path"].Value;
            }
            else if (Resumed().Match(calls[i]) is { Success: true } resumed && open.Remove(resumed.Groups["thread"].Value, out var path))
            {
                flushed.Add((path, i));
            }
        }
        return flushed;
    }

    [GeneratedRegex(@"^(?<thread>\d+) +f(data)?sync\(\d+<(?<path>[^>]*)>", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Begun();

    [GeneratedRegex(@"^(?<thread>\d+) +<\.\.\. f(data)?sync resumed>\) += 0", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Resumed();
}
