using System.Net.Http.Json;
using System.Text.Json;

namespace Spotter.Benchmarks.Services;

/// <summary>
/// Reads from a Spotter what became of the jobs that a benchmark counted. A figure is worth nothing when they were
/// answered from memory, or not at all.
/// </summary>
internal static class JobAudit
{
    private const int Page = 500;

    // A few are read back byte by byte; that all were written, the size of the folder says.
    private const int ReadBack = 20;

    /// <summary>Every job was run by a worker and has a result; how long the models took in all.</summary>
    /// <exception cref="BenchmarkFailedException">One was not.</exception>
    public static async Task<TimeSpan> CheckRunAsync(HttpClient client, IReadOnlyList<string> jobs, bool annotate)
    {
        var wanted = Distinct(jobs);
        var (known, cached, ended, run, drawn, inferMs) = (0, 0, 0, 0, 0, 0.0);
        await foreach (var job in ListAsync(client))
        {
            if (!wanted.Contains(job.GetProperty("id").GetString()!))
                continue;
            known++;
            cached += job.GetProperty("cachedFrom").ValueKind == JsonValueKind.Null ? 0 : 1;
            ended += job.GetProperty("state").GetString() == "succeeded" && job.GetProperty("result").ValueKind == JsonValueKind.Object ? 1 : 0;
            if (job.GetProperty("attempts").GetInt32() == 0 || job.GetProperty("timings") is not { ValueKind: JsonValueKind.Object } timings)
                continue;
            var ms = timings.GetProperty("inferMs").GetDouble();
            inferMs += ms;
            run += ms > 0 ? 1 : 0;
            drawn += timings.GetProperty("encodeMs").GetDouble() > 0 ? 1 : 0;
            if (known == wanted.Count)
                break;
        }

        Require(known == wanted.Count, $"The service knows only {known} of the {wanted.Count} jobs that were counted.");
        Require(cached == 0, $"{cached} of the {wanted.Count} jobs were answered from a stored result, not by a worker.");
        Require(ended == wanted.Count, $"Only {ended} of the {wanted.Count} jobs that were counted ended with a result.");
        Require(run == wanted.Count, $"Only {run} of the {wanted.Count} jobs were run by a worker.");
        Require(!annotate || drawn == wanted.Count, $"Only {drawn} of {wanted.Count} pictures were annotated.");
        return TimeSpan.FromMilliseconds(inferMs);
    }

    /// <summary>As <see cref="CheckRunAsync(HttpClient, IReadOnlyList{string}, bool)"/>, for all jobs that the service knows, which have to be so many.</summary>
    public static async Task CheckRunAsync(HttpClient client, int count)
    {
        var jobs = new List<string>();
        await foreach (var job in ListAsync(client))
            jobs.Add(job.GetProperty("id").GetString()!);
        Require(jobs.Count == count, $"{count} pictures were sent, but the service knows {jobs.Count} jobs.");
        await CheckRunAsync(client, jobs, annotate: false);
    }

    /// <summary>The picture of every job was written: below the folder lie as many bytes, and some read back are the ones that were sent.</summary>
    /// <exception cref="BenchmarkFailedException">Bytes are missing.</exception>
    public static async Task CheckBytesAsync(HttpClient client, DirectoryInfo data, IReadOnlyList<string> jobs, byte[] picture)
    {
        CheckSize(data, jobs.Count, picture.Length);
        for (var i = 0; i < jobs.Count; i += Math.Max(1, jobs.Count / ReadBack))
        {
            using var answer = await client.GetAsync(new Uri($"/v1/jobs/{jobs[i]}/original", UriKind.Relative));
            Require(answer.IsSuccessStatusCode && (await answer.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(picture),
                $"The picture of the job {jobs[i]} is not the one that was sent.");
        }
    }

    /// <summary>Below the folder lie at least so many pictures' bytes.</summary>
    /// <exception cref="BenchmarkFailedException">Bytes are missing.</exception>
    public static void CheckSize(DirectoryInfo folder, int pictures, long bytes)
    {
        var written = folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        Require(written >= pictures * bytes, $"{pictures} pictures of {bytes} bytes were sent, but only {written} bytes were written.");
    }

    /// <summary>The ids, each of which has to be there once.</summary>
    public static HashSet<string> Distinct(IReadOnlyList<string> jobs)
    {
        var distinct = jobs.ToHashSet(StringComparer.Ordinal);
        Require(distinct.Count == jobs.Count, $"{jobs.Count} jobs were counted, but there are only {distinct.Count} different ones.");
        return distinct;
    }

    private static async IAsyncEnumerable<JsonElement> ListAsync(HttpClient client)
    {
        string? after = null;
        do
        {
            var page = await client.GetFromJsonAsync<JsonElement>($"/v1/jobs?limit={Page}{(after is null ? "" : $"&after={after}")}");
            foreach (var job in page.GetProperty("jobs").EnumerateArray())
                yield return job;
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new BenchmarkFailedException(otherwise);
    }
}
