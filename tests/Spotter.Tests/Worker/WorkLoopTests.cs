using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Annotate;
using Spotter.Engines.Running;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Worker;

public sealed class WorkLoopTests : IAsyncLifetime
{
    private readonly WorkBench bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task A_result_that_is_too_large_to_be_kept_fails_the_job_at_once()
    {
        var id = await bench.AddAsync();
        bench.Start();
        var done = SampleJobs.Done() with { Result = RawJson.OfText($"\"{new string('x', WorkerFinish.MostResultBytes)}\"") };

        bench.End(id, new JobRun(done));

        var job = await bench.UntilAsync(id, JobState.Failed);
        job.State.ShouldBe(JobState.Failed);
        job.Attempts.ShouldBe(1);
        job.Error!.Code.ShouldBe(ErrorCodes.OutputTooLarge);
    }

    [Fact]
    public async Task It_takes_the_next_job_while_one_runs_and_not_a_third()
    {
        JobId[] jobs = [await bench.AddAsync(), await bench.AddAsync(), await bench.AddAsync()];
        bench.Start();

        var first = await bench.StartedAsync();
        first.ShouldBe(jobs[0]);
        await bench.UntilAsync(jobs[1], JobState.Running);
        (await bench.RowAsync(jobs[2])).State.ShouldBe(JobState.Queued);
        bench.HasStarted.ShouldBeFalse();

        foreach (var job in jobs)
        {
            bench.End(job);
            await bench.UntilAsync(job, JobState.Succeeded);
        }
    }

    [Fact]
    public async Task It_runs_as_many_jobs_at_once_as_it_has_lanes()
    {
        for (var i = 0; i < 3; i++)
            await bench.AddAsync();
        bench.Start(lanes: 3);

        for (var i = 0; i < 3; i++)
            await bench.StartedAsync();
    }

    [Fact]
    public async Task A_job_whose_last_attempt_died_runs_alone_and_keeps_its_lease_until_then()
    {
        var solo = await bench.AddAsync();
        (await bench.Service.TakeAsync("dies", [VisionTasks.Detect], TimeSpan.Zero, default)).ShouldNotBeNull();
        await bench.Service.ReleaseAsync("dies", SampleJobs.Fault, spendAttempt: true, default);
        var before = await bench.AddAsync();
        bench.Start(lanes: 2);
        (await bench.StartedAsync()).ShouldBe(before);
        await bench.HeartbeatAsync();
        var epoch = (await bench.UntilAsync(solo, JobState.Running)).FencingToken;

        // Longer than a lease lasts, its neighbour still runs.
        for (var i = 0; i < 8; i++)
        {
            await bench.HeartbeatAsync();
            (await bench.Jobs.ReapAsync(10, default)).ShouldBe(0);
        }
        bench.HasStarted.ShouldBeFalse();
        bench.End(before);
        (await bench.StartedAsync()).ShouldBe(solo);
        (await bench.RowAsync(solo)).FencingToken.ShouldBe(epoch);

        var after = await bench.AddAsync();
        await bench.HeartbeatAsync();
        (await bench.RowAsync(after)).State.ShouldBe(JobState.Queued);
        bench.End(solo);
        await bench.UntilAsync(solo, JobState.Succeeded);
        (await bench.StartedAsync()).ShouldBe(after);
    }

    [Fact]
    public async Task A_drain_gives_back_at_once_what_has_not_begun_and_finishes_what_runs()
    {
        var runs = await bench.AddAsync();
        var waits = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        await bench.UntilAsync(waits, JobState.Running);

        bench.Drain();

        (await bench.UntilAsync(waits, JobState.Queued)).Attempts.ShouldBe(0);
        (await bench.RowAsync(runs)).State.ShouldBe(JobState.Running);
        bench.End(runs);
        (await bench.Ended).ShouldBe(WorkerEnd.Drained);
        (await bench.RowAsync(runs)).State.ShouldBe(JobState.Succeeded);
        bench.HasStarted.ShouldBeFalse();
    }

