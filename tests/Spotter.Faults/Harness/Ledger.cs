using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Spotter.Faults.Harness;

/// <summary>What a client was promised under one key.</summary>
/// <param name="Key">The idempotency key that it sent.</param>
/// <param name="Id">The job that it was promised.</param>
/// <param name="Shade">The picture, which its result must show.</param>
internal sealed record Promise(string Key, string Id, byte Shade);

/// <summary>
/// The client's side of the story, kept outside the service: what it sent, what it was promised, and what it saw come of
/// it. What the service says is checked against this.
/// </summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, Promise> promises = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> ends = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> doubles = new();

    /// <summary>What has been promised.</summary>
    public ICollection<Promise> Promises => promises.Values;

    /// <summary>Sends a picture under a key again and again until it is accepted; the job's id.</summary>
    public async Task<string> SubmitAsync(Func<SpotterApi> api, string key, byte shade, params Part[] fields) =>
        (await Eventually.SeeAsync($"{key} is accepted", () => TrySubmitAsync(api(), key, shade, fields), id => id is not null, TimeSpan.FromSeconds(60)))!;

    /// <summary>Sends a picture once; the job's id, or null when it was refused for now or nobody knows.</summary>
    public async Task<string?> TrySubmitAsync(SpotterApi api, string key, byte shade, params Part[] fields)
    {
        try
        {
            var answer = await api.SubmitAsync([.. fields, Part.Image(Pictures.Png(shade), $"{key}.png")], key: key);
            if (answer.Status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.InsufficientStorage)
                return null;
            answer.Status.ShouldBeOneOf([HttpStatusCode.Accepted, HttpStatusCode.OK], answer.Text);
            return Note(key, SpotterApi.IdOf(answer.Json), shade);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Notes what was promised by other means.</summary>
    public string Note(string key, string id, byte shade)
    {
        var first = promises.GetOrAdd(key, new Promise(key, id, shade));
        if (first.Id != id)
            doubles.Enqueue($"{key} is job {first.Id} and then job {id}");
        return id;
    }

    /// <summary>Waits until everything that was promised has ended, and compares it with what was promised.</summary>
    /// <param name="api">The service as it is now.</param>
    /// <param name="within">After this, what has not ended counts as lost.</param>
    /// <param name="mostAttempts">Attempts that a job may have cost: more than one only where something failed.</param>
    /// <param name="states">The states in which a job may end.</param>
    public async Task<Verdict> CheckAsync(SpotterApi api, TimeSpan? within = null, int mostAttempts = 5, params string[] states)
    {
        var verdict = new Verdict();
        var limit = TimeSpan.FromTicks(Math.Max(1, (within ?? TimeSpan.FromSeconds(40)).Ticks));
        var begun = TimeProvider.System.GetTimestamp();
        foreach (var promise in promises.Values.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            var left = limit - TimeProvider.System.GetElapsedTime(begun);
            var job = await EndAsync(api, promise.Id, left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
            if (job is not { } end)
                verdict.Lost.Add($"{promise.Key} was accepted as {promise.Id} and is not there, or has not ended in {limit.TotalSeconds:0} s");
            else
                Judge(verdict, promise, end, mostAttempts, states.Length == 0 ? ["succeeded"] : states);
        }
        var known = promises.Values.Select(p => p.Id).ToHashSet(StringComparer.Ordinal);
        verdict.Doubled.AddRange(doubles);
        foreach (var job in (await api.ListAsync(limit: 500)).Where(job => !known.Contains(SpotterApi.IdOf(job))))
            verdict.Doubled.Add($"nobody was promised job {job.GetRawText()}");
        return verdict;
    }

    private static async Task<JsonElement?> EndAsync(SpotterApi api, string id, TimeSpan within)
    {
        JsonElement? seen = null;
        try
        {
            await Eventually.SeeAsync(
                id,
                async () =>
                {
                    var answer = await api.GetAsync($"/v1/jobs/{id}");
                    seen = answer.Status == HttpStatusCode.OK && SpotterApi.IsTerminal(answer.Json) ? answer.Json : null;
                    return answer;
                },
                answer => answer.Status == HttpStatusCode.NotFound || seen is not null,
                within);
        }
        catch (TimeoutException)
        {
            // Not in time: lost.
        }
        return seen;
    }

    private void Judge(Verdict verdict, Promise promise, JsonElement job, int mostAttempts, string[] states)
    {
        // What is told of the job goes on after its end; all else stays as it is.
        var text = string.Join(',', job.EnumerateObject().Where(p => p.Name != "callback").Select(p => p.ToString()));
        if (ends.GetOrAdd(promise.Id, text) is var first && first != text)
            verdict.Doubled.Add($"{promise.Key} changed after its end, from {first} to {text}");
        if (!states.Contains(SpotterApi.StateOf(job), StringComparer.Ordinal))
            verdict.Lost.Add($"{promise.Key} ended as {text}");
        else if (SpotterApi.StateOf(job) == "succeeded" && !Shows(job, promise.Shade))
            verdict.Lost.Add($"{promise.Key} has no result, or that of another picture: {text}");
        if (job.GetProperty("attempts").GetInt32() is var attempts && attempts > mostAttempts)
            verdict.Doubled.Add($"{promise.Key} took {attempts} attempts: {text}");
    }

    private static bool Shows(JsonElement job, byte shade) =>
        job.TryGetProperty("result", out var result) && result.ValueKind == JsonValueKind.Object
        && result.GetProperty("detections").EnumerateArray().Any(d =>
            d.GetProperty("label").GetString() == "square" && Math.Abs(d.GetProperty("confidence").GetDouble() - (shade / 255.0)) < 0.003);
}

/// <summary>What the ledger found.</summary>
internal sealed class Verdict
{
    /// <summary>Promises that were not kept.</summary>
    public List<string> Lost { get; } = [];

    /// <summary>Answers, jobs or attempts that were one too many.</summary>
    public List<string> Doubled { get; } = [];

    /// <summary>Rules that were broken without any harm to a job yet.</summary>
    public List<string> Broken { get; } = [];

    /// <summary>True when all is well.</summary>
    public bool Holds => Lost.Count + Doubled.Count + Broken.Count == 0;

    /// <summary>Adds what another check found.</summary>
    public Verdict And(Verdict other)
    {
        Lost.AddRange(other.Lost);
        Doubled.AddRange(other.Doubled);
        Broken.AddRange(other.Broken);
        return this;
    }

    /// <summary>Notes a rule that was broken, when it was.</summary>
    public void Expect(bool holds, string otherwise)
    {
        if (!holds)
            Broken.Add(otherwise);
    }

    public override string ToString() => Holds ? "all is well" : string.Join('\n', [.. Lost.Select(l => "lost: " + l), .. Doubled.Select(d => "doubled: " + d), .. Broken.Select(b => "broken: " + b)]);
}
