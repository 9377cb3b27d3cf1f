using Spotter.Backends;
using Spotter.Backends.Redis;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What is particular to Redis: a list that others read, and a server that loses what it had, goes away and comes back.</summary>
[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisBackendTests(PostgresServer server, RedisServer redis) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);
    private const string Queue = "detect";
    private static readonly JobPriority[] Levels = [JobPriority.High, JobPriority.Normal, JobPriority.Low];
    private readonly RedisFixture fixture = new(server, redis);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task The_list_that_others_read_has_the_ids_of_the_jobs_that_wait()
    {
        var jobs = fixture.Open(TimeProvider.System).Jobs;
        var added = await jobs.AddAsync([SampleJobs.New(), SampleJobs.New().At(JobPriority.High), SampleJobs.New(model: "yolox_nano")], default);

        Ids(Queue).ShouldBe([added[0].Job.Id.Value, added[1].Job.Id.Value], ignoreOrder: true);
        Ids("detect/yolox_nano").ShouldBe([added[2].Job.Id.Value]);
        (await TakeAsync(jobs)).ShouldHaveSingleItem();
        Ids(Queue).ShouldBe([added[0].Job.Id.Value]);
    }

    [Fact]
    public async Task Each_job_is_done_once_though_all_that_redis_had_is_deleted_meanwhile()
    {
        var backend = fixture.Open(TimeProvider.System, random: RandomSource.System);
        var other = fixture.Open(TimeProvider.System, random: RandomSource.System);
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 400).Select(i => SampleJobs.New().At(Levels[i % 3]))], default);
        await using var running = new Workers([backend, other]);

        await running.UntilAsync(100);
        fixture.Run("FLUSHALL");
        await running.UntilAsync(200);
        fixture.Run("FLUSHALL");
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 100).Select(_ => SampleJobs.New())], default);
        await running.UntilAsync(500);

        running.Finished.Distinct().Count().ShouldBe(500);
        (await backend.Jobs.CountAsync(default)).Jobs.ShouldBe(new JobCounts(0, 0, 500, 0, 0, 0) { Ended = 500 });
        fixture.Listed(Queue).ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_is_killed_stops_no_job_from_being_accepted_and_all_are_done_once_it_is_back()
    {
        var backend = fixture.Open(TimeProvider.System, random: RandomSource.System);
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 200).Select(_ => SampleJobs.New())], default);
        await using var running = new Workers([backend]);
        await running.UntilAsync(50);

        redis.Instance.Kill();
        await running.UntilRefusedAsync();
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 100).Select(_ => SampleJobs.New())], default);
        running.Refusal!.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        running.Refusal.ToString().ShouldNotContain(RedisInstance.Secret);
        redis.Instance.StartAgain();

        await running.UntilAsync(300);
        running.Finished.Distinct().Count().ShouldBe(300);
        (await backend.Jobs.CountAsync(default)).Jobs.ShouldBe(new JobCounts(0, 0, 300, 0, 0, 0) { Ended = 300 });
    }

    [Fact]
    public async Task A_gateway_starts_and_accepts_jobs_though_redis_is_away()
    {
        fixture.Run("FLUSHALL");
        redis.Instance.Kill();
        var backend = fixture.Open(TimeProvider.System, random: RandomSource.System);
        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 5).Select(_ => SampleJobs.New())], default);
        (await Should.ThrowAsync<SpotterException>(() => TakeAsync(backend.Jobs))).Code.ShouldBe(ErrorCodes.StoreUnavailable);

        redis.Instance.StartAgain();

        await using var running = new Workers([backend]);
        await running.UntilAsync(5);
    }

    [Fact]
    public async Task The_job_of_a_worker_that_died_comes_back()
    {
        var clock = new ManualClock();
        var jobs = fixture.Open(clock).Jobs;
        await jobs.AddAsync([SampleJobs.New()], default);
        var lost = (await TakeAsync(jobs)).ShouldHaveSingleItem();
        fixture.Listed(Queue).ShouldBe(0);

        clock.Advance(Duration);
        (await jobs.ReapAsync(10, default)).ShouldBe(1);
        fixture.Listed(Queue).ShouldBe(0, "it waits for its delay to be over");
        clock.Advance(new RetrySchedule().FirstDelay);
        await TendAsync();
        fixture.Listed(Queue).ShouldBe(1);

        var again = (await TakeAsync(jobs)).ShouldHaveSingleItem();
        (again.Job.Id, again.Lease.FencingToken, again.Job.Isolated).ShouldBe((lost.Job.Id, 2, true));
        (await jobs.FinishAsync(lost.Lease, SampleJobs.Done(), default)).ShouldBeNull();
        (await jobs.FinishAsync(again.Lease, SampleJobs.Done(), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Jobs_whose_gateway_dies_between_delivery_and_lease_come_back()
    {
        var clock = new ManualClock();
        var jobs = fixture.Open(clock).Jobs;
        await jobs.AddAsync([.. Enumerable.Range(0, 3).Select(_ => SampleJobs.New())], default);
        var delivered = await fixture.Deliveries[0].NextAsync([new TakeRequest([Queue], Levels, ["a", "b"], Duration)], default);
        delivered.Ids[0].Count.ShouldBe(2);
        fixture.Listed(Queue).ShouldBe(1);

        clock.Advance(Duration);
        await TendAsync();

        fixture.Listed(Queue).ShouldBe(3);
        (await TakeAsync(jobs, 5)).Select(t => t.Lease.FencingToken).ShouldBe([1, 1, 1]);
    }

    [Fact]
    public async Task What_redis_was_not_told_is_found_when_the_jobs_are_counted()
    {
        var clock = new ManualClock();
        var jobs = fixture.Open(clock).Jobs;
        await jobs.AddAsync([SampleJobs.New()], default);
        // As a gateway that ends between the commit and what it tells Redis.
        var silent = fixture.Rows.Open(clock).Jobs;
        var missing = (await silent.AddAsync([SampleJobs.New(), SampleJobs.New(model: "m")], default))[0].Job;
        (await TakeAsync(jobs)).Count.ShouldBe(1);
        (await TakeAsync(jobs)).ShouldBeEmpty();

        await UntilCountedAsync();

        (fixture.Listed(Queue), fixture.Listed("detect/m")).ShouldBe((1, 1));
        (await TakeAsync(jobs)).ShouldHaveSingleItem().Job.Id.ShouldBe(missing.Id);
    }

    [Fact]
    public async Task What_redis_has_too_much_is_found_when_the_jobs_are_counted()
    {
        var clock = new ManualClock();
        var jobs = fixture.Open(clock).Jobs;
        var added = await jobs.AddAsync([.. Enumerable.Range(0, 5).Select(_ => SampleJobs.New())], default);
        await fixture.Rows.Open(clock).Jobs.CancelAsync(added[2].Job.Id, null, default);
        fixture.Listed(Queue).ShouldBe(5);

        await UntilCountedAsync();

        fixture.Listed(Queue).ShouldBe(4);
        (await TakeAsync(jobs, 9)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_job_that_redis_should_not_have_is_given_to_nobody_and_the_next_one_is()
    {
        var clock = new ManualClock();
        var jobs = fixture.Open(clock).Jobs;
        var added = await jobs.AddAsync([SampleJobs.New(), SampleJobs.New()], default);
        await fixture.Rows.Open(clock).Jobs.CancelAsync(added[0].Job.Id, null, default);

        (await TakeAsync(jobs)).ShouldHaveSingleItem().Job.Id.ShouldBe(added[1].Job.Id);
        fixture.Listed(Queue).ShouldBe(0);
    }

    [Theory]
    [InlineData("LPUSH", "__engine_pending_list_detect__", "somebody else's")]
    [InlineData("DEL", "__engine_pending_list_detect__")]
    [InlineData("DEL", "spotter:ready:1:detect")]
    public async Task Lists_that_somebody_else_changes_are_made_anew(string command, params string[] arguments)
    {
        var jobs = fixture.Open(new ManualClock()).Jobs;
        await jobs.AddAsync([.. Enumerable.Range(0, 5).Select(_ => SampleJobs.New())], default);
        await TendAsync();
        fixture.Run(command, arguments);

        await UntilCountedAsync();

        fixture.Listed(Queue).ShouldBe(5);
        (await TakeAsync(jobs, 9)).Count.ShouldBe(5);
        fixture.Listed(Queue).ShouldBe(0);
    }

    [Fact]
    public async Task Lists_of_another_job_store_are_left_alone()
    {
        var clock = new ManualClock();
        var first = fixture.Open(clock).Jobs;
        await first.AddAsync([SampleJobs.New()], default);
        await TendAsync();
        await using var rows = new PostgresFixture(server);
        await using var second = Backends.Postgres.PostgresBackend.Open(
            rows.Settings, new BlobPlace(new Backends.Local.FolderBlobStore(Directory.CreateTempSubdirectory("spotter-test-").FullName, RandomSource.System), "The folder"),
            new RetrySchedule(), RandomSource.System, clock, (storeId, jobs, time) => RedisBackend.Open(RedisAddress.Parse(redis.Instance.Url), storeId, jobs, time));

        await second.Jobs.AddAsync([SampleJobs.New()], default);
        var refusal = await Should.ThrowAsync<SpotterException>(() => TakeAsync(second.Jobs));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldContain("another job store");
        fixture.Listed(Queue).ShouldBe(1);
        (await TakeAsync(first)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_take_costs_the_same_however_many_jobs_wait()
    {
        var jobs = fixture.Open(new ManualClock()).Jobs;
        await AddManyAsync(jobs, 30);
        var few = await CommandsOfAsync(() => TakeAsync(jobs, 20));
        await AddManyAsync(jobs, 3_000);

        // An id that leaves the list from the middle has another one put in its place: three commands more for each of them.
        (await CommandsOfAsync(() => TakeAsync(jobs, 20))).ShouldBeLessThanOrEqualTo(few + (3 * 20));
    }

    private List<string> Ids(string queue) => [.. ((string[])fixture.Run("LRANGE", $"__engine_pending_list_{queue}__", 0, -1)!)];

    private static async Task<IReadOnlyList<StartedJob>> TakeAsync(IJobStore jobs, int count = 1) =>
        (await jobs.TakeAsync(new TakeRequest([Queue], Levels, [.. Enumerable.Repeat("w", count)], Duration), default)).Jobs;

    private static Task AddManyAsync(IJobStore jobs, int count) =>
        jobs.AddAsync([.. Enumerable.Range(0, count).Select(i => SampleJobs.New().At(Levels[i % 2]))], default);

    private Task TendAsync() => fixture.TendAsync();

    /// <summary>Counts until the lists are as the rows have it; what is only counted once is left alone.</summary>
    private async Task UntilCountedAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await TendAsync();
        while (!await fixture.Deliveries[0].Tender.CompareCountsAsync(patience.Token))
            await TendAsync();
    }

    /// <summary>The commands by which scripts change something, and their look at each job.</summary>
    private async Task<long> CommandsOfAsync(Func<Task> body)
    {
        string[] counted = ["zrem", "lset", "lpop", "rpop", "lrem", "hget", "hset", "zadd"];
        await TendAsync();
        fixture.Run("CONFIG", "RESETSTAT");
        await body();
        return ((string)fixture.Run("INFO", "commandstats")!).Split('\n')
            .Where(line => counted.Any(name => line.StartsWith($"cmdstat_{name}:", StringComparison.Ordinal)))
            .Sum(line => long.Parse(line.Split('=')[1].Split(',')[0], System.Globalization.CultureInfo.InvariantCulture));
    }
}