    [Fact]
    public async Task Without_time_left_it_gives_back_also_what_runs_at_no_cost()
    {
        var runs = await bench.AddAsync();
        var waits = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        await bench.UntilAsync(waits, JobState.Running);

        bench.Switch.GiveUp();

        (await bench.Ended).ShouldBe(WorkerEnd.GaveUp);
        (await bench.RowAsync(waits)).Attempts.ShouldBe(0);
        var row = await bench.RowAsync(runs);
        (row.State, row.Attempts).ShouldBe((JobState.Queued, 0));
        row.History.ShouldHaveSingleItem().Error!.Detail.ShouldBe("The worker's machine was taken away before the job had ended; it waits for another worker.");
    }

    [Fact]
    public async Task A_drain_without_jobs_ends_at_once_and_may_be_ordered_again()
    {
        bench.Start();
        bench.Drain();
        (await bench.Ended).ShouldBe(WorkerEnd.Drained);
        await bench.DisposeAsync();
        Should.NotThrow(bench.Drain);
    }

    [Fact]
    public async Task A_drain_that_is_taken_back_while_a_job_runs_lets_it_take_the_next()
    {
        var runs = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        bench.Switch.Obey(1, drain: true);
        var waits = await bench.AddAsync();
        await bench.HeartbeatAsync();
        (await bench.RowAsync(waits)).State.ShouldBe(JobState.Queued);

        bench.Switch.Obey(2, drain: false);

        // Taken although the first one has not ended.
        await bench.UntilAsync(waits, JobState.Running);
        bench.End(runs);
        (await bench.StartedAsync()).ShouldBe(waits);
        bench.Source.Asked.ShouldBe(0);
    }

    [Fact]
    public async Task One_that_asks_to_leave_and_is_kept_goes_on()
    {
        bench.Source.Answers.Enqueue(new WorkerOrders([], Drain: false) { Order = 2 });
        bench.Start();
        bench.Switch.Obey(1, drain: true);
        var job = await bench.AddAsync();
        (await bench.StartedAsync()).ShouldBe(job);
        bench.Source.Asked.ShouldBe(1);

        // An order from before that is late changes nothing, a newer one counts again.
        bench.Switch.Obey(1, drain: true);
        bench.Switch.IsDraining.ShouldBeFalse();
        bench.End(job);
        await bench.UntilAsync(job, JobState.Succeeded);
        bench.Switch.Obey(3, drain: true);
        (await bench.Ended).ShouldBe(WorkerEnd.Drained);
        bench.Source.Asked.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_is_told_to_end_for_good_asks_nobody_and_obeys_no_more()
    {
        bench.Start();
        bench.Switch.DrainForGood();
        bench.Switch.Obey(7, drain: false);

        (await bench.Ended).ShouldBe(WorkerEnd.Drained);
        bench.Source.Asked.ShouldBe(0);
    }

    [Fact]
    public async Task What_comes_of_a_lost_lease_is_dropped_and_its_lane_goes_on()
    {
        var cancelled = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        await bench.Jobs.CancelAsync(cancelled, null, default);
        await bench.HeartbeatAsync();

        bench.End(cancelled, new JobRun(SampleJobs.Done(), new EngineOutput(MadePicture.Of(10))));
        var next = await bench.AddAsync();
        (await bench.StartedAsync()).ShouldBe(next);

        (await bench.RowAsync(cancelled)).State.ShouldBe(JobState.Cancelled);
        (await bench.Blobs.ListAsync(BlobKey.OutputsPrefix, DateTimeOffset.MaxValue, default).ToListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_gets_stuck_ends_the_worker_and_the_others_are_given_back()
    {
        var stuck = await bench.AddAsync();
        var other = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        await bench.UntilAsync(other, JobState.Running);

        while ((await bench.RowAsync(stuck)).State == JobState.Running)
            await bench.HeartbeatAsync();

        (await bench.Ended).ShouldBe(WorkerEnd.Stuck);
        var row = await bench.RowAsync(stuck);
        (row.State, row.Attempts, row.Error?.Code).ShouldBe((JobState.Queued, 1, ErrorCodes.JobTimeout));
        row.Isolated.ShouldBeTrue("the next time it takes nobody along");
        row = await bench.RowAsync(other);
        (row.State, row.Attempts, row.Isolated).ShouldBe((JobState.Queued, 0, false));
    }

    [Fact]
    public async Task Neighbours_of_a_job_that_gets_stuck_hear_the_true_reason_and_spend_no_attempt()
    {
        var stuck = await bench.AddAsync();
        bench.Start(lanes: 2);
        await bench.StartedAsync();
        for (var i = 0; i < 6; i++)
            await bench.HeartbeatAsync();
        var neighbour = await bench.AddAsync();
        (await bench.StartedLaterAsync()).ShouldBe(neighbour);

        while ((await bench.RowAsync(stuck)).State == JobState.Running)
            await bench.HeartbeatAsync();

        (await bench.Ended).ShouldBe(WorkerEnd.Stuck);
        var row = await bench.RowAsync(neighbour);
        (row.State, row.Attempts, row.Isolated).ShouldBe((JobState.Queued, 0, false));
        row.History.ShouldHaveSingleItem().Error!.Detail.ShouldStartWith("Another job of the worker ran for too long");
    }

    [Fact]
    public async Task A_job_whose_time_is_over_for_the_second_time_has_failed()
    {
        var late = await bench.AddAsync();
        bench.Start(runner: new OneByOne(input =>
        {
            input.Cancel.WaitHandle.WaitOne(WorkBench.Safety);
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.LeaseLost, "It was taken away."), SpendAttempt: false));
        }));

        while (!(await bench.RowAsync(late)).State.IsTerminal())
            await bench.HeartbeatAsync();

        var row = await bench.RowAsync(late);
        (row.State, row.Attempts, row.Error!.Code, row.Isolated).ShouldBe((JobState.Failed, 2, ErrorCodes.JobTimeout, false));
    }

