using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary>What the client sent last: <c>GET /recent</c> in words, <c>GET /fetchResults</c> as JSON, which waits for a moment.</summary>
internal sealed class RecentResults(RecentJobs recent, JobService jobs, LongRequests longRequests)
{
    private const string None = "No recent detection found";

    // As long as the earlier service took for each answer.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    public async Task<IResult> ShowAsync(HttpContext http)
    {
        var job = await FindAsync(http, http.RequestAborted);
        Private(http);
        return TypedResults.Text(job is null ? None : SummaryOf(job));
    }

    public async Task<IResult> FetchAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var job = await FindAsync(http, cancel);
        if (job is { State: JobState.Queued or JobState.Running })
        {
            using var place = longRequests.Waits.TryEnter(http);
            if (place is not null)
                job = await jobs.Watcher.WaitAsync(job.Id, LongestWait, cancel) ?? job;
        }
        Private(http);
        var found = job?.State == JobState.Succeeded ? PredictedObject.Of(PictureResult.Of(job)) : [];
        return TypedResults.Json(
            new FetchedResults(job?.State == JobState.Succeeded ? 1 : 0, job?.Id.Value, job?.State, job?.Name, job is null ? None : SummaryOf(job), found), PredictionJson.Default.FetchedResults);
    }

    /// <summary>A line for each class, in the order in which they first appear.</summary>
    public static string SummaryOf(Job job)
    {
        if (!job.State.IsTerminal())
            return UploadPage.Processing;
        if (job.State != JobState.Succeeded)
            return job.Error?.Detail ?? $"The picture was not looked at: its job is {job.State}.";
        var result = PictureResult.Of(job);
        return result.Detections is null && result.Labels is [var best, ..]
            ? $"{best.Label}: 1\n"
            : string.Concat((result.Summary ?? new Dictionary<string, int>(StringComparer.Ordinal)).Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key}: {s.Value}\n")));
    }

    private async Task<Job?> FindAsync(HttpContext http, CancellationToken cancel)
    {
        if (recent.Of(http) is not { } id)
            return null;
        try
        {
            return await jobs.FindAsync(Caller.Of(http).AsJobCaller(), id.Value, cancel);
        }
        catch (SpotterException gone) when (gone.Code == ErrorCodes.NotFound)
        {
            // Deleted because of its age, or another tenant's.
            return null;
        }
    }

    private static void Private(HttpContext http) => http.Response.Headers.CacheControl = "no-store";
}
