using System.Collections.Concurrent;
using System.Diagnostics;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

public sealed class JobTracingTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly ActivityContext trace = new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);
    private readonly ConcurrentQueue<Activity> ended = new();
    private readonly ActivityListener listener;

    public JobTracingTests()
    {
        // Other tests run beside, and are none of its business.
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == JobTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => options.Parent.TraceId == trace.TraceId ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace.TraceId)
                    ended.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    private string Parent => $"00-{trace.TraceId}-{trace.SpanId}-01";

    public void Dispose() => listener.Dispose();

    [Fact]
    public void A_job_that_nobody_traces_is_left_as_it_is()
    {
        var started = Started(null);

        var taken = JobTracing.Taken(started, Noon);
        JobTracing.Ran(taken.Lease, SampleJobs.Done(), new(started.Job.Id, JobState.Succeeded, null), Noon);

        taken.ShouldBeSameAs(started);
        JobTracing.Within(started.Job.Spec).ShouldBeNull();
        ended.ShouldBeEmpty();
    }

    [Fact]
    public void A_run_is_told_from_its_lease_to_its_end_with_its_stages_at_the_end()
    {
        var taken = JobTracing.Taken(Started(Parent), Noon);
        var outcome = new JobOutcome.Done(RawJson.EmptyObject, new JobTimings { FetchMs = 10, DecodeMs = 20, InferMs = 30, PostMs = 0, EncodeMs = 0 }, null);

        JobTracing.Ran(taken.Lease, outcome, new(taken.Job.Id, JobState.Succeeded, null), Noon.AddMilliseconds(100));

        var spans = ended.ToDictionary(s => s.OperationName, StringComparer.Ordinal);
        spans.Keys.ShouldBe(["wait detect", "fetch", "decode", "infer", "run detect"], ignoreOrder: true);
        var (wait, run) = (spans["wait detect"], spans["run detect"]);
        (wait.StartTimeUtc, wait.Duration).ShouldBe((taken.Job.Created.UtcDateTime, Noon - taken.Job.Created));
        (run.StartTimeUtc, run.Duration.TotalMilliseconds, run.Kind).ShouldBe((Noon.UtcDateTime, 100, ActivityKind.Consumer));
        run.ParentSpanId.ShouldBe(trace.SpanId);
        run.GetTagItem("messaging.message.id").ShouldBe(taken.Job.Id.Value);
        run.GetTagItem("spotter.worker").ShouldBe("w1");
        run.GetTagItem("spotter.state").ShouldBe("succeeded");
        run.Status.ShouldBe(ActivityStatusCode.Unset);
        string[] stages = ["fetch", "decode", "infer"];
        stages.Select(name => (spans[name].StartTimeUtc - Noon.UtcDateTime).TotalMilliseconds).ShouldBe([40, 50, 70]);
        stages.Select(name => spans[name].Duration.TotalMilliseconds).ShouldBe([10, 20, 30]);
        stages.ShouldAllBe(name => spans[name].ParentSpanId == run.SpanId);
    }

    [Fact]
    public void What_a_worker_says_of_its_times_stays_within_the_run()
    {
        var taken = JobTracing.Taken(Started(Parent), Noon);
        var outcome = new JobOutcome.Done(RawJson.EmptyObject, new JobTimings { FetchMs = 1e12, InferMs = 1e300 }, null);

        JobTracing.Ran(taken.Lease, outcome, new(taken.Job.Id, JobState.Succeeded, null), Noon.AddSeconds(1));

        // A span lasts for a tick at least.
        var end = Noon.AddSeconds(1).AddTicks(1).UtcDateTime;
        ended.Where(s => s.OperationName != "wait detect").ShouldAllBe(s => s.StartTimeUtc >= Noon.UtcDateTime && s.StartTimeUtc + s.Duration <= end);
        ended.Count.ShouldBe(4);
    }

    [Fact]
    public void A_failed_attempt_says_why()
    {
        var taken = JobTracing.Taken(Started(Parent), Noon);

        JobTracing.Ran(taken.Lease, new JobOutcome.Retry(new(ErrorCodes.JobTimeout, "It took too long."), SpendAttempt: true), new(taken.Job.Id, JobState.Queued, TimeSpan.FromSeconds(1)), Noon.AddSeconds(1));

        var run = ended.Single(s => s.OperationName == "run detect");
        (run.Status, run.StatusDescription, run.GetTagItem("error.type")).ShouldBe((ActivityStatusCode.Error, "It took too long.", ErrorCodes.JobTimeout));
        run.GetTagItem("spotter.state").ShouldBe("queued");
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-nothing")]
    [InlineData("00-00000000000000000000000000000000-0000000000000000-01")]
    [InlineData("\u0000\ud800")]
    public void A_context_that_is_none_comes_back_from_a_worker_without_harm(string parent)
    {
        var lease = Started(Parent).Lease with { Trace = new LeaseTrace(parent, Noon) };

        JobTracing.Ran(lease, SampleJobs.Done(), new(lease.Job, JobState.Succeeded, null), Noon.AddSeconds(1));

        ended.ShouldBeEmpty();
    }

    [Fact]
    public void A_lease_from_the_future_is_not_told_of()
    {
        var lease = Started(Parent).Lease with { Trace = new LeaseTrace(Parent, Noon.AddYears(1)) };

        JobTracing.Ran(lease, SampleJobs.Done(), new(lease.Job, JobState.Succeeded, null), Noon);

        ended.ShouldBeEmpty();
    }

    [Fact]
    public void Whoever_runs_a_job_is_in_its_trace_until_it_has_ended()
    {
        var outer = Activity.Current;
        using (JobTracing.Within(Started(Parent).Job.Spec))
            Activity.Current!.TraceId.ShouldBe(trace.TraceId);

        Activity.Current.ShouldBe(outer);
    }

    private static StartedJob Started(string? trace)
    {
        var sample = SampleJobs.New();
        var job = new Job { Id = sample.Id, Spec = sample.Spec with { Trace = trace }, State = JobState.Running, Created = Noon.AddSeconds(-5) };
        return new StartedJob(job, new Lease(job.Id, job.Queue, 1, 1, "w1"));
    }
}