    [Fact]
    public async Task What_waits_in_a_worker_behind_a_long_job_stays_while_nobody_else_could_run_it()
    {
        await bench.AddAsync();
        var behind = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        await bench.UntilAsync(behind, JobState.Running);

        for (var i = 0; i < 6; i++)
            await bench.HeartbeatAsync();

        (await bench.RowAsync(behind)).History.ShouldBeEmpty("it would only lose its place");
    }

    [Fact]
    public async Task What_waits_in_a_worker_behind_a_long_job_goes_to_one_with_a_free_lane_and_nothing_is_taken_ahead_until_that_has_ended()
    {
        bench.Roster.Join("idle", 1, []);
        var slow = await bench.AddAsync();
        var behind = await bench.AddAsync();
        bench.Start();
        (await bench.StartedAsync()).ShouldBe(slow);
        await bench.UntilAsync(behind, JobState.Running);

        while ((await bench.RowAsync(behind)).State == JobState.Running)
            await bench.HeartbeatAsync();

        var row = await bench.RowAsync(behind);
        (row.State, row.Attempts, row.Isolated).ShouldBe((JobState.Queued, 0, false));
        (await bench.RowAsync(slow)).State.ShouldBe(JobState.Running);
        for (var i = 0; i < 3; i++)
            await bench.HeartbeatAsync();
        (await bench.RowAsync(behind)).State.ShouldBe(JobState.Queued, "it waits for a free lane");

        bench.End(slow);
        (await bench.StartedLaterAsync()).ShouldBe(behind);
    }

    [Fact]
    public async Task An_engine_may_have_longer_than_others()
    {
        var job = await bench.AddAsync();
        bench.Start(limits: new EngineLimits { RunTime = TimeSpan.FromMinutes(10) });
        await bench.StartedAsync();

        for (var i = 0; i < 30; i++)
            await bench.HeartbeatAsync();

        (await bench.RowAsync(job)).State.ShouldBe(JobState.Running);
        bench.End(job);
        await bench.UntilAsync(job, JobState.Succeeded);
    }

    [Fact]
    public async Task Inputs_that_are_too_large_for_memory_and_what_is_made_of_them_are_files_for_as_long_as_they_are_needed()
    {
        using var folder = new TemporaryFolder();
        var made = folder.File("made");
        string? fetched = null;
        long length = 0;
        bench.Start(runner: new OneByOne(input =>
        {
            fetched = input.Inputs[0].File;
            length = new FileInfo(fetched).Length;
            File.WriteAllBytes(made, [1, 2, 3]);
            return new JobRun(SampleJobs.Done(), new EngineOutput(made));
        })
        { Limits = new EngineLimits { InputsAsFiles = true } });

        var row = await bench.UntilAsync(await bench.AddAsync(), JobState.Succeeded);

        length.ShouldBe(100_000);
        await using var kept = await bench.Blobs.OpenAsync(row.Output!, default);
        kept!.Length.ShouldBe(3);
        bench.Drain();
        await bench.Ended;
        File.Exists(fetched).ShouldBeFalse();
        File.Exists(made).ShouldBeFalse();
    }

