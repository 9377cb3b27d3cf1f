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

        var calls = aws.Proxy.Calls.Select(c => c.Call).ToList();
        double Each(double all) => all / Jobs;
        var units = Each(calls.Sum(c => c.WriteUnits + c.IndexUnits));
        var (sqs, s3) = (Each(calls.Count(c => c.Service == "sqs")), Each(calls.Count(c => c.Service == "s3")));
        foreach (var kind in calls.GroupBy(c => (c.Service, c.Operation, c.Target)).OrderByDescending(g => g.Sum(c => c.WriteUnits)))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind.Key.Service} {kind.Key.Operation} {kind.Key.Target}: {Each(kind.Count()):0.00} requests, {Each(kind.Sum(c => c.WriteUnits + c.IndexUnits)):0.00} write units a job"));
        var reads = Each(calls.Sum(c => c.ReadUnits));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a job: {units:0.00} write units, {reads:0.00} read units, {sqs:0.00} SQS requests, {s3:0.00} S3 requests"));
        // A job can't cost less than its row, its lease and its end: the count is not of something else.
        // Four, and what is said once a second or in ten.
        units.ShouldBeInRange(4, 4.3);
        reads.ShouldBeInRange(3, 10);
        sqs.ShouldBeInRange(0.1, 2);
        s3.ShouldBeInRange(1, 3);
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
