using System.Text.Json;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Gateway.Deliveries;

/// <summary>What a webhook delivery says.</summary>
/// <param name="Type">What happened: <c>job.succeeded</c>, <c>job.failed</c>, <c>job.dead</c> or <c>job.cancelled</c>.</param>
/// <param name="Timestamp">When the job ended.</param>
/// <param name="Data">The job.</param>
public sealed record WebhookPayload(string Type, DateTimeOffset Timestamp, JobView Data)
{
    /// <summary>The event about a job that has ended, the same bytes for every attempt.</summary>
    public static byte[] Write(Job job)
    {
        var type = job.State switch
        {
            JobState.Succeeded => "job.succeeded",
            JobState.Failed => "job.failed",
            JobState.Dead => "job.dead",
            JobState.Cancelled => "job.cancelled",
            _ => throw new ArgumentOutOfRangeException(nameof(job), job.State, "The job has not ended."),
        };
        return JsonSerializer.SerializeToUtf8Bytes(new WebhookPayload(type, job.Finished ?? job.Created, JobView.Of(job)), WebhookJson.Default.WebhookPayload);
    }
}
