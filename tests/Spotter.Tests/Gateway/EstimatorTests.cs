using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

public sealed class EstimatorTests
{
    private const string Queue = "detect/tiny";

    private readonly Dictionary<string, ServedJobs> served = [];
    private readonly WorkerRoster roster = new(new ManualClock());

    [Fact]
    public void Without_workers_their_start_is_added()
    {
        var estimator = Estimator();
        Serve(estimator, Queue, 2);
        Eta(estimator, JobState.Queued, 0).ShouldBe(3);

        roster.Join("w", 2, []);
        Eta(estimator, JobState.Queued, 0).ShouldBe(2);
    }

    [Fact]
    public void A_model_that_is_being_loaded_is_waited_for_as_long_as_it_took_before_and_nobody_knows_how_long_the_first_time()
    {
        var clock = new ManualClock();
        var loading = new WorkerRoster(clock);
        var estimator = new Estimator(loading, new JobSettings { MaxWorkers = 1, LanesPerWorker = 1 });
        var job = Job(JobState.Queued);
        loading.Join("w", 1, [new WorkerModel("tiny", null) { IsLoading = true }]);
        estimator.EtaSeconds(job, 0, default).ShouldBeNull();

        clock.Advance(TimeSpan.FromSeconds(20));
        loading.Tell("w", [new WorkerModel("tiny", "v1")]);
        estimator.EtaSeconds(job, 0, default).ShouldBe(0.1);
        loading.Leave("w");
        estimator.EtaSeconds(job, 0, default).ShouldBe(21.1);

        loading.Join("w2", 1, [new WorkerModel("tiny", null) { IsLoading = true }]);
        clock.Advance(TimeSpan.FromSeconds(15));
        estimator.EtaSeconds(job, 0, default).ShouldBe(5.1);
        // Also beside another model that is there.
        loading.Tell("w2", [new WorkerModel("other", "v1"), new WorkerModel("tiny", null) { IsLoading = true }]);
        estimator.EtaSeconds(job, 0, default).ShouldBe(5.1);
    }

    [Fact]
    public void Lanes_share_the_jobs_ahead()
    {
        var estimator = Estimator();
        Serve(estimator, Queue, 1);
        roster.Join("w", 4, []);

        Eta(estimator, JobState.Queued, 3).ShouldBe(1);
        Eta(estimator, JobState.Queued, 4).ShouldBe(2);
        Eta(estimator, JobState.Running, 400).ShouldBe(1);
    }

    [Fact]
    public void It_follows_what_jobs_really_take()
    {
        var estimator = Estimator();
        roster.Join("w", 1, []);
        Serve(estimator, Queue, 10);
        for (var i = 0; i < 100; i++)
            Serve(estimator, Queue, 1);

        Eta(estimator, JobState.Running, 0)!.Value.ShouldBeInRange(1, 1.1);
    }

    [Fact]
    public void A_start_is_forecast_only_from_what_was_measured_and_by_workers_that_there_may_be()
    {
        var unmeasured = Estimator(workers: 1);
        unmeasured.ForecastStart([new(Queue, JobPriority.Normal, 1_000_000, 0)], 0, 1).ShouldBeNull();

        var nobody = Estimator(workers: 0);
        Serve(nobody, Queue, 1);
        nobody.ForecastStart([new(Queue, JobPriority.Normal, 1_000_000, 0)], 0, 0).ShouldBeNull();
    }

    [Fact]
    public void A_start_is_forecast_from_the_work_of_each_queue()
    {
        var estimator = Estimator(workers: 1);
        roster.Join("w", 1, []);
        Serve(estimator, Queue, 1);
        Serve(estimator, "detect/slow", 11);
        estimator.ForecastStart([], 0, 0).ShouldBe(0);
        // The average of all is 1 + 0.1 * (11 - 1) = 2, and half of it is left of what runs.
        estimator.ForecastStart([], 0, 1).ShouldBe(1);
        estimator.ForecastStart([new(Queue, JobPriority.Normal, 3, 0), new("detect/slow", JobPriority.Normal, 1, 1)], 0, 1).ShouldBe(3 + 22 + 1);
        estimator.ForecastStart([new("detect/unseen", JobPriority.Normal, 3, 0)], 1, 1).ShouldBe(6 + 2 + 1);
        estimator.ForecastStart([new(Queue, JobPriority.Normal, 3, 0)], -3, 1).ShouldBe(0);
    }

    [Fact]
    public void Workers_that_may_still_be_started_count_once_they_have_started()
    {
        var estimator = Estimator(workers: 4, lanes: 2);
        Serve(estimator, Queue, 1);
        estimator.ForecastStart([new(Queue, JobPriority.Normal, 80, 0)], 0, 0).ShouldBe(1 + (80 / 8.0));

        roster.Join("w", 2, []);
        // What is done before they are there: 2 lanes for a second. What runs is half done.
        estimator.ForecastStart([new(Queue, JobPriority.Normal, 80, 0)], 0, 2)!.Value.ShouldBe(1 + (78.5 / 8));
        estimator.ForecastStart([new(Queue, JobPriority.Normal, 1, 0)], 0, 2)!.Value.ShouldBe(0.75);
    }

    [Fact]
    public void Before_the_first_reading_all_that_was_ever_counted_is_new_and_later_only_what_came()
    {
        var (early, late) = (Estimator(), Estimator());
        Serve(early, Queue, 1);
        Serve(late, Queue, 3);
        late.ServiceSeconds(Queue).ShouldBe((1 + 3) / 2.0);

        Serve(early, Queue, 5);
        early.ServiceSeconds(Queue)!.Value.ShouldBe((0.81 * 1) + (0.19 * (3 + 5) / 2.0), 1e-9);
        late.ServiceSeconds("detect/unseen").ShouldBe(2, "that of all");
    }

    private void Serve(Estimator estimator, string queue, double seconds)
    {
        served[queue] = served.GetValueOrDefault(queue) + ServedJobs.One(seconds);
        estimator.Read(new StoreCounts(new JobCounts(0, 0, 0, 0, 0, 0), []) { Served = served });
    }

    private static double? Eta(Estimator estimator, JobState state, long ahead) => estimator.EtaSeconds(Job(state), ahead, default);

    private static Job Job(JobState state) =>
        new() { Id = JobId.New(RandomSource.System, TimeProvider.System), Spec = SampleJobs.New(model: "tiny").Spec, State = state, Created = default };

    private Estimator Estimator(int workers = 1, int lanes = 1) => new(roster, new JobSettings { MaxWorkers = workers, LanesPerWorker = lanes });
}
