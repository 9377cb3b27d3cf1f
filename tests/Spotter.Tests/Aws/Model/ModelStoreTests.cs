using Amazon.Runtime;
using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>What the simulation has found, each for itself.</summary>
public sealed class ModelStoreTests
{
    private readonly OneThread thread;
    private readonly RandomSource random = RandomSource.Seeded(1);
    private readonly JobOracle oracle;
    private readonly ModelCloud cloud;
    private readonly ModelTable table;
    private readonly ModelQueues queues;

    public ModelStoreTests()
    {
        thread = new OneThread(random);
        oracle = new JobOracle(thread.Clock);
        cloud = new ModelCloud(thread.Clock, random, oracle);
        table = new ModelTable(cloud);
        queues = new ModelQueues(cloud, SimulationSize.MostInFlight);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public void However_many_look_at_a_job_that_is_not_due_it_has_one_message(int minutesUntilDue) => thread.Run(async () =>
    {
        List<ModelGateway> gateways = [Gateway(), Gateway(), Gateway()];
        var job = SampleJobs.New(id: JobId.New(random, cloud.Clock)).Having(s => s with { NotBefore = minutesUntilDue == 0 ? null : cloud.Now + TimeSpan.FromMinutes(minutesUntilDue) });
        await gateways[0].AskAsync(store => store.AddAsync([job], default));
        await LookAsync(gateways, minutesUntilDue + 20);
        oracle.Sends.ShouldBeGreaterThan(0);

        // Then it is tried again in a while.
        var taken = (await gateways[0].AskAsync(store => store.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w"], TimeSpan.FromMinutes(1)), default))).Answer!;
        var lease = taken.Jobs.ShouldHaveSingleItem().Lease;
        var sends = oracle.Sends;
        var ended = (await gateways[0].AskAsync(store => store.FinishAsync(lease, new JobOutcome.Retry(new(ErrorCodes.Internal, JobOracle.StampOf(lease)), SpendAttempt: true), default))).Answer!;
        await LookAsync(gateways, (int)ended.RetryAfter!.Value.TotalMinutes);

        oracle.Sends.ShouldBe(sends, "the message that it had comes again");
        oracle.Violations.ShouldBeEmpty();
    });

    [Fact]
    public void A_page_of_the_ledger_that_is_replaced_keeps_its_jobs_whichever_answer_is_lost() => thread.Run(async () =>
    {
        var settings = new AwsSettings { Region = "eu-central-1", Credentials = new AnonymousAWSCredentials() };
        var (pace, faults) = (new Pace(cloud.Clock, OneThread.StartAsync, random), new AwsFaults(settings));
        await using var ledger = new Ledger(new DynamoTable(new ModelDynamo(cloud, table, new ModelProcess()), faults, settings.Table, pace), faults, pace);
        for (var tries = 0; tries < 50; tries++)
        {
            var (job, now) = (JobId.New(random, cloud.Clock), cloud.Now);
            cloud.Faults = ModelFaults.None;
            await ledger.NoteAsync([job], now + TimeSpan.FromMinutes(5), default);
            var page = (await ledger.PagesAsync(Ledger.Open, now + TimeSpan.FromDays(1), 10, default)).Single(p => p.Jobs.Contains(job));

            cloud.Faults = new ModelFaults { AnswerLost = 0.5 };
            try
            {
                await ledger.ReplaceAsync(page, [(Ledger.Open, now + TimeSpan.FromHours(1), job)], default);
            }
            catch (SpotterException)
            {
                // Whoever looks next replaces it.
            }

            cloud.Faults = ModelFaults.None;
            (await ledger.PagesAsync(Ledger.Open, now + TimeSpan.FromDays(1), 1000, default)).ShouldContain(p => p.Jobs.Contains(job));
        }
    });

    [Fact]
    public void A_key_whose_job_was_deleted_by_somebody_who_was_cut_off_makes_another_job() => thread.Run(async () =>
    {
        var gateway = Gateway();
        var first = SampleJobs.New(id: JobId.New(random, cloud.Clock), key: "once");
        await gateway.AskAsync(store => store.AddAsync([first], default));
        await gateway.AskAsync(async store => await store.CancelAsync(first.Id, null, default));
        table.Delete(RowCodec.KeyOf(first.Id).ToItem());

        var second = SampleJobs.New(id: JobId.New(random, cloud.Clock), key: "once");
        var (isAnswered, answer) = await gateway.AskAsync(store => store.AddAsync([second], default));

        isAnswered.ShouldBeTrue();
        answer!.ShouldHaveSingleItem().Job.Id.ShouldBe(second.Id);
        (await gateway.AskAsync(store => store.FindByKeysAsync(["once"], default))).Answer!.ShouldHaveSingleItem().Id.ShouldBe(second.Id);
    });

    [Fact]
    public void Jobs_that_wait_for_long_share_pages_of_the_ledger() => thread.Run(async () =>
    {
        var gateway = Gateway();
        for (var i = 0; i < 180; i++)
        {
            await gateway.AskAsync(store => store.AddAsync([SampleJobs.New(id: JobId.New(random, cloud.Clock))], default));
            await Task.Delay(TimeSpan.FromMilliseconds(50), cloud.Clock);
        }

        await LookAsync([gateway], 60);

        table.Items.Count(i => i["pk"].S == Ledger.Open).ShouldBeLessThan(10);
    });

    [Fact]
    public void A_worker_that_leaves_by_itself_costs_no_reading_of_what_waits() => thread.Run(async () =>
    {
        List<ModelGateway> gateways = [Gateway(), Gateway()];
        foreach (var gateway in gateways)
            await gateway.AskAsync(store => store.AddAsync([.. Enumerable.Range(0, 30).Select(_ => SampleJobs.New(id: JobId.New(random, cloud.Clock)))], default));
        await LookAsync(gateways, 10);
        var calls = cloud.Calls;

        await gateways[0].AskAsync(store => store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: false, default));
        cloud.Calls.ShouldBe(calls);

        // Of one that died another gateway may have given it something.
        await gateways[0].AskAsync(store => store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: true, default));
        cloud.Calls.ShouldBeGreaterThan(calls);
    });

    [Fact]
    public void Workers_that_die_one_after_the_other_have_all_that_waits_read_the_less_often_the_more_it_is() => thread.Run(async () =>
    {
        const int Jobs = 6000;
        List<ModelGateway> gateways = [Gateway(), Gateway()];
        for (var i = 0; i < Jobs; i += 500)
            await gateways[1].AskAsync(store => store.AddAsync([.. Enumerable.Range(0, 500).Select(_ => SampleJobs.New(id: JobId.New(random, cloud.Clock)))], default));
        await LookAsync(gateways, 1);

        // A minute for so many.
        var read = new List<bool>();
        for (var i = 0; i < 8; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(21), cloud.Clock);
            var calls = cloud.Calls;
            await gateways[0].AskAsync(store => store.ReleaseAsync("gone", SampleJobs.Fault, spendAttempt: true, default));
            read.Add(cloud.Calls > calls);
        }

        read.ShouldBe([true, false, false, true, false, false, true, false]);
    });

