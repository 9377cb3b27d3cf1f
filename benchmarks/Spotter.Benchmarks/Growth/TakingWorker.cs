using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.Benchmarks.Growth;

/// <summary>A worker that runs nothing: it takes jobs at the door of real ones and hands in an empty result for each.</summary>
internal sealed class TakingWorker : IDisposable
{
    private const string Path = "/v1/workers/growth";

    private readonly HttpClient client;
    private readonly string queue;
    private readonly string model;

    /// <param name="gateway">The gateway.</param>
    /// <param name="model">The model whose jobs it takes.</param>
    public TakingWorker(Uri gateway, string model)
    {
        this.model = model;
        queue = $"detect/{model}";
        client = new HttpClient { BaseAddress = gateway, Timeout = GrowthRun.LongestCall };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceProcess.WorkerToken);
    }

    /// <summary>Milliseconds of each call of one job: take and finish.</summary>
    public sealed record Times(double TakeMs, double FinishMs);

    /// <summary>Takes and finishes until enough were taken or the time is over, but a few in any case.</summary>
    /// <exception cref="BenchmarkFailedException">There was no job to take, or one was taken twice.</exception>
    public async Task<IReadOnlyList<Times>> TakeAsync(int most, int least, TimeSpan duration)
    {
        var times = new List<Times>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var begun = Stopwatch.GetTimestamp();
        while (times.Count < least || (times.Count < most && Stopwatch.GetElapsedTime(begun) < duration))
        {
            // It gives no signs of life, so it introduces itself anew.
            using (var joined = await client.PutAsJsonAsync(Path, new { lanes = 1, models = new[] { new { id = model, version = "1" } } }))
                joined.EnsureSuccessStatusCode();
            var at = Stopwatch.GetTimestamp();
            using var take = await client.PostAsJsonAsync(Path + "/take", new { queues = new[] { queue }, waitSeconds = 1 });
            var body = await take.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
            var tookMs = Stopwatch.GetElapsedTime(at).TotalMilliseconds;
            if (take.StatusCode == HttpStatusCode.NoContent)
                throw new BenchmarkFailedException($"After {times.Count} jobs there was none to take, although jobs wait.");
            var lease = JsonNode.Parse(body)!["lease"]!;
            if (!taken.Add(lease["job"]!.ToString()))
                throw new BenchmarkFailedException($"The job {lease["job"]} was given out twice.");
            at = Stopwatch.GetTimestamp();
            var done = new JsonObject
            {
                ["lease"] = lease.DeepClone(),
                ["outcome"] = new JsonObject
                {
                    ["kind"] = "done",
                    ["result"] = new JsonObject { ["width"] = 64, ["height"] = 64, ["detections"] = new JsonArray() },
                    ["timings"] = new JsonObject(),
                    ["output"] = null,
                },
            };
            using var finish = await client.PostAsJsonAsync(Path + "/finish", done, JsonSerializerOptions.Web);
            if (!finish.IsSuccessStatusCode)
                throw new BenchmarkFailedException($"A result was not taken: {await finish.Content.ReadAsStringAsync()}");
            times.Add(new Times(tookMs, Stopwatch.GetElapsedTime(at).TotalMilliseconds));
        }
        return times;
    }

    public void Dispose() => client.Dispose();
}
