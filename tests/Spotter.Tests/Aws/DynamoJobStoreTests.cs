using System.Text;
using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Backends.Local;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws;

/// <summary>What a store meets whose messages may be lost and whose table several gateways share.</summary>
[NeedsMoto]
[Collection(Moto.Name)]
public sealed class DynamoJobStoreTests(Moto moto) : IAsyncLifetime
{
    private const string Queue = SampleJobs.Detect;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    private readonly AwsFixture fixture = new(moto);
    private readonly ManualClock clock = new();
    private Backend first = null!;

    public async Task InitializeAsync() => first = await fixture.OpenAsync(clock);

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task Jobs_whose_messages_are_lost_are_found_by_the_gateway_that_accepted_them()
    {
        var ids = await AddAsync(first, 12);
        await PurgeAsync();

        (await TakeAsync(first, 12)).Jobs.ShouldBeEmpty();
        var due = (await TakeAsync(first, 12)).NextDue.ShouldNotBeNull("it is told when they are taken to be lost");
        clock.Advance(due - clock.GetUtcNow());

        (await TakeAllAsync(first)).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_whose_messages_are_lost_are_sent_again_once_for_other_gateways_to_find()
    {
        var ids = await AddAsync(first, 5);
        await PurgeAsync();
        await fixture.CloseAsync();
        var other = await fixture.OpenAsync(clock);

        clock.Advance(TimeSpan.FromMinutes(6));
        await other.Jobs.ReapAsync(10, default);
        (await CountMessagesAsync()).ShouldBe(5);
        clock.Advance(TimeSpan.FromMinutes(1));
        await other.Jobs.ReapAsync(10, default);

        (await CountMessagesAsync()).ShouldBe(5, "each of them once in a while");
        (await TakeAllAsync(other)).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_that_were_long_on_their_way_are_looked_at_as_well()
    {
        var slow = JobId.New(RandomSource.System, clock);
        clock.Advance(TimeSpan.FromMinutes(3));
        await first.Jobs.AddAsync([SampleJobs.New(id: slow)], default);
        await PurgeAsync();
        await fixture.CloseAsync();
        var other = await fixture.OpenAsync(clock);

        clock.Advance(TimeSpan.FromMinutes(6));
        await other.Jobs.ReapAsync(10, default);

        (await TakeAllAsync(other)).ShouldBe([slow]);
    }

    [Fact]
    public async Task Jobs_of_some_seconds_stand_on_one_page_of_the_ledger_and_move_to_another_when_they_have_ended()
    {
        for (var second = 0; second < 30; second++)
        {
            await AddAsync(first, 2);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        (await LeftAsync("open")).Count.ShouldBeInRange(3, 4);

        foreach (var job in (await TakeAsync(first, 60)).Jobs)
            await first.Jobs.FinishAsync(job.Lease, SampleJobs.Done(), default);
        clock.Advance(TimeSpan.FromMinutes(3));
        await first.Jobs.ReapAsync(10, default);

        (await LeftAsync("open")).ShouldBeEmpty();
        (await LeftAsync("ended")).Count.ShouldBeInRange(1, 4);
        clock.Advance(TimeSpan.FromDays(1));
        (await first.Jobs.PurgeAsync(clock.GetUtcNow(), 100, default)).ShouldBe(60);
    }

    [Fact]
    public async Task A_message_that_comes_twice_starts_nothing_twice()
    {
        var ids = await AddAsync(first, 3);
        using var clients = new AwsClients(fixture.Settings);
        var queues = new SqsQueues(clients.Sqs, clients.Faults, fixture.Settings, Pace.Real);
        foreach (var id in ids.Concat(ids))
            await queues.SendAsync(new(Queue, JobPriority.Normal), id, TimeSpan.Zero);

        var taken = await TakeAsync(first, 20);

        taken.Jobs.Select(j => j.Job.Id).ShouldBe(ids, ignoreOrder: true);
        taken.Jobs.Select(j => j.Lease.Worker).ShouldBe(["w0", "w1", "w2"]);
        foreach (var started in taken.Jobs)
        {
            started.Job.Worker.ShouldBe(started.Lease.Worker);
            (await first.Jobs.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldNotBeNull();
        }
        (await TakeAsync(first, 20)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_no_job_in_a_queue_is_deleted_and_holds_nothing_up()
    {
        var ids = await AddAsync(first, 1);
        using var clients = new AwsClients(fixture.Settings);
        var url = (await clients.Sqs.GetQueueUrlAsync(NameOf(JobPriority.Normal))).QueueUrl;
        await clients.Sqs.SendMessageAsync(url, """{"chatId":1}""");
        await clients.Sqs.SendMessageAsync(url, new string('0', JobId.Length));

        var started = (await TakeAsync(first, 1)).Jobs.ShouldHaveSingleItem();
        started.Job.Id.ShouldBe(ids[0]);
        await first.Jobs.FinishAsync(started.Lease, SampleJobs.Done(), default);
        (await TakeAllAsync(first)).ShouldBeEmpty();
        await fixture.CloseAsync();

        (await CountMessagesAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_queue_that_is_missing_refuses_its_jobs_and_keeps_those_of_others_from_nobody()
    {
        await AddAsync(first, 1);
        await TakeAllAsync(first);
        var second = await fixture.OpenAsync(clock, creates: false);

        var refusal = await Should.ThrowAsync<SpotterException>(() => second.Jobs.AddAsync([SampleJobs.New(model: "none")], default));
        refusal.Message.ShouldBe($"There is no SQS queue '{fixture.Name}-detect_none-normal'; make it with deploy/aws/up, or correct --aws-queues or --aws-region.");
        (await second.Jobs.ListAsync(new JobFilter(), default)).Count.ShouldBe(1, "nothing is left of what was refused");

        var ids = await AddAsync(second, 2);
        var request = new TakeRequest(["detect/none", Queue], [JobPriority.Normal], ["a", "b", "c"], Duration);
        (await second.Jobs.TakeAsync(request, default)).Jobs.Select(j => j.Job.Id).ShouldBe(ids, ignoreOrder: true);
        (await second.Jobs.TakeAsync(request, default)).Jobs.ShouldBeEmpty();
        await Should.ThrowAsync<SpotterException>(() => second.Jobs.TakeAsync(request with { Queues = ["detect/none"] }, default));
    }

    [Fact]
    public async Task Of_two_who_look_at_one_page_of_the_ledger_one_replaces_it()
    {
        using var clients = new AwsClients(fixture.Settings);
        await using var ledger = new Ledger(new DynamoTable(clients.Dynamo, clients.Faults, fixture.Name, Pace.Real), clients.Faults, Pace.Real);
        var (now, job) = (clock.GetUtcNow(), JobId.New(RandomSource.System, clock));
        await ledger.NoteAsync([job], now, default);
        var page = (await ledger.PagesAsync(Ledger.Open, now + TimeSpan.FromHours(1), 10, default)).ShouldHaveSingleItem();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => ledger.ReplaceAsync(page, [(Ledger.Open, now + TimeSpan.FromMinutes(i), job)], default))));

        (await ledger.PagesAsync(Ledger.Open, now + TimeSpan.FromHours(1), 10, default)).ShouldHaveSingleItem().Jobs.ShouldBe([job]);
    }

    [Fact]
    public async Task What_was_noted_and_never_accepted_is_forgotten()
    {
        // Of those with one key one is accepted.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => first.Jobs.AddAsync([SampleJobs.New(key: "once")], default))));
        await first.Jobs.FinishAsync((await TakeAsync(first, 1)).Jobs[0].Lease, SampleJobs.Done(), default);
        for (var day = 0; day < 3; day++)
        {
            clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(5));
            await first.Jobs.ReapAsync(10, default);
        }

        (await LeftAsync("open", "missing")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_makes_many_files_ends()
    {
        await AddAsync(first, 1);
        var files = Enumerable.Range(0, 150).Select(i => SampleJobs.File($"frame{i}.json")).ToList();

        await first.Jobs.FinishAsync((await TakeAsync(first, 1)).Jobs[0].Lease, SampleJobs.Done() with { Outputs = files }, default);

        (await first.Jobs.UnknownBlobsAsync([.. files.Select(f => f.Key)], default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_difference_that_another_gateway_may_be_about_to_tell_is_counted_twice_before_it_is_put_right()
    {
        var second = await fixture.OpenAsync(clock);
        // Both are known to each other; then the first accepts jobs and says nothing of them.
        foreach (var gateway in (Backend[])[first, second])
            await gateway.Jobs.CountAsync(default);
        await AddAsync(first, 2);

        await second.Jobs.ReapAsync(10, default);
        (await second.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);
        clock.Advance(TimeSpan.FromMinutes(2));
        await second.Jobs.ReapAsync(10, default);

        (await second.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(2);
    }

    [Fact]
    public async Task Two_gateways_share_what_waits_and_count_it_together()
    {
        var second = await fixture.OpenAsync(clock);
        var ids = (await AddAsync(first, 10)).Concat(await AddAsync(second, 10)).ToList();
        clock.Advance(TimeSpan.FromSeconds(25));
        // Each says what it did, and hears the other.
        foreach (var gateway in (Backend[])[first, second, first])
            await gateway.Jobs.CountAsync(default);

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => TakeAsync(i % 2 == 0 ? first : second, 5))));
        var leases = taken.SelectMany(t => t.Jobs).Select(j => j.Lease).ToList();
        leases.Select(l => l.Job).ShouldBe(ids, ignoreOrder: true);
        // A worker may hand in to another gateway than it has its job from.
        foreach (var lease in leases.Take(12))
            (await second.Jobs.FinishAsync(lease, SampleJobs.Done(), default)).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromSeconds(25));
        foreach (var gateway in (Backend[])[first, second])
            await gateway.Jobs.CountAsync(default);
        clock.Advance(TimeSpan.FromSeconds(25));

        foreach (var gateway in (Backend[])[first, second])
        {
            var counts = (await gateway.Jobs.CountAsync(default)).Jobs;
            (counts.Queued, counts.Running, counts.Succeeded, counts.Ended).ShouldBe((0, 8, 12, 12));
        }
    }

    [Fact]
    public async Task What_a_gateway_that_crashed_had_not_said_is_counted_anew()
    {
        await AddAsync(first, 3);
        // Another one opens the table; the first never says anything again.
        var second = await fixture.OpenAsync(clock);
        (await second.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);

        await second.Jobs.ReapAsync(10, default);

        (await second.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(3);
        (await TakeAllAsync(second)).Count.ShouldBe(3);
        (await second.Jobs.CountAsync(default)).Jobs.Running.ShouldBe(3);
    }

    [Fact]
    public async Task Gateways_that_are_gone_for_long_are_counted_as_one()
    {
        await AddAsync(first, 2);
        for (var i = 0; i < 3; i++)
        {
            await fixture.CloseAsync();
            first = await fixture.OpenAsync(clock);
            var lease = (await TakeAsync(first, 1)).Jobs.SingleOrDefault()?.Lease;
            if (lease is not null)
                await first.Jobs.FinishAsync(lease, SampleJobs.Done(), default);
            await AddAsync(first, 1);
        }
        clock.Advance(TimeSpan.FromHours(2));
        await first.Jobs.ReapAsync(10, default);

        var counts = (await first.Jobs.CountAsync(default)).Jobs;
        (counts.Queued, counts.Succeeded).ShouldBe((2, 3));
        (await LeftAsync("tally")).Count.ShouldBe(2, "this one, and all before it");
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task A_lease_that_lasts_long_enough_is_not_written_anew(int afterSeconds, bool endsAsItBegan)
    {
        await AddAsync(first, 1);
        var taken = (await TakeAsync(first, 1)).Jobs.ShouldHaveSingleItem();

        clock.Advance(TimeSpan.FromSeconds(afterSeconds));
        (await first.Jobs.ExtendAsync([taken.Lease], Duration, TimeSpan.FromSeconds(25), default)).ShouldBe([true]);
        clock.Advance(Duration - TimeSpan.FromSeconds(afterSeconds - 1));

        (await first.Jobs.ReapAsync(10, default)).ShouldBe(endsAsItBegan ? 1 : 0);
    }

    [Fact]
    public async Task The_leases_of_a_gateway_that_is_gone_run_out_and_are_taken_by_another()
    {
        var ids = await AddAsync(first, 2);
        (await TakeAllAsync(first)).Count.ShouldBe(2);
        var second = await fixture.OpenAsync(clock);

        clock.Advance(Duration);
        (await second.Jobs.ReapAsync(10, default)).ShouldBe(2);
        clock.Advance(TimeSpan.FromSeconds(1));

        (await TakeAllAsync(second)).ShouldBe(ids, ignoreOrder: true);
    }

    [Theory]
    [InlineData(250_000)]
    [InlineData(2_000_000)]
    public async Task A_result_of_any_size_comes_back_whole_and_leaves_nothing_when_its_row_goes(int bytes)
    {
        var noise = new byte[bytes];
        new Random(1).NextBytes(noise);
        var result = RawJson.OfText($$"""{"mask":"{{Convert.ToBase64String(noise)}}"}""");
        var ids = new[] { (await first.Jobs.AddAsync([SampleJobs.New(key: "once") with { ResultCacheKey = "work" }], default))[0].Job.Id };
        var lease = (await TakeAsync(first, 1)).Jobs[0].Lease;

        await first.Jobs.FinishAsync(lease, new JobOutcome.Done(result, new JobTimings(), null) { ModelVersion = "v1" }, default);

        (await first.Jobs.FindAsync(ids[0], default))!.Result.ShouldBe(result);
        (await first.Jobs.ListAsync(new JobFilter(), default)).ShouldHaveSingleItem().Result.ShouldBe(result);
        clock.Advance(TimeSpan.FromDays(1));
        (await first.Jobs.PurgeAsync(clock.GetUtcNow(), 10, default)).ShouldBe(1);
        (await LeftAsync("")).Except(["store", "tally"], StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("detect/yolox_nano", JobPriority.High, "p-detect_yolox_nano-high")]
    [InlineData("annotate", JobPriority.Low, "p-annotate-low")]
    public void Queues_have_the_names_of_what_waits_in_them(string queue, JobPriority priority, string name) =>
        SqsQueues.NameOf("p", new(queue, priority)).ShouldBe(name);

    [Fact]
    public void Queues_of_odd_and_long_names_have_names_that_SQS_takes_and_each_its_own()
    {
        string[] odd = ["detect/a b", "detect/a_b", "detect/a:b", $"detect/{new string('x', 200)}", $"detect/{new string('x', 201)}", "detect/né 犬"];

        var names = odd.Select(q => SqsQueues.NameOf("spotter", new(q, JobPriority.Normal))).ToList();

        names.Distinct(StringComparer.Ordinal).Count().ShouldBe(odd.Length);
        names.ShouldAllBe(n => n.Length <= 80 && Encoding.UTF8.GetByteCount(n) == n.Length && n.All(c => char.IsAsciiLetterOrDigit(c) || c == '-' || c == '_'));
    }

    [Fact]
    public async Task A_table_that_is_not_there_is_said_with_what_to_do()
    {
        var missing = fixture.Settings with { Table = "none", Creates = false };

        var refusal = await Should.ThrowAsync<SpotterException>(() => AwsBackend.OpenAsync(
            missing, new BlobPlace(new FolderBlobStore(Path.GetTempPath(), RandomSource.System), "The folder"), new RetrySchedule(), RandomSource.System, clock));

        refusal.Message.ShouldBe("There is no DynamoDB table 'none' in eu-central-1; make it with deploy/aws/up, or correct --aws-table or --aws-region.");
    }

    private async Task<List<JobId>> AddAsync(Backend gateway, int count)
    {
        var ids = new List<JobId>();
        for (var i = 0; i < count; i++)
            ids.Add((await gateway.Jobs.AddAsync([SampleJobs.New(id: JobId.New(RandomSource.System, clock))], default))[0].Job.Id);
        return ids;
    }

    private static Task<TakenJobs> TakeAsync(Backend gateway, int count) => gateway.Jobs.TakeAsync(
        new TakeRequest([Queue], [JobPriority.High, JobPriority.Normal, JobPriority.Low], [.. Enumerable.Range(0, count).Select(i => $"w{i}")], Duration), default);

    private static async Task<List<JobId>> TakeAllAsync(Backend gateway)
    {
        var taken = new List<JobId>();
        while ((await TakeAsync(gateway, 5)).Jobs is { Count: > 0 } some)
            taken.AddRange(some.Select(s => s.Job.Id));
        return taken;
    }

    /// <summary>The partitions of the items whose partition begins with one of these words.</summary>
    private async Task<List<string>> LeftAsync(params string[] words)
    {
        using var clients = new AwsClients(fixture.Settings);
        return [.. (await clients.Dynamo.ScanAsync(new Amazon.DynamoDBv2.Model.ScanRequest(fixture.Name))).Items.Select(i => i["pk"].S).Where(pk => words.Any(w => pk.StartsWith(w, StringComparison.Ordinal)))];
    }

    private string NameOf(JobPriority priority) => SqsQueues.NameOf(fixture.Name, new(Queue, priority));

    private async Task PurgeAsync()
    {
        using var clients = new AwsClients(fixture.Settings);
        await clients.Sqs.PurgeQueueAsync((await clients.Sqs.GetQueueUrlAsync(NameOf(JobPriority.Normal))).QueueUrl);
    }

    private async Task<int> CountMessagesAsync()
    {
        using var clients = new AwsClients(fixture.Settings);
        var url = (await clients.Sqs.GetQueueUrlAsync(NameOf(JobPriority.Normal))).QueueUrl;
        var counts = await clients.Sqs.GetQueueAttributesAsync(url, ["All"]);
        return counts.ApproximateNumberOfMessages + counts.ApproximateNumberOfMessagesNotVisible + counts.ApproximateNumberOfMessagesDelayed;
    }
}
