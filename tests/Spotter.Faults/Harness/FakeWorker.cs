using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Faults.Harness;

/// <summary>A worker that does only what a test tells it, at the same door as real ones.</summary>
internal sealed class FakeWorker : IDisposable
{
    private readonly HttpClient client;
    private readonly string name;

    private FakeWorker(Uri gateway, string name)
    {
        this.name = name;
        client = new HttpClient { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Bench.Token);
    }

    /// <summary>Joins a gateway.</summary>
    public static async Task<FakeWorker> JoinAsync(Uri gateway, string name)
    {
        var worker = new FakeWorker(gateway, name);
        using var answer = await worker.client.PutAsJsonAsync(
            new Uri($"/v1/workers/{name}", UriKind.Relative), new WorkerJoin(1, [new WorkerModel("patches", "1")]), SpotterJson.Default.WorkerJoin);
        answer.EnsureSuccessStatusCode();
        return worker;
    }

    /// <summary>Takes a job. It gives no signs of life, so it is forgotten now and then, and joins again.</summary>
    public async Task<StartedJob> TakeAsync()
    {
        var taken = await Eventually.SeeAsync("a job is taken", TryTakeAsync, job => job is not null);
        return taken!;
    }

    /// <summary>Hands in a result that shows this shade; false when the lease was lost.</summary>
    public async Task<bool> FinishAsync(Lease lease, byte shade)
    {
        var certain = Math.Round(shade / 255.0, 4).ToString(CultureInfo.InvariantCulture);
        var result = RawJson.OfText(
            """{"width":64,"height":64,"detections":[{"label":"square","classId":0,"confidence":CERTAIN,"box":{"x1":8,"y1":8,"x2":24,"y2":24}}]}"""
                .Replace("CERTAIN", certain, StringComparison.Ordinal));
        var outcome = new JobOutcome.Done(result, new JobTimings(), Output: null);
        using var answer = await client.PostAsJsonAsync(
            new Uri($"/v1/workers/{name}/finish", UriKind.Relative), new WorkerFinish(lease, outcome), SpotterJson.Default.WorkerFinish);
        return answer.IsSuccessStatusCode;
    }

    private async Task<StartedJob?> TryTakeAsync()
    {
        using var again = await JoinAsync(client.BaseAddress!, name);
        using var answer = await client.PostAsJsonAsync(
            new Uri($"/v1/workers/{name}/take", UriKind.Relative), new WorkerTake([QueueNames.Of("detect", "patches")], 1), SpotterJson.Default.WorkerTake);
        answer.EnsureSuccessStatusCode();
        return answer.StatusCode == HttpStatusCode.NoContent ? null : await answer.Content.ReadFromJsonAsync(SpotterJson.Default.StartedJob);
    }

    public void Dispose() => client.Dispose();
}