    [Fact]
    public void A_count_that_had_to_stop_puts_nothing_right() => thread.Run(async () =>
    {
        const int Jobs = Ledger.MostPages + 20;
        var (first, second) = (Gateway(), Gateway());
        // Jobs that were long on their way have a page each.
        var ids = Enumerable.Range(0, Jobs).Select(_ => JobId.New(random, cloud.Clock)).ToList();
        await Task.Delay(TimeSpan.FromMinutes(1), cloud.Clock);
        foreach (var id in ids)
            await first.AskAsync(store => store.AddAsync([SampleJobs.New(id: id)], default));
        await Task.Delay(TimeSpan.FromSeconds(2), cloud.Clock);
        await first.AskAsync(store => store.CountAsync(default));
        first.Kill();
        await Task.Delay(TimeSpan.FromMinutes(1), cloud.Clock);

        await second.AskAsync(store => store.ReapAsync(10, default));

        (await second.AskAsync(store => store.CountAsync(default))).Answer!.Jobs.Queued.ShouldBe(Jobs);
    });

    [Fact]
    public void A_job_that_has_waited_for_an_hour_gets_another_message_although_none_seems_to_be_missing() => thread.Run(async () =>
    {
        List<ModelGateway> gateways = [Gateway(), Gateway()];
        var (job, other) = (SampleJobs.New(id: JobId.New(random, cloud.Clock)), SampleJobs.New(id: JobId.New(random, cloud.Clock)));
        await gateways[0].AskAsync(store => store.AddAsync([job, other], default));
        oracle.WillCancel(other.Id);
        await gateways[0].AskAsync(async store => await store.CancelAsync(other.Id, null, default));
        var queue = queues.All.Single();
        queue.Purge();
        // As many as wait, and none of them is of a job that does.
        queue.Send(other.Id.Value, delay: 0);

        await LookAsync(gateways, 50);
        queue.Bodies.ShouldHaveSingleItem().ShouldBe(other.Id.Value);
        await LookAsync(gateways, 40);

        queue.Bodies.Contains(job.Id.Value, StringComparer.Ordinal).ShouldBeTrue();
        oracle.Violations.ShouldBeEmpty();
    });

