using Spotter.Conformance;
using Spotter.Core;
using Spotter.Examples.Stores;
using Spotter.Jobs;

namespace Spotter.Examples.Service;

/// <summary>What the service says about times: places in the queue, when a job will have ended, when to come back.</summary>
public sealed class EstimateTests : IAsyncDisposable
{
    private const string Model = "tiny";

    private readonly ManualClock clock = new();
    private readonly WorkerRoster roster;
    private readonly InMemoryJobStore store;
    private readonly RandomSource random = RandomSource.Seeded(1);
    private JobService? opened;

    public EstimateTests()
    {
        roster = new WorkerRoster(clock);
        store = new InMemoryJobStore(new RetrySchedule(), random, clock);
    }

    private JobService Service => opened ??= Open(store, new JobSettings());

    public async ValueTask DisposeAsync()
    {
        if (opened is not null)
            await opened.DisposeAsync();
    }

    [Fact]
    public async Task Without_workers_all_lanes_of_all_that_may_be_started_count()
    {
        opened = Open(store, new JobSettings { MaxWorkers = 2, LanesPerWorker = 4 });
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(2)));
        var jobs = await AddAsync(17);

        var status = await Service.StatusAsync(jobs, default);

        status.Select(s => s.Position).ShouldBe(Enumerable.Range(0, 17).Select(i => (long?)i));
        // A second until they have started, two for each eight before it, and two of its own.
        (status[0].EtaSeconds, status[7].EtaSeconds, status[8].EtaSeconds, status[16].EtaSeconds).ShouldBe((3, 3, 5, 7));
    }

    [Fact]
    public async Task A_delayed_start_is_waited_for()
    {
        Join();
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(2)));
        var job = (await AddAsync(1, delay: TimeSpan.FromMinutes(1)))[0];

        (await Service.StatusAsync(job, default)).EtaSeconds.ShouldBe(62);
        clock.Advance(TimeSpan.FromSeconds(50));
        (await Service.StatusAsync(job, default)).EtaSeconds.ShouldBe(12);
    }

    [Fact]
    public async Task No_time_is_said_when_no_worker_can_run_the_job()
    {
        Join(model: "other");
        var job = (await AddAsync(1))[0];

        var status = await Service.StatusAsync(job, default);

        status.EtaSeconds.ShouldBeNull();
        status.WaitsFor.ShouldNotBeNull().ShouldContain("'tiny'");
        Join();
        status = await Service.StatusAsync(job, default);
        status.EtaSeconds.ShouldNotBeNull();
        status.WaitsFor.ShouldBeNull();
    }

    [Fact]
    public async Task No_time_is_said_when_there_is_no_worker_and_none_is_started_from_here()
    {
        opened = Open(store, new JobSettings { MaxWorkers = 0 });
        var job = (await AddAsync(1))[0];

        (await Service.StatusAsync(job, default)).EtaSeconds.ShouldBeNull();
        Join();
        (await Service.StatusAsync(job, default)).EtaSeconds.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_store_that_counts_no_places_says_neither_place_nor_time()
    {
        var other = new AtLeastOnceJobStore(new Table(), new UnreliableMessages(random, clock), new RetrySchedule(), random, clock);
        opened = Open(other, new JobSettings());
        Join();
        var job = (await other.AddAsync([SampleJobs.New(model: Model)], default))[0].Job;

        var status = await Service.StatusAsync(job, default);

        (status.Position, status.EtaSeconds).ShouldBe((null, null));
    }

    [Fact]
    public async Task A_job_that_runs_has_a_time_and_one_that_has_ended_has_none()
    {
        Join();
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(2)));
        await AddAsync(1);
        var started = (await Service.TakeAsync("w", ["detect/tiny"], TimeSpan.Zero, default))!;

        (await Service.StatusAsync(started.Job, default)).EtaSeconds.ShouldBe(2);
        await Service.FinishAsync(started.Lease, SampleJobs.Done(), default);
        var ended = (await store.FindAsync(started.Job.Id, default))!;
        (await Service.StatusAsync(ended, default)).ShouldBe(new JobStatus(ended, null, null, null));
    }

    [Fact]
    public async Task What_jobs_take_is_learned_from_those_that_ended_through_another_gateway()
    {
        Join();
        await AddAsync(1);
        await using (var other = Open(store, new JobSettings()))
        {
            var lease = (await other.TakeAsync("elsewhere", ["detect/tiny"], TimeSpan.Zero, default))!.Lease;
            await other.FinishAsync(lease, new JobOutcome.Done(SampleJobs.Result(), new JobTimings { FetchMs = 900, DecodeMs = 1000, InferMs = 3000 }, null), default);
        }
        var next = (await AddAsync(1))[0];

        await Service.Backlog.ReadAsync(default);

        (await Service.StatusAsync(next, default)).EtaSeconds.ShouldBe(4, "while it is fetched, a lane runs another");
    }

    [Fact]
    public async Task Retention_slows_no_rate_and_keeps_nobody_away()
    {
        Join();
        await Service.Backlog.ReadAsync(default);
        // As many rows are deleted as jobs end: after a week at a steady load.
        for (var second = 0; second < 20; second++)
        {
            foreach (var _ in await AddAsync(2))
                await Service.FinishAsync((await Service.TakeAsync("w", ["detect/tiny"], TimeSpan.Zero, default))!.Lease, SampleJobs.Done(), default);
            clock.Advance(TimeSpan.FromSeconds(1));
            await store.PurgeAsync(clock.GetUtcNow(), 2, default);
            await Service.Backlog.ReadAsync(default);
        }

        Service.Drain.PerSecond!.Value.ShouldBe(2, 0.01);
        Service.Drain.TimeFor(20).ShouldBe(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(0.1));
    }

    [Fact]
    public async Task Jobs_that_are_not_due_for_a_while_keep_nobody_from_a_deadline()
    {
        Join();
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        await AddAsync(100, delay: TimeSpan.FromHours(1));
        await Service.Backlog.ReadAsync(default);
        Service.CheckDeadline(new JobSchedule { Expires = TimeSpan.FromSeconds(5) }, wait: null);

        await AddAsync(100);
        await Service.Backlog.ReadAsync(default);
        Should.Throw<SpotterException>(() => Service.CheckDeadline(new JobSchedule { Expires = TimeSpan.FromSeconds(5) }, wait: null))
            .Code.ShouldBe(ErrorCodes.DeadlineUnmeetable);
        Service.CheckDeadline(new JobSchedule { Expires = TimeSpan.FromSeconds(110) }, wait: null);
    }

    [Fact]
    public async Task Jobs_that_nobody_can_run_keep_nobody_from_a_deadline()
    {
        Join();
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        await store.AddAsync([.. Enumerable.Range(0, 100).Select(_ => SampleJobs.New(model: "gone"))], default);
        await Service.Backlog.ReadAsync(default);

        Service.CheckDeadline(new JobSchedule { Expires = TimeSpan.FromSeconds(5) }, wait: null);
    }

    [Fact]
    public async Task What_is_urgent_is_judged_by_what_is_as_urgent()
    {
        Join();
        Service.Estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        await AddAsync(100);
        await Service.Backlog.ReadAsync(default);

        var urgent = new JobSchedule { Expires = TimeSpan.FromSeconds(5), Priority = JobPriority.High };
        Service.CheckDeadline(urgent, wait: null);

        await AddAsync(100, priority: JobPriority.High);
        await Service.Backlog.ReadAsync(default);
        Should.Throw<SpotterException>(() => Service.CheckDeadline(urgent, wait: null)).Code.ShouldBe(ErrorCodes.DeadlineUnmeetable);
    }

    private void Join(string model = Model) => roster.Join($"worker with {model}", 1, [new WorkerModel(model, "v1")]);

    private async Task<IReadOnlyList<Job>> AddAsync(int count, TimeSpan delay = default, JobPriority priority = JobPriority.Normal)
    {
        var jobs = Enumerable.Range(0, count).Select(_ => SampleJobs.New("detect", model: Model)
            .Having(s => s with { Priority = priority, NotBefore = delay > TimeSpan.Zero ? clock.GetUtcNow() + delay : null })).ToList();
        return [.. (await store.AddAsync(jobs, default)).Select(a => a.Job)];
    }

    private JobService Open(IJobStore jobs, JobSettings settings) => new(
        jobs, new InMemoryBlobStore(), roster,
        new ModelCatalogue([new CatalogueModel(Model, new ModelInfo(Model, "detect", "yolox", 416, 416, []))]), settings, clock, random);
}