    [Fact]
    public async Task Files_that_a_job_makes_are_handed_in_and_are_then_gone_from_here()
    {
        var paths = new List<string>();
        bench.Start(runner: new OneByOne(input =>
        {
            foreach (var name in (string[])["a.txt", "b"])
            {
                using var file = input.Outputs.Create(name, "text/plain");
                file.Write("made"u8);
            }
            paths.AddRange(input.Outputs.Made.Select(made => made.Path));
            return new JobRun(SampleJobs.Done()) { Files = input.Outputs.Made };
        }));

        var row = await bench.UntilAsync(await bench.AddAsync(), JobState.Succeeded);

        row.Outputs.Select(o => (o.Name, o.MediaType, o.Bytes)).ShouldBe([("a.txt", "text/plain", 4), ("b", "text/plain", 4)]);
        await using var kept = await bench.Blobs.OpenAsync(row.Outputs[1].Key, default);
        kept!.Length.ShouldBe(4);
        bench.Drain();
        await bench.Ended;
        paths.Where(File.Exists).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_makes_files_and_fails_leaves_none_behind()
    {
        string? path = null;
        bench.Start(runner: new OneByOne(input =>
        {
            input.Outputs.Create("a", "text/plain").Dispose();
            path = input.Outputs.Made[0].Path;
            return new JobRun(SampleJobs.Reject());
        }));

        (await bench.UntilAsync(await bench.AddAsync(), JobState.Failed)).Outputs.ShouldBeEmpty();

        bench.Drain();
        await bench.Ended;
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public async Task An_engine_that_stops_when_its_time_is_over_costs_no_worker()
    {
        var late = await bench.AddAsync();
        var other = await bench.AddAsync();
        bench.Start(runner: new OneByOne(input =>
        {
            if (input.Job.Id != late || input.Job.Attempts > 1)
                return new JobRun(SampleJobs.Done());
            input.Cancel.WaitHandle.WaitOne(WorkBench.Safety);
            return new JobRun(new JobOutcome.Retry(new JobError(ErrorCodes.LeaseLost, "It was taken away."), SpendAttempt: false));
        })
        { Limits = new EngineLimits { RunTime = TimeSpan.FromMinutes(2) } });
        await bench.UntilAsync(late, JobState.Running);

        while ((await bench.RowAsync(late)).History.Count == 0)
            await bench.HeartbeatAsync();

        var row = await bench.RowAsync(late);
        var ended = row.History[0];
        (ended.Kind, ended.Attempt, ended.Error!.Code, row.Isolated).ShouldBe((JobEventKind.Retried, 1, ErrorCodes.JobTimeout, false));
        ended.Error.Detail.ShouldBe("The job ran longer than 120 s, the limit of the engine 'detect'.");
        await bench.UntilAsync(other, JobState.Succeeded);
    }

    [Fact]
    public async Task The_lease_of_a_job_that_runs_for_an_hour_is_kept()
    {
        var job = await bench.AddAsync();
        bench.Start(limits: new EngineLimits { RunTime = TimeSpan.FromHours(1) });
        await bench.StartedAsync();

        for (var hour = TimeSpan.Zero; hour < TimeSpan.FromMinutes(59); hour += WorkBench.Hold * 0.9)
        {
            var beaten = bench.Source.NextBeat;
            bench.Clock.Advance(WorkBench.Hold * 0.9);
            await beaten.WaitAsync(WorkBench.Safety);
            (await bench.Jobs.ReapAsync(10, default)).ShouldBe(0);
        }

        var row = await bench.RowAsync(job);
        (row.State, row.FencingToken).ShouldBe((JobState.Running, 1));
        bench.End(job);
        await bench.UntilAsync(job, JobState.Succeeded);
    }

    [Fact]
    public async Task A_job_that_is_taken_away_is_told_so_and_how_far_it_is_is_told()
    {
        var stopped = new TaskCompletionSource();
        using var begun = new ManualResetEventSlim();
        bench.Start(runner: new OneByOne(input =>
        {
            input.Progress.Report(0.25);
            begun.Set();
            input.Cancel.WaitHandle.WaitOne(WorkBench.Safety);
            stopped.SetResult();
            return new JobRun(SampleJobs.Done());
        }));
        var job = await bench.AddAsync();
        await Task.Run(() => begun.Wait(WorkBench.Safety));

        await bench.HeartbeatAsync();
        bench.Source.Beats.ShouldContain(lease => lease.Job == job && lease.Progress == 0.25);
        await bench.Jobs.CancelAsync(job, null, default);
        await bench.HeartbeatAsync();

        await stopped.Task.WaitAsync(WorkBench.Safety);
    }

    public static TheoryData<Exception> FetchFaults =>
    [
        new HttpRequestException("refused"), new HttpIOException(HttpRequestError.ResponseEnded), new OperationCanceledException(),
        new SpotterException(ErrorCodes.StoreUnavailable, "away"), new SpotterException(ErrorCodes.Internal, "broken"),
    ];

    [Theory]
    [MemberData(nameof(FetchFaults))]
    public async Task A_picture_that_cannot_be_fetched_costs_no_attempt(Exception fault)
    {
        bench.Source.ImageFaults.Enqueue(fault);
        var job = await bench.AddAsync();
        bench.Start();

        var row = await bench.UntilAsync(job, r => r.Error is not null);
        (row.Attempts, row.Error!.Code).ShouldBe((0, ErrorCodes.StoreUnavailable));
        (await bench.StartedLaterAsync()).ShouldBe(job);
    }

    [Fact]
    public async Task A_fetch_that_hangs_is_given_up()
    {
        var silence = new Pipe();
        bench.Source.Images.Enqueue(silence.Reader.AsStream());
        var job = await bench.AddAsync();
        bench.Start();
        await bench.UntilAsync(job, JobState.Running);

        while (!bench.HasStarted)
            await bench.HeartbeatAsync();

        // The second attempt counts as the first.
        (await bench.RowAsync(job)).Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task It_goes_on_taking_after_a_fault_that_nobody_foresaw()
    {
        bench.Source.TakeFaults.Enqueue(new JsonException("not an answer of ours"));
        bench.Source.TakeFaults.Enqueue(new SpotterException(ErrorCodes.StoreUnavailable, "away"));
        var job = await bench.AddAsync();
        bench.Start();

        await bench.HeartbeatAsync();
        await bench.HeartbeatAsync();
        (await bench.StartedAsync()).ShouldBe(job);
    }

    [Fact]
    public async Task It_goes_on_beating_after_a_fault_that_nobody_foresaw()
    {
        bench.Source.BeatFault = new InvalidOperationException("not one of ours");
        bench.Start();
        await bench.HeartbeatAsync();
        bench.Source.BeatFault = null;
        await bench.HeartbeatAsync();
    }

    [Fact]
    public async Task A_job_that_comes_again_after_its_lease_ran_out_is_run_again_and_kept()
    {
        var job = await bench.AddAsync();
        bench.Start();
        await bench.StartedAsync();
        bench.Source.BeatFault = new SpotterException(ErrorCodes.StoreUnavailable, "away");
        bench.Clock.Advance(WorkBench.Hold + TimeSpan.FromSeconds(1));
        (await bench.Jobs.ReapAsync(10, default)).ShouldBe(1);
        bench.Source.BeatFault = null;
        // The job's lane is taken for long, and what is lost no longer counts.
        while ((await bench.RowAsync(job)).State != JobState.Running)
            await bench.HeartbeatAsync();
        (await bench.RowAsync(job)).FencingToken.ShouldBe(2);
        bench.End(job);
        await bench.StartedAsync();

        (await bench.UntilAsync(job, JobState.Succeeded)).FencingToken.ShouldBe(2);
    }

    [Fact]
    public async Task A_drawing_is_stored_before_the_result_and_a_full_disk_costs_no_attempt()
    {
        bench.Source.OutputFaults.Enqueue(new SpotterException(ErrorCodes.DiskFull, "The disk is full."));
        var job = await bench.AddAsync();
        bench.End(job, new JobRun(SampleJobs.Done(), new EngineOutput(MadePicture.Of(3))));
        bench.Start();

        await bench.StartedAsync();
        var row = await bench.UntilAsync(job, JobState.Queued);
        (row.Attempts, row.Error?.Code).ShouldBe((0, ErrorCodes.DiskFull));
        await bench.StartedLaterAsync();
        row = await bench.UntilAsync(job, JobState.Succeeded);
        await using var drawn = await bench.Blobs.OpenAsync(row.Output!, default);
        drawn!.Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_job_whose_answer_the_gateway_refuses_fails_at_once()
    {
        bench.Source.FinishFaults.Enqueue(new SpotterException(ErrorCodes.InvalidRequest, "The worker names a result that can't be."));
        var job = await bench.AddAsync();
        bench.End(job, new JobRun(SampleJobs.Done()));
        bench.Start();

        await bench.StartedAsync();
        var row = await bench.UntilAsync(job, JobState.Failed);

        row.Error.ShouldBe(new JobError(ErrorCodes.Internal, "The gateway refused the answer: The worker names a result that can't be."));
        row.Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task Bytes_that_are_not_those_that_were_sent_are_refused()
    {
        var job = await bench.AddAsync(AnnotateEngine.EngineName, sha256: new string('0', 64));
        bench.Start(runner: RealRunner());

        (await bench.UntilAsync(job, JobState.Failed)).Error?.Code.ShouldBe(ErrorCodes.BlobCorrupt);
    }

    [Fact]
    public async Task A_picture_that_is_gone_fails_its_job()
    {
        var job = await bench.AddAsync(AnnotateEngine.EngineName);
        await bench.Blobs.DeleteAsync((await bench.RowAsync(job)).Spec.Inputs[0].Key, default);
        bench.Start(runner: RealRunner());

        (await bench.UntilAsync(job, JobState.Failed)).Error?.Code.ShouldBe(ErrorCodes.BlobMissing);
    }

    [Fact]
    public async Task A_model_that_this_worker_has_lost_costs_the_job_no_attempt()
    {
        var job = await bench.AddAsync();
        bench.Start(runner: RealRunner());

        var row = await bench.UntilAsync(job, r => r.Error is not null);
        (row.Attempts, row.Error!.Code).ShouldBe((0, ErrorCodes.UnknownModel));
    }

    [Fact]
    public async Task Jobs_of_one_model_that_wait_are_run_together_and_each_is_handed_in()
    {
        var jobs = new List<JobId>();
        for (var i = 0; i < 30; i++)
            jobs.Add(await bench.AddAsync());
        var runner = new Together(8);
        bench.Start(lanes: 2, runner: runner);

        foreach (var job in jobs)
            (await bench.UntilAsync(job, JobState.Succeeded)).Attempts.ShouldBe(1);
        runner.Counts.Sum().ShouldBe(30);
        runner.Counts.Max().ShouldBeInRange(2, 8);
    }

    [Fact]
    public async Task Jobs_of_another_engine_are_not_mixed_in()
    {
        var jobs = new List<JobId>();
        for (var i = 0; i < 30; i++)
            jobs.Add(await bench.AddAsync(i % 3 == 0 ? AnnotateEngine.EngineName : VisionTasks.Detect));
        var runner = new Together(8);
        bench.Start(lanes: 1, runner: runner);

        foreach (var job in jobs)
            await bench.UntilAsync(job, JobState.Succeeded);
        runner.Mixed.ShouldBeFalse();
        runner.Counts.Sum().ShouldBe(30);
    }

    private static JobRunner RealRunner() =>
        new JobRunner(new EngineHost(new LoadedModels(), new ImageLimits(), RandomSource.System), MemoryBudget.Default(1), NullLogger<JobRunner>.Instance);

    /// <summary>Wants many jobs at once, and takes long enough over them for more to come.</summary>
    private sealed class Together(int most) : IJobRunner
    {
        private readonly ConcurrentQueue<int> counts = new();

        public IReadOnlyCollection<int> Counts => counts;

        public bool Mixed { get; private set; }

        public EngineLimits LimitsOf(Job job) => new();

        public int AtOnce(Job job, int waiting) => Math.Min(most, waiting);

        public IReadOnlyList<JobRun> Run(IReadOnlyList<JobInput> jobs)
        {
            counts.Enqueue(jobs.Count);
            Mixed |= jobs.Select(input => input.Job.Engine).Distinct(StringComparer.Ordinal).Count() > 1;
            // As a model would: meanwhile the next ones are taken and fetched.
            using var never = new ManualResetEventSlim();
            never.Wait(TimeSpan.FromMilliseconds(20));
            return [.. jobs.Select(_ => new JobRun(SampleJobs.Done()))];
        }
    }
}
