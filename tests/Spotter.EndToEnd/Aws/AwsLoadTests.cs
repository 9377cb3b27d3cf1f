using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Spotter.Tests.Webhooks;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>Many jobs on two services, with everything that may go wrong at Amazon going wrong meanwhile.</summary>
public sealed class AwsLoadTests(ITestOutputHelper output)
{
    private const int Jobs = 500;
    private const int Different = 50;
    private const int Clients = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "10",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "2",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
        ["SPOTTER__WEBHOOKS__ALLOW"] = "127.0.0.1",
    };

    [MotoFact]
    public async Task Five_hundred_jobs_are_answered_once_each_whatever_happens_to_their_messages()
    {
        await using var aws = await AwsServer.StartAsync();
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var first = await aws.ServeAsync("first", work: 5, Quick);
        await using var second = await aws.ServeAsync("second", work: 5, Quick);
        using var here = new SpotterApi(first.Address);
        using var there = new SpotterApi(second.Address);
        SpotterApi[] doors = [here, there];
        var (seen, failed) = (0, 0);
        aws.Proxy.Fault = call => Interlocked.Increment(ref seen) % 41 == 0 && call.Service != "s3"
            ? Enum.GetValues<AwsFault>()[Interlocked.Increment(ref failed) % 4] : null;
        var queue = "spotter-detect_patches-normal";

        var pictures = Enumerable.Range(0, Different).Select(i => Pictures.Png((byte)(100 + i))).ToList();
        var ids = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Jobs), new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (i, _) =>
        {
            var answer = await SubmitAsync(doors[i % 2], [Part.Field("reuse", "false"), Part.Field("callback", endpoint.Url), Part.Image(pictures[i % Different])], $"job-{i}");
            var id = SpotterApi.IdOf(answer.Json);
            ids.Add(id);
            // Some messages come twice, the later ones before the earlier, and one that names no job.
            if (i % 5 == 0)
                await aws.SendMessageAsync(queue, i % 100 == 0 ? "{\"no\":\"job\"}" : id);
        });
        var waiting = Jobs - await CountAsync(endpoint);
        await aws.PurgeQueueAsync(queue);
        var worker = first.Workers()[0];
        System.Diagnostics.Process.GetProcessById(worker).Kill();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{waiting} of {Jobs} jobs were not told of yet when the queue was purged and a worker killed"));

        await Eventually.SeeAsync("all have been told of", () => CountAsync(endpoint), told => told >= Jobs, Patience);
        aws.Proxy.Fault = _ => null;

        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(Jobs);
        endpoint.Deliveries.Select(d => d.Id).Distinct(StringComparer.Ordinal).ShouldBe(ids, ignoreOrder: true);
        endpoint.Deliveries.ShouldAllBe(d => d.Json.GetProperty("type").GetString() == "job.succeeded");
        var listed = await there.ListAsync();
        listed.Select(SpotterApi.IdOf).ShouldBe(ids, ignoreOrder: true);
        listed.ShouldAllBe(job => SpotterApi.StateOf(job) == "succeeded");
        var again = endpoint.Deliveries.Count - Jobs;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seen} requests, {failed} of them failed; {again} webhooks came again; {listed.Count(j => j.GetProperty("attempts").GetInt32() > 1)} jobs had a second attempt"));
        // Only where its record failed, and with the same id.
        again.ShouldBeLessThan(Jobs / 10);
        waiting.ShouldBePositive("something was in the queue when it was purged");
        failed.ShouldBePositive();
        await Eventually.SeeAsync("the counts are right", async () => (await there.StatsAsync()).GetProperty("succeeded").GetInt64(), n => n == Jobs, Patience);
    }

    private static Task<int> CountAsync(WebhookEndpoint endpoint) =>
        Task.FromResult(endpoint.Deliveries.Select(d => d.Id).Distinct(StringComparer.Ordinal).Count());

    /// <summary>What is refused because a service of Amazon's failed is sent again, with the same key.</summary>
    private static async Task<Answer> SubmitAsync(SpotterApi api, IReadOnlyList<Part> parts, string key)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = await api.SubmitAsync(parts, key: key);
            if (answer.Status == HttpStatusCode.Accepted)
                return answer;
            answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, answer.Text);
            tries.ShouldBeLessThan(20);
        }
    }
}
