using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Gateway;

public sealed class AdmissionTests : IAsyncLifetime
{
    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private Backend backend = null!;
    private DrainRate drain = null!;
    private Estimator estimator = null!;
    private BacklogMeter meter = null!;
    private WorkerRoster roster = null!;

    public Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        clock.Advance(TimeSpan.FromSeconds(1));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_place_that_is_left_is_free_for_the_next_and_only_once()
    {
        using var admission = Admission(uploads: 1);
        var first = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default);
        second.IsCompleted.ShouldBeFalse();

        first.Dispose();
        first.Dispose();

        using (await second.WaitAsync(GatewayBench.Safety))
            await ShouldBeBusyAfterTheTurnAsync(admission);
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_place()
    {
        using var admission = Admission(uploads: 1);
        using (await admission.EnterAsync(default))
        {
            using var leaves = new CancellationTokenSource();
            var waiting = admission.EnterAsync(leaves.Token);
            await leaves.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(waiting);
        }
        using var next = await admission.EnterAsync(default).WaitAsync(GatewayBench.Safety);
    }

    [Fact]
    public async Task Nobody_enters_once_it_is_closed_not_even_who_waited()
    {
        using var admission = Admission(uploads: 1);
        var first = await admission.EnterAsync(default);
        var waiting = admission.EnterAsync(default);
        admission.Close();
        first.Dispose();

        (await Should.ThrowAsync<SpotterException>(waiting)).Code.ShouldBe(ErrorCodes.Busy);
        (await Should.ThrowAsync<SpotterException>(admission.EnterAsync(default))).Code.ShouldBe(ErrorCodes.Busy);
    }

    [Fact]
    public async Task Too_long_a_queue_turns_everybody_away_until_it_is_shorter()
    {
        using var admission = Admission(queued: 2);
        var added = await backend.Jobs.AddAsync([SampleJobs.New(), SampleJobs.New()], default);
        await meter.ReadAsync(default);
        (await Should.ThrowAsync<SpotterException>(admission.EnterAsync(default))).Code.ShouldBe(ErrorCodes.Busy);

        await backend.Jobs.CancelAsync(added[0].Job.Id, null, default);
        await meter.ReadAsync(default);
        using var place = await admission.EnterAsync(default);
    }

    [Fact]
    public async Task What_was_accepted_since_the_last_look_counts()
    {
        using var admission = Admission(queued: 10);
        admission.Check();
        await meter.ReadAsync(default);
        meter.Accepted(10);
        Should.Throw<SpotterException>(admission.Check).Code.ShouldBe(ErrorCodes.Busy);

        meter.Taken();
        admission.Check();
        await meter.ReadAsync(default);
        meter.Queued.ShouldBe(0);
    }

    [Fact]
    public async Task A_full_queue_says_how_long_it_takes_until_there_is_room()
    {
        using var admission = Admission(queued: 1000);
        await meter.ReadAsync(default);
        meter.Accepted(1010);
        Refusal(admission.Check).RetryAfter.ShouldBe(TimeSpan.FromSeconds(10), "nothing was measured");

        // Four jobs end in ten seconds; ten are too many, and there should be room for ten.
        drain.Read(0);
        clock.Advance(TimeSpan.FromSeconds(10));
        drain.Read(4);
        Refusal(admission.Check).RetryAfter.ShouldBe(TimeSpan.FromSeconds(20 / 0.4));
    }

    [Fact]
    public async Task A_backlog_from_before_the_start_turns_nobody_away_until_it_is_old_since_then()
    {
        await backend.Jobs.AddAsync([SampleJobs.New(model: GatewayBench.Model.Id)], default);
        clock.Advance(TimeSpan.FromHours(9));
        using var admission = Admission();
        await meter.ReadAsync(default);
        admission.Check();

        clock.Advance(TimeSpan.FromMinutes(16));
        await meter.ReadAsync(default);
        Refusal(admission.Check).Code.ShouldBe(ErrorCodes.Busy);
    }

    [Fact]
    public async Task Jobs_that_wait_until_their_model_is_loaded_keep_nobody_out()
    {
        using var admission = Admission();
        roster.Join("w", 1, [new WorkerModel(GatewayBench.Model.Id, null) { IsLoading = true }]);
        await backend.Jobs.AddAsync([SampleJobs.New(model: GatewayBench.Model.Id)], default);
        clock.Advance(TimeSpan.FromMinutes(16));
        var read = await meter.ReadAsync(default);

        admission.Check();
        read.Ahead.ShouldBeEmpty();
    }

