using System.Globalization;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>What a job, and what an idle service, costs at Amazon: the requests that pass a proxy before moto, and the sizes of what they write.</summary>
public sealed class AwsCostTests(ITestOutputHelper output)
{
    private const int Jobs = 200;
    private const int Clients = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [MotoFact]
    public async Task A_job_costs_few_write_units_and_fewer_requests()
    {
        await using var aws = await AwsServer.StartAsync();
        await using var service = await aws.ServeAsync("data", work: 0);
        using var api = new SpotterApi(service.Address);
        // The worker is there, and the queue is known.
        SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(90))).Json), Patience)).ShouldBe("succeeded");
        aws.Proxy.Clear();

        var pictures = Enumerable.Range(0, Jobs).Select(i => Pictures.Png((byte)(100 + (i % 150)), width: 64 + (i / 150))).ToList();
        var ids = new string[Jobs];
        await Parallel.ForEachAsync(Enumerable.Range(0, Jobs), new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (i, _) =>
            ids[i] = SpotterApi.IdOf((await api.SubmitAsync([Part.Field("reuse", "false"), Part.Image(pictures[i])])).Json));
        foreach (var id in ids)
            SpotterApi.StateOf(await api.EndOfAsync(id, Patience)).ShouldBe("succeeded");

        var seen = aws.Proxy.Calls;
        var calls = seen.Select(c => c.Call).ToList();
        double Each(double all) => all / Jobs;
        var units = Each(calls.Sum(c => c.WriteUnits + c.IndexUnits));
        var own = Each(calls.Where(c => c.Target.StartsWith("job#", StringComparison.Ordinal) || c.Target == "cache").Sum(c => c.WriteUnits + c.IndexUnits));
        var (sqs, s3) = (Each(calls.Count(c => c.Service == "sqs")), Each(calls.Count(c => c.Service == "s3")));
        foreach (var kind in calls.GroupBy(c => (c.Service, c.Operation, c.Target)).OrderByDescending(g => g.Sum(c => c.WriteUnits)))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind.Key.Service} {kind.Key.Operation} {kind.Key.Target}: {Each(kind.Count()):0.00} requests, {Each(kind.Sum(c => c.WriteUnits + c.IndexUnits)):0.00} write units a job"));
        var reads = Each(calls.Sum(c => c.ReadUnits));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a job: {units:0.00} write units, {reads:0.00} read units, {sqs:0.00} SQS requests, {s3:0.00} S3 requests"));
        // A job can't cost less than its row, its lease, its end and its place in the cache: the count is not of something else. A lease
        // of one that waited long was extended.
        own.ShouldBeInRange(4, 4.1);
        units.ShouldBeInRange(4, 4.3);
        // The rest comes with time and not with jobs: of a gateway that is alone, once in five seconds and in ten.
        ((units - own) * Jobs).ShouldBeInRange(1, 3 + ((seen[^1].At - seen[0].At).TotalSeconds * 0.5));
        reads.ShouldBeInRange(3, 10);
        sqs.ShouldBeInRange(0.1, 2);
        s3.ShouldBeInRange(1, 3);
    }

    // Its copy is written; its first bytes and, for the worker, the copy are read. With a callback its ticket is written and read, too.
    [MotoTheory]
    [InlineData(false, "1 2", 1)]
    [InlineData(true, "2 3", 2)]
    public async Task A_job_whose_picture_goes_past_the_gateway_costs_its_client_one_request_of_the_bucket_and_the_service_few(bool isTold, string putsAndGets, int deletes)
    {
        const int Uploads = 40;
        await using var aws = await AwsServer.StartAsync();
        await using var service = await aws.ServeAsync("data", work: 0, new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WEBHOOKS__ALLOW"] = "127.0.0.1" });
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(90))).Json), Patience)).ShouldBe("succeeded");
        aws.Proxy.Clear();

        var ids = new string[Uploads];
        await Parallel.ForEachAsync(Enumerable.Range(0, Uploads), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            (string, object)[] told = isTold ? [("callback", "http://127.0.0.1:9/told")] : [];
            var upload = await DirectUpload.OfferAsync(api, [("contentType", "image/png"), ("reuse", "false"), .. told]);
            await upload.SendAsync(Pictures.Png((byte)(100 + i)));
            ids[i] = SpotterApi.IdOf((await upload.ConfirmAsync()).Json);
        });
        foreach (var id in ids)
            SpotterApi.StateOf(await api.EndOfAsync(id, Patience)).ShouldBe("succeeded");

        var s3 = aws.Proxy.Calls.Select(c => c.Call).Where(c => c.Service == "s3").GroupBy(c => c.Operation, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (double)g.Count() / Uploads, StringComparer.Ordinal);
        output.WriteLine(string.Join(", ", s3.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value:0.00}"))));
        s3["POST"].ShouldBe(1, "the client's own");
        $"{s3["PUT"]} {s3["GET"]}".ShouldBe(putsAndGets);
        s3["DELETE"].ShouldBe(deletes, "the upload, and its ticket; S3 charges nothing for it");
    }

    [MotoFact]
    public async Task An_idle_service_asks_for_little()
    {
        await using var aws = await AwsServer.StartAsync();
        await using var service = await aws.ServeAsync("data", work: 0);
        // What a start asks for once.
        await Task.Delay(TimeSpan.FromSeconds(25), TimeProvider.System);
        aws.Proxy.Clear();

        await Task.Delay(TimeSpan.FromSeconds(41), TimeProvider.System);

        var calls = aws.Proxy.Calls.Select(c => c.Call).GroupBy(c => (c.Service, c.Operation, c.Target)).OrderByDescending(g => g.Count()).ToList();
        foreach (var kind in calls)
            output.WriteLine($"{kind.Key.Service} {kind.Key.Operation} {kind.Key.Target}: {kind.Count()}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"idle: {calls.Sum(k => k.Count()) / 41.0 * 60:0} requests a minute"));
        calls.ShouldContain(k => k.Key.Target == "tally", "it says that it is there");
        // The counts are read once more when all is counted anew, every ten minutes.
        foreach (var kind in calls)
            kind.Skip(kind.Key.Target == "tally" ? 1 : 0).Count().ShouldBeLessThanOrEqualTo(3, $"{kind.Key}: every 20 s at most");
    }
}