    [Fact]
    public void A_job_whose_message_SQS_did_not_take_is_given_at_once_where_it_was_accepted() => thread.Run(async () =>
    {
        var gateway = Gateway();
        cloud.Faults = new ModelFaults { EntryFailed = 1 };
        var job = SampleJobs.New(id: JobId.New(random, cloud.Clock));
        await gateway.AskAsync(store => store.AddAsync([job], default));

        var taken = (await gateway.AskAsync(store => store.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w"], TimeSpan.FromMinutes(1)), default))).Answer!;

        taken.Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
    });

    [Fact]
    public void A_gateway_that_ends_in_the_midst_of_a_redrive_leaves_the_job_where_it_is_looked_for() => thread.Run(async () =>
    {
        var (first, second) = (Gateway(), Gateway());
        var job = SampleJobs.New(id: JobId.New(random, cloud.Clock));
        await first.AskAsync(store => store.AddAsync([job], default));
        for (EndedAttempt? ended = null; ended?.State != JobState.Dead;)
        {
            var taken = (await first.AskAsync(store => store.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w"], TimeSpan.FromMinutes(1)), default))).Answer!;
            var lease = taken.Jobs.ShouldHaveSingleItem().Lease;
            ended = (await first.AskAsync(store => store.FinishAsync(lease, new JobOutcome.Retry(new(ErrorCodes.Internal, JobOracle.StampOf(lease)), SpendAttempt: true), default))).Answer!;
            await LookAsync([first], 70);
        }
        queues.All.Single().Purge();
        oracle.Wrote = row =>
        {
            if (row.Job.Redrives == 1)
                first.Kill();
        };

        await first.AskAsync(store => store.RedriveAsync(new(), "somebody", default));
        first.IsDead.ShouldBeTrue();
        await LookAsync([second], 95);

        queues.All.Single().Bodies.Contains(job.Id.Value, StringComparer.Ordinal).ShouldBeTrue();
        oracle.Violations.ShouldBeEmpty();
    });

    [Fact]
    public void Several_gateways_that_delete_what_has_had_its_time_do_not_do_it_all_three_times() => thread.Run(async () =>
    {
        const int Each = 500;
        List<ModelGateway> gateways = [Gateway(), Gateway(), Gateway()];
        for (var i = 0; i < gateways.Count * Each; i++)
        {
            var job = SampleJobs.New(id: JobId.New(random, cloud.Clock));
            await gateways[0].AskAsync(store => store.AddAsync([job], default));
            oracle.WillCancel(job.Id);
            await gateways[0].AskAsync(async store => await store.CancelAsync(job.Id, null, default));
        }
        await LookAsync(gateways, 10);

        var purged = await Task.WhenAll(gateways.Select(g => g.AskAsync(store => store.PurgeAsync(cloud.Now, Each, default))));

        purged.Sum(p => p.Answer).ShouldBe(gateways.Count * Each);
        table.Items.ShouldNotContain(i => i["pk"].S.StartsWith("job#", StringComparison.Ordinal));
        oracle.Violations.ShouldBeEmpty();
    });

    private async Task LookAsync(List<ModelGateway> gateways, int minutes)
    {
        for (var i = 0; i < minutes * 3; i++)
        {
            await Task.WhenAll(gateways.Select(g => g.AskAsync(store => store.ReapAsync(10, default))));
            await Task.Delay(TimeSpan.FromSeconds(20), cloud.Clock);
        }
    }

    private ModelGateway Gateway() => new(cloud, table, queues, new RetrySchedule { FirstDelay = TimeSpan.FromMinutes(40), LongestDelay = TimeSpan.FromHours(1) }, random);
}
