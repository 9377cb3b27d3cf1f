using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Spotter.Tests.Webhooks;

namespace Spotter.Faults.Soak;

/// <summary>The clients' side: what was accepted, what they saw come of it, and which webhooks came.</summary>
internal sealed class SoakLedger : IAsyncDisposable
{
    private readonly WebhookEndpoint endpoint;
    private readonly ConcurrentDictionary<string, Promise> promises = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> doors = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> wrong = new();

    private SoakLedger(WebhookEndpoint endpoint) => this.endpoint = endpoint;

    /// <summary>Where webhooks go.</summary>
    public string Url => endpoint.Url;

    public int Accepted => promises.Count;

    /// <summary>How often each door gave an answer.</summary>
    public IReadOnlyDictionary<string, int> Doors => doors;

    /// <summary>An endpoint that fails now and then, so that webhooks are sent again.</summary>
    public static async Task<SoakLedger> StartAsync() => new(await WebhookEndpoint.StartAsync((http, number) =>
    {
        http.Response.StatusCode = number % 20 == 0 ? 500 : 200;
        return Task.CompletedTask;
    }));

    /// <summary>Notes that a door has answered well.</summary>
    public void Answered(string door) => doors.AddOrUpdate(door, 1, (_, count) => count + 1);

    /// <summary>Notes what a door was asked and promised.</summary>
    public void Note(string door, string key, string id, byte shade)
    {
        Answered(door);
        var first = promises.GetOrAdd(id, new Promise(key, id, shade));
        if (first.Key != key)
            wrong.Enqueue($"job {id} was promised for {first.Key} and for {key}");
    }

    /// <summary>Notes an end that a client was told of.</summary>
    public void Ended(JsonElement job)
    {
        if (seen.GetOrAdd(SpotterApi.IdOf(job), EndOf(job)) is var first && first != EndOf(job))
            wrong.Enqueue($"job {SpotterApi.IdOf(job)} ended as {first} and as {EndOf(job)}");
    }

    /// <summary>Notes what is wrong with an answer.</summary>
    public void Wrong(string what) => wrong.Enqueue(what);

    /// <summary>Compares all that was promised with what the service has in the end.</summary>
    public async Task<Verdict> CheckAsync(SpotterApi api)
    {
        foreach (var delivery in endpoint.Deliveries)
            Ended(delivery.Json.GetProperty("data"));
        var verdict = new Verdict();
        var left = promises.Values.ToDictionary(p => p.Id, StringComparer.Ordinal);
        var dead = 0;
        string? after = null;
        do
        {
            // Page by page: after hours there are more jobs than memory should have at once.
            var page = (await api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/v1/jobs?limit=500{(after is null ? "" : "&after=" + after)}"))).Json;
            foreach (var job in page.GetProperty("jobs").EnumerateArray())
            {
                if (SpotterApi.IsTerminal(job))
                    Ended(job);
                if (!left.Remove(SpotterApi.IdOf(job), out var promise))
                    continue;
                if (SpotterApi.StateOf(job) == "dead" && job.GetProperty("error").GetProperty("code").GetString() is "worker_died" or "lease_expired")
                    dead++;
                else if (SpotterApi.StateOf(job) != "succeeded" || !Shows(job.GetProperty("result"), promise.Shade))
                    verdict.Lost.Add($"{promise.Key} is {job.GetRawText()}");
            }
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
        foreach (var promise in left.Values)
            verdict.Lost.Add($"{promise.Key} was accepted as {promise.Id} and is not in the list; asked for by its id: {await api.GetAsync($"/v1/jobs/{promise.Id}")}");
        verdict.Doubled.AddRange(promises.Values.GroupBy(p => p.Key, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => $"{g.Key} became {string.Join(" and ", g.Select(p => p.Id))}"));
        verdict.Broken.AddRange(wrong);
        // A job whose worker was killed three times is given up, as it may be what kills them.
        verdict.Expect(dead <= 1 + (promises.Count / 100), $"{dead} jobs are dead, as their workers were killed");
        var told = endpoint.Deliveries.Select(d => d.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var promise in promises.Values.Where(p => p.IsTold))
        {
            if (!told.Remove(promise.Id))
                verdict.Lost.Add($"no webhook came of {promise.Key}, {promise.Id}");
        }
        verdict.Doubled.AddRange(told.Where(id => !seen.ContainsKey(id)).Select(id => $"a webhook came of {id}, which nobody asked for"));
        return verdict;
    }

    /// <summary>How many webhooks are still to come.</summary>
    public int Untold()
    {
        var told = endpoint.Deliveries.Select(d => d.Id).ToHashSet(StringComparer.Ordinal);
        return promises.Values.Count(p => p.IsTold && !told.Contains(p.Id));
    }

    public ValueTask DisposeAsync() => endpoint.DisposeAsync();

    /// <summary>True when a result is that of a picture of this shade.</summary>
    public static bool Shows(JsonElement result, byte shade) =>
        result.ValueKind == JsonValueKind.Object && result.GetProperty("detections").EnumerateArray().Any(d =>
            d.GetProperty("label").GetString() == "square" && Math.Abs(d.GetProperty("confidence").GetDouble() - (shade / 255.0)) < 0.003);

    private static string EndOf(JsonElement job) => $"{SpotterApi.StateOf(job)} at {job.GetProperty("finished")}, attempt {job.GetProperty("attempts")}";

    /// <summary>What a client was promised; those who send forms want to be told by a webhook.</summary>
    private sealed record Promise(string Key, string Id, byte Shade)
    {
        public bool IsTold => Key.StartsWith(SoakClients.Form, StringComparison.Ordinal);
    }
}
