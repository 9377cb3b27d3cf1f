using System.Diagnostics;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// The spans of a job's life, from its door to its delivery, as OpenTelemetry's conventions for messaging have them
/// (https://opentelemetry.io/docs/specs/semconv/messaging/). Their context travels in the job (<see cref="JobSpec.Trace"/>), so one trace
/// has all of them, whichever gateways took part. What a worker did is told by the gateway to which it handed in: a worker that a
/// service started reaches nobody else, and one in another language need not know of traces. Costs nothing while nobody listens.
/// </summary>
public static class JobTracing
{
    /// <summary>The name by which a listener finds them.</summary>
    public const string SourceName = "Spotter";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The context of what goes on now, as W3C's <c>traceparent</c>; null unless it is recorded.</summary>
    public static string? Context => Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C } now ? now.Id : null;

    /// <summary>Jobs are accepted; dispose of it once they are.</summary>
    /// <param name="engine">Who is to run them.</param>
    /// <param name="inputs">How many inputs came.</param>
    public static Activity? Submit(string engine, int inputs) =>
        Source.StartActivity($"submit {engine}", ActivityKind.Producer)?.SetTag("messaging.system", "spotter").SetTag("messaging.operation.type", "send")
            .SetTag("spotter.engine", engine).SetTag("spotter.inputs", inputs);

    /// <summary>Names the jobs in the span in which they were accepted.</summary>
    public static void Accepted(Activity? submit, IReadOnlyList<AddedJob> jobs)
    {
        if (submit is null || jobs.Count == 0)
            return;
        submit.SetTag("messaging.destination.name", jobs[0].Job.Queue);
        submit.SetTag(jobs.Count == 1 ? "messaging.message.id" : "spotter.jobs", jobs.Count == 1 ? jobs[0].Job.Id.Value : string.Join(' ', jobs.Select(j => j.Job.Id)));
    }

    /// <summary>A worker was given the job: tells how long it waited, and keeps in the lease what its end will be told with.</summary>
    public static StartedJob Taken(StartedJob started, DateTimeOffset now)
    {
        if (started.Job.Spec.Trace is not { } trace)
            return started;
        // From a retry on, the wait is what the schedule asked for.
        if (started.Lease.Attempt == 1 && Begin($"wait {started.Job.Engine}", trace, ActivityKind.Internal, started.Job.Created) is { } wait)
            End(wait.SetTag("messaging.message.id", started.Job.Id.Value).SetTag("messaging.destination.name", started.Job.Queue), now);
        return started with { Lease = started.Lease with { Trace = new LeaseTrace(trace, now) } };
    }

    /// <summary>An attempt has ended.</summary>
    public static void Ran(Lease lease, JobOutcome outcome, EndedAttempt ended, DateTimeOffset now)
    {
        if (lease.Trace is not { } trace || trace.Taken > now)
            return;
        if (Begin($"run {QueueNames.EngineOf(lease.Queue)}", trace.Parent, ActivityKind.Consumer, trace.Taken) is not { } run)
            return;
        run.SetTag("messaging.system", "spotter").SetTag("messaging.operation.type", "process").SetTag("messaging.destination.name", lease.Queue)
            .SetTag("messaging.message.id", lease.Job.Value).SetTag("spotter.worker", lease.Worker).SetTag("spotter.attempt", lease.Attempt)
            .SetTag("spotter.state", EnumNames.Of(ended.State));
        switch (outcome)
        {
            case JobOutcome.Done done:
                Stages(run, done.Timings, trace.Taken, now);
                break;
            case JobOutcome.Retry { Error: var error }:
                Fail(run, error);
                break;
            case JobOutcome.Reject { Error: var error }:
                Fail(run, error);
                break;
        }
        End(run, now);
    }

    /// <summary>
    /// Whoever runs a job does so in the surroundings of its trace: what is logged and asked until this is disposed of names it. No span
    /// of its own, since the gateway tells of the run.
    /// </summary>
    public static IDisposable? Within(JobSpec job) =>
        ActivityContext.TryParse(job.Trace, traceState: null, isRemote: true, out var context)
            ? new Activity("job").SetParentId(context.TraceId, context.SpanId, context.TraceFlags).Start()
            : null;

    /// <summary>A delivery is made; dispose of it once it is.</summary>
    public static Activity? Deliver(string channel, OutboxEntry entry, Job job) =>
        Begin($"deliver {channel}", job.Spec.Trace, ActivityKind.Producer, start: null)?.SetTag("messaging.message.id", job.Id.Value)
            .SetTag("spotter.delivery", entry.Id).SetTag("spotter.attempt", entry.Attempt);

    /// <summary>Says in a span why it failed.</summary>
    public static void Fail(Activity span, JobError error) => span.SetTag("error.type", error.Code).SetStatus(ActivityStatusCode.Error, error.Detail);

    /// <summary>One after another up to the end: what each took is measured, the pauses between them are not.</summary>
    private static void Stages(Activity run, JobTimings timings, DateTimeOffset begin, DateTimeOffset end)
    {
        // What a worker says may be anything.
        var length = (end - begin).TotalMilliseconds;
        var stages = timings.Stages.Select(s => (s.Stage, Milliseconds: Math.Min(s.Milliseconds, length))).ToList();
        var at = end - TimeSpan.FromMilliseconds(Math.Min(stages.Sum(s => s.Milliseconds), length));
        foreach (var (stage, milliseconds) in stages)
        {
            var until = at + TimeSpan.FromMilliseconds(milliseconds);
            if (until > end)
                until = end;
            if (Source.CreateActivity(stage, ActivityKind.Internal, run.Context) is { } span)
                End(span.SetStartTime(at.UtcDateTime).Start(), until);
            at = until;
        }
    }

    private static Activity? Begin(string name, string? parent, ActivityKind kind, DateTimeOffset? start)
    {
        // It may come back from a worker.
        if (!ActivityContext.TryParse(parent, traceState: null, isRemote: true, out var context))
            return null;
        return start is { } at ? Source.CreateActivity(name, kind, context)?.SetStartTime(at.UtcDateTime).Start() : Source.StartActivity(name, kind, context);
    }

    /// <summary>A span of the past becomes nobody's surroundings.</summary>
    private static void End(Activity span, DateTimeOffset at)
    {
        span.SetEndTime(at.UtcDateTime);
        span.Dispose();
    }
}
