using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Spotter.Benchmarks.Services;

/// <summary>What was sent.</summary>
/// <param name="Jobs">The ids of the jobs that were answered.</param>
/// <param name="Took">From the first request to the last answer.</param>
internal sealed record Sent(IReadOnlyList<string> Jobs, TimeSpan Took)
{
    public double PerSecond => Jobs.Count / Took.TotalSeconds;
}

/// <summary>Sends one picture again and again from several connections; each sends its next one when it has the answer to the one before.</summary>
/// <param name="client">Reaches the service.</param>
/// <param name="address">Where the picture is posted to.</param>
/// <param name="picture">The picture.</param>
/// <param name="mediaType">What it is.</param>
internal sealed class PictureSender(HttpClient client, Uri address, byte[] picture, string mediaType = "image/jpeg")
{
    public const int Clients = 8;

    /// <summary>Sends so many from so many connections, waits for each result, and tells how long each took, in milliseconds, in ascending order.</summary>
    public async Task<(Sent Sent, IReadOnlyList<double> Ms)> TimedAsync(int clients, int each)
    {
        var begun = Stopwatch.GetTimestamp();
        var sent = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var answers = new List<(string Job, double Ms)>();
            for (var i = 0; i < each; i++)
            {
                var at = Stopwatch.GetTimestamp();
                answers.Add((await SendOneAsync(wait: true), Stopwatch.GetElapsedTime(at).TotalMilliseconds));
            }
            return answers;
        })));
        var all = sent.SelectMany(answers => answers).ToList();
        return (new Sent([.. all.Select(a => a.Job)], Stopwatch.GetElapsedTime(begun)), [.. all.Select(a => a.Ms).Order()]);
    }

    /// <summary>Sends for some time and waits for each result.</summary>
    public Task<Sent> WaitingAsync(TimeSpan duration)
    {
        var begun = Stopwatch.GetTimestamp();
        return SendAsync(() => Stopwatch.GetElapsedTime(begun) < duration, wait: true);
    }

    /// <summary>Sends so many and waits for none.</summary>
    public Task<Sent> AcceptedAsync(int jobs)
    {
        var left = jobs;
        return SendAsync(() => Interlocked.Decrement(ref left) >= 0, wait: false);
    }

    private async Task<Sent> SendAsync(Func<bool> goesOn, bool wait)
    {
        var begun = Stopwatch.GetTimestamp();
        var sent = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            var jobs = new List<string>();
            while (goesOn())
                jobs.Add(await SendOneAsync(wait));
            return jobs;
        })));
        return new Sent([.. sent.SelectMany(jobs => jobs)], Stopwatch.GetElapsedTime(begun));
    }

    private async Task<string> SendOneAsync(bool wait)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(picture) };
        request.Content.Headers.ContentType = new(mediaType);
        if (wait)
            request.Headers.Add("Prefer", "wait=60");
        using var response = await client.SendAsync(request);
        if (response.StatusCode != (wait ? HttpStatusCode.OK : HttpStatusCode.Accepted))
            throw new BenchmarkFailedException($"A picture was answered with {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        return answer.RootElement.GetProperty("id").GetString()!;
    }
}
