using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>What a job is once it is accepted, known without reading its row back.</summary>
internal static class AcceptedJob
{
    /// <summary>The record that the row of a new job stands for.</summary>
    /// <param name="job">What was accepted.</param>
    /// <param name="now">When, in microseconds since 1970.</param>
    /// <param name="ticket">Its place in its line; 0 when it does not wait.</param>
    public static Job Of(NewJob job, long now, long ticket)
    {
        var created = Microseconds.ToTime(now);
        var accepted = new Job
        {
            Id = job.Id,
            Spec = job.Spec,
            State = JobState.Queued,
            Created = created,
            Ticket = ticket,
            IdempotencyKey = job.IdempotencyKey,
            Fingerprint = job.Fingerprint,
            Internal = job.Internal,
            Tenant = job.Tenant,
            By = job.By,
            // As exact as a row keeps it.
            Expires = job.Spec.Expires is { } expires ? Microseconds.ToTime(Microseconds.From(expires)) : null,
            Notify = job.Notify,
        };
        return job.Cached is not { } cached ? accepted : accepted with
        {
            State = JobState.Succeeded,
            Started = created,
            Finished = created,
            Result = cached.Result,
            Outputs = cached.Outputs,
            Timings = new JobTimings(),
            CachedFrom = cached.From,
            ModelVersion = cached.ModelVersion,
        };
    }
}