    [Fact]
    public async Task Sessions_that_wait_for_a_gateway_keep_nobody_out()
    {
        using var admission = Admission();
        await backend.Jobs.AddAsync([SampleJobs.New(model: QueueNames.WorkflowModel).Having(s => s with { Engine = QueueNames.WorkflowEngine })], default);
        clock.Advance(TimeSpan.FromMinutes(16));
        var read = await meter.ReadAsync(default);

        admission.Check();
        read.Ahead.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_old_backlog_turns_everybody_away_unless_it_waits_for_a_model_that_nobody_has()
    {
        using var admission = Admission();
        await backend.Jobs.AddAsync([SampleJobs.New(model: "gone")], default);
        clock.Advance(TimeSpan.FromMinutes(16));
        await meter.ReadAsync(default);
        admission.Check();

        var served = await backend.Jobs.AddAsync([SampleJobs.New(model: GatewayBench.Model.Id)], default);
        clock.Advance(TimeSpan.FromMinutes(15));
        await meter.ReadAsync(default);
        admission.Check();
        clock.Advance(TimeSpan.FromSeconds(1));
        await meter.ReadAsync(default);
        Refusal(admission.Check).Code.ShouldBe(ErrorCodes.Busy);

        await backend.Jobs.CancelAsync(served[0].Job.Id, null, default);
        await meter.ReadAsync(default);
        admission.Check();
    }

    [Fact]
    public async Task A_deadline_is_judged_by_the_backlog_and_only_when_that_is_known()
    {
        using var admission = Admission();
        var second = TimeSpan.FromSeconds(1);
        admission.CheckDeadline(second, null);
        estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        admission.CheckDeadline(second, null);
        await meter.ReadAsync(default);
        admission.CheckDeadline(second, null);

        // One worker with one lane starts in a second and takes a second for each.
        meter.Accepted(10);
        admission.CheckDeadline(second * 11, null);
        var refusal = Refusal(() => admission.CheckDeadline(second * 5, null));
        refusal.Code.ShouldBe(ErrorCodes.DeadlineUnmeetable);
        refusal.RetryAfter.ShouldBe(second * 6);

        // It would begin in time, and end after its sender has gone.
        Refusal(() => admission.CheckDeadline(second * 11, second * 10)).RetryAfter.ShouldBe(second * 2);
        admission.CheckDeadline(second * 11, second * 12);
    }

    [Fact]
    public async Task What_is_urgent_is_judged_by_what_is_as_urgent()
    {
        using var admission = Admission();
        var second = TimeSpan.FromSeconds(1);
        estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        await meter.ReadAsync(default);
        meter.Accepted(1000);
        admission.CheckDeadline(second * 2, second * 3, JobPriority.High);
        Refusal(() => admission.CheckDeadline(second * 2, null));

        // One worker with one lane starts in a second and takes a second for each.
        meter.Accepted(10, JobPriority.High);
        admission.CheckDeadline(second * 11, null, JobPriority.High);
        Refusal(() => admission.CheckDeadline(second * 5, null, JobPriority.High)).RetryAfter.ShouldBe(second * 6);
        for (var i = 0; i < 10; i++)
            meter.Taken(JobPriority.High);
        admission.CheckDeadline(second * 2, second * 3, JobPriority.High);
    }

    [Fact]
    public async Task An_urgent_job_waits_for_a_third_as_many_of_the_others()
    {
        using var admission = Admission();
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 9).Select(_ => SampleJobs.New(model: GatewayBench.Model.Id).Having(s => s with { Priority = JobPriority.High }))], default);
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 100).Select(_ => SampleJobs.New(model: GatewayBench.Model.Id))], default);
        await meter.ReadAsync(default);

        meter.AheadOf(JobPriority.High)!.Value.Waiting.Sum(b => b.All).ShouldBe(9 + 3);
        meter.AheadOf(JobPriority.Normal)!.Value.Waiting.Sum(b => b.All).ShouldBe(109);
    }

    [Fact]
    public async Task A_deadline_is_judged_by_what_others_do_too()
    {
        using var admission = Admission();
        estimator.Read(SampleJobs.Served("detect/tiny", ServedJobs.One(1)));
        await meter.ReadAsync(default);
        clock.Advance(TimeSpan.FromSeconds(10));
        drain.Read(100);
        meter.Accepted(50);

        // One worker of this gateway's own would take almost a minute; ten jobs end each second.
        admission.CheckDeadline(TimeSpan.FromSeconds(6), null);
        Refusal(() => admission.CheckDeadline(TimeSpan.FromSeconds(4), null)).RetryAfter!.Value.TotalSeconds.ShouldBeInRange(0.9, 1.1);
    }

    [Fact]
    public async Task A_backlog_that_could_not_be_read_for_long_turns_nobody_away()
    {
        using var admission = Admission(queued: 1);
        await meter.ReadAsync(default);
        meter.Accepted(1);
        Should.Throw<SpotterException>(admission.Check);

        clock.Advance(TimeSpan.FromSeconds(15));
        admission.Check();
    }

    private static SpotterException Refusal(Action action) => Should.Throw<SpotterException>(action);

    private async Task ShouldBeBusyAfterTheTurnAsync(Admission admission)
    {
        var waiting = admission.EnterAsync(default);
        while (!waiting.IsCompleted)
        {
            await Task.WhenAny(clock.WaitForTimersAsync(), waiting);
            clock.Advance(TimeSpan.FromSeconds(11));
            await Task.Yield();
        }
        (await Should.ThrowAsync<SpotterException>(waiting)).Code.ShouldBe(ErrorCodes.Busy);
    }

    private Admission Admission(int uploads = 64, int queued = 100)
    {
        var settings = new JobSettings { MaxUploads = uploads, MaxQueued = queued };
        roster = new WorkerRoster(clock);
        drain = new DrainRate(clock);
        estimator = new Estimator(roster, settings);
        meter = new BacklogMeter(
            backend.Jobs, new UnservedQueues(new ModelCatalogue([GatewayBench.Model]), roster), drain, estimator, settings, clock);
        return new(meter, drain, estimator, settings, clock);
    }
}
