using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Tests.Fleets;

namespace Spotter.Tests.Jobs;

/// <summary>What is particular to PostgreSQL: several gateways, and a server that goes away, comes back, and is held up.</summary>
[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresBackendTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const string Queue = "detect";
    private static readonly JobPriority[] Levels = [JobPriority.High, JobPriority.Normal, JobPriority.Low];
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task Gateways_of_one_store_share_its_id_and_its_place_for_pictures()
    {
        var backends = Enumerable.Range(0, 4).Select(_ => Open()).ToList();

        // All begin at once, and each stores a picture as soon as it may.
        await Task.WhenAll(backends.Select((backend, i) => Task.Run(async () =>
        {
            (await backend.CheckBlobsAsync(default)).ShouldBeNull();
            await backend.Blobs.PutAsync($"in/ab/{i}", new MemoryStream([1]), default);
        })));

        backends.Select(b => b.StoreId).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem().Length.ShouldBe(32);
        await backends[0].DisposeAsync();
        await fixture.RunAsync($"DROP SCHEMA {fixture.Schema} CASCADE");
        (await Should.ThrowAsync<SpotterException>(() => Open().CheckBlobsAsync(default))).Message.ShouldStartWith("The folder belongs to another job store");
    }

    [Fact]
    public async Task The_controller_of_one_gateway_learns_what_jobs_take_from_those_that_ended_through_another()
    {
        var clock = new ManualClock();
        var (a, b) = (fixture.Open(clock), fixture.Open(clock));
        var roster = new WorkerRoster(clock);
        var fleet = new FleetController(new MemoryLauncher(clock), roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance);
        var policy = ScalePolicies.Create(new ScaleSettings { Max = 4 });
        var loop = new ScaleLoop(a.Jobs, fleet, policy, new DecisionLog(), clock, NullLogger<ScaleLoop>.Instance);
        var models = new ModelCatalogue([new CatalogueModel("tiny", new ModelInfo("tiny", "detect", "yolox", 416, 416, []))]);
        await using var first = new JobService(a.Jobs, a.Blobs, roster, models, new JobSettings(), clock, RandomSource.Seeded(1));
        await using var second = new JobService(b.Jobs, b.Blobs, new WorkerRoster(clock), models, new JobSettings(), clock, RandomSource.Seeded(2));
        await loop.StepAsync(default);

        await b.Jobs.AddAsync([.. Enumerable.Range(0, 40).Select(_ => SampleJobs.New(model: "tiny"))], default);
        while (await second.TakeAsync("w", ["detect/tiny"], TimeSpan.Zero, default) is { } started)
            await second.FinishAsync(started.Lease, new JobOutcome.Done(SampleJobs.Result(), new JobTimings { InferMs = 30_000 }, null), default);
        var waiting = (await a.Jobs.AddAsync([SampleJobs.New(model: "tiny")], default))[0].Job;
        var decision = await loop.StepAsync(default);
        await first.Backlog.ReadAsync(default);

        decision.Inputs!.ServiceSeconds.ShouldBe(30, 1);
        loop.Meter.Measured.ServiceSeconds.ShouldBe(30);
        roster.Join("w", 1, [new WorkerModel("tiny", "v1")]);
        (await first.StatusAsync(waiting, default)).EtaSeconds.ShouldBe(30);
    }

    [Fact]
    public async Task A_key_that_cannot_be_looked_up_is_told_to_who_sent_it_and_to_nobody_else()
    {
        var known = SampleJobs.New(key: "once");
        var store = fixture.Open(TimeProvider.System).Jobs;
        await store.AddAsync([known], default);
        // From now on rows can be added and not be read, as if the server went away in between.
        await fixture.RunAsync("""
            CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'going away' USING ERRCODE = '57P01'; END $$;
            ALTER TABLE jobs RENAME TO jobs_of_old;
            CREATE VIEW jobs AS SELECT * FROM jobs_of_old WHERE fail();
            """);
        await using var database = PostgresDatabase.Open(fixture.Settings);
        await using var signals = new PostgresSignals(database, null, RandomSource.System);
        var writes = new PostgresJobWrites(database, signals, TimeProvider.System);
        static PostgresJobWrites.Adding Call(NewJob job) => new([PostgresJobWrites.NewRow.Of(job)]);
        var another = SampleJobs.New();

        var answers = await writes.AddAsync([Call(known with { Id = JobId.New(RandomSource.System, TimeProvider.System) }), Call(another)]);

        answers[0].ShouldBe([null]);
        answers[1].ShouldHaveSingleItem()!.Job.Id.ShouldBe(another.Id);
        var refusal = await Should.ThrowAsync<SpotterException>(() => store.AddAsync([known with { Id = JobId.New(RandomSource.System, TimeProvider.System) }], default));
        refusal.Code.ShouldBe(ErrorCodes.Busy);
        refusal.Message.ShouldContain("same key");
        await fixture.RunAsync("DROP VIEW jobs; ALTER TABLE jobs_of_old RENAME TO jobs");
        (await store.AddAsync([known], default)).ShouldHaveSingleItem().IsNew.ShouldBeFalse();
        (await store.CountAsync(default)).Jobs.Queued.ShouldBe(2);
    }

    [Theory]
    [InlineData("postgres://spotter:wrong-secret@127.0.0.1:{port}/postgres", ErrorCodes.StoreUnavailable)]
    [InlineData("postgres://spotter:{password}@127.0.0.1:{port}/no_such_database", ErrorCodes.StoreUnavailable)]
    [InlineData("postgres://spotter:wrong-secret@127.0.0.1:1/postgres", ErrorCodes.StoreUnavailable)]
    [InlineData("Host=127.0.0.1;Port=1;Username=spotter;Password=wrong-secret", ErrorCodes.StoreUnavailable)]
    [InlineData("mysql://spotter:wrong-secret@127.0.0.1/postgres", ErrorCodes.InvalidSettings)]
    [InlineData("Pasword=wrong-secret", ErrorCodes.InvalidSettings)]
    [InlineData("wrong-secret", ErrorCodes.InvalidSettings)]
    [InlineData("", ErrorCodes.InvalidSettings)]
    public void An_address_that_is_no_good_is_refused_without_saying_the_password(string address, string code)
    {
        var filled = address
            .Replace("{port}", server.Cluster.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{password}", Uri.EscapeDataString(PostgresCluster.Secret), StringComparison.Ordinal);

        var refusal = Should.Throw<SpotterException>(() => PostgresDatabase.Open(fixture.Settings with { Address = filled }));

        refusal.Code.ShouldBe(code);
        refusal.Message.ShouldNotContain("wrong-secret");
        refusal.ToString().ShouldNotContain("wrong-secret");
        refusal.ToString().ShouldNotContain(PostgresCluster.Secret);
    }

    [Theory]
    [InlineData("verify-full")]
    [InlineData("require")]
    public void A_server_without_TLS_is_told_from_one_that_is_away(string mode)
    {
        var refusal = Should.Throw<SpotterException>(() => PostgresDatabase.Probe($"{server.Cluster.Url}?sslmode={mode}"));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldContain("takes no encrypted connections");
        refusal.Message.ShouldContain("sslmode=prefer");
        PostgresDatabase.Probe(server.Cluster.Url).ShouldEndWith($"at 127.0.0.1:{server.Cluster.Port}/postgres");
    }

    [Fact]
    public void A_certificate_that_is_not_trusted_is_said_with_what_to_do()
    {
        var fault = new Npgsql.NpgsqlException("wrapped", new System.Security.Authentication.AuthenticationException("The remote certificate is invalid."));

        PostgresFault.ToRefusal(fault).Message.ShouldContain("The remote certificate is invalid); name its authority's certificate with sslrootcert=FILE");
    }

    [Fact]
    public async Task Gateways_see_each_others_jobs_changes_and_queues()
    {
        var (here, there) = (Open(), Open());
        using var stop = new CancellationTokenSource(Patience);
        await using var changes = there.Jobs.ChangesAsync(stop.Token).GetAsyncEnumerator();

        // Not before it has heard that there is another gateway does one tell what it does; until then both look by themselves.
        JobId? heard = null;
        var next = NextAsync(changes, c => c.Job is not null);
        var sent = new HashSet<JobId>();
        while (heard is null)
        {
            sent.Add(await AddAsync(here));
            if (await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, stop.Token)) == next)
                heard = (await next).Job;
        }
        sent.ShouldContain(heard.Value);
        (await NextAsync(changes, c => c.Queue is not null)).Queue.ShouldBe(Queue);

        // Someone who waits there is woken from here, and not by looking: that takes a second.
        await using var service = JobBench.Service(there, TimeProvider.System);
        var following = service.Changes.RunAsync(e => throw e, stop.Token);
        var waits = new List<TimeSpan>();
        while (await service.TakeAsync("w", [Queue], TimeSpan.Zero, stop.Token) is not null)
        {
            // What was sent above.
        }
        for (var i = 0; i < 5; i++)
        {
            var waiting = service.TakeAsync("w", [Queue], Patience, stop.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop.Token);
            var begun = TimeProvider.System.GetTimestamp();
            var id = await AddAsync(here);
            (await waiting).ShouldNotBeNull().Job.Id.ShouldBe(id);
            waits.Add(TimeProvider.System.GetElapsedTime(begun));
        }
        waits.Min().ShouldBeLessThan(TimeSpan.FromMilliseconds(500));
        await stop.CancelAsync();
        await following;
    }

    [Fact]
    public async Task Who_reads_too_slowly_hears_that_something_was_missed()
    {
        var backend = Open();
        using var stop = new CancellationTokenSource(Patience);
        await using var changes = backend.Jobs.ChangesAsync(stop.Token).GetAsyncEnumerator();
        var first = NextAsync(changes, c => c.Job is not null);
        await AddAsync(backend);
        await first;

        await backend.Jobs.AddAsync([.. Enumerable.Range(0, 5_000).Select(_ => SampleJobs.New())], default);

        await NextAsync(changes, c => c.IsMissed);
    }

    [Fact]
    public async Task Who_was_cut_off_hears_that_something_may_have_been_missed()
    {
        var backend = Open();
        using var stop = new CancellationTokenSource(Patience);
        await using var changes = backend.Jobs.ChangesAsync(stop.Token).GetAsyncEnumerator();
        var first = NextAsync(changes, c => c.Job is not null);
        await AddAsync(backend);
        await first;

        await fixture.RunAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN {fixture.Schema}'");

        await NextAsync(changes, c => c.IsMissed);
    }

    [Fact]
    public async Task Of_many_gateways_each_job_goes_to_one()
    {
        var backends = Enumerable.Range(0, 3).Select(_ => Open()).ToList();
        var ids = new List<JobId>();
        foreach (var model in (string[])["a", "b"])
            ids.AddRange((await backends[0].Jobs.AddAsync([.. Enumerable.Range(0, 300).Select(_ => SampleJobs.New(model: model))], default)).Select(a => a.Job.Id));
        var left = ids.Count;

        var taken = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(async () =>
        {
            var mine = new List<StartedJob>();
            var request = new TakeRequest(["detect/a", "detect/b"], Levels, [.. Enumerable.Repeat($"w{i}", 1 + (i % 7))], Patience);
            while (Volatile.Read(ref left) > 0)
            {
                var some = await backends[i % 3].Jobs.TakeAsync(request, default);
                Interlocked.Add(ref left, -some.Jobs.Count);
                mine.AddRange(some.Jobs);
            }
            return mine;
        })));

        taken.SelectMany(t => t).Select(t => t.Job.Id).ShouldBe(ids, ignoreOrder: true);
        taken.SelectMany(t => t).ShouldAllBe(t => t.Lease.FencingToken == 1 && t.Job.Attempts == 1);
    }

    [Fact]
    public async Task What_others_are_taking_is_not_waited_for_and_soon_looked_for_again()
    {
        var backend = Open();
        var (first, second) = (await AddAsync(backend), await AddAsync(backend));
        await using var other = await fixture.ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand($"SELECT 1 FROM jobs WHERE id = '{first}' FOR UPDATE", other))
            await hold.ExecuteNonQueryAsync();
        var request = new TakeRequest([Queue], Levels, ["v", "w"], Patience);

        var taken = await backend.Jobs.TakeAsync(request, default);

        taken.Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(second);
        taken.NextDue.ShouldNotBeNull().ShouldBe(TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(5));
        await transaction.RollbackAsync();
        (await backend.Jobs.TakeAsync(request, default)).Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(first);
    }

    [Fact]
    public async Task A_take_that_finds_nothing_writes_nothing()
    {
        var backend = Open();
        await AddAsync(backend);
        await using var other = await fixture.ConnectAsync();
        await using var transactions = new Npgsql.NpgsqlCommand("SELECT pg_current_xact_id()::text::bigint", other);
        var before = (long)(await transactions.ExecuteScalarAsync())!;

        for (var i = 0; i < 100; i++)
            (await backend.Jobs.TakeAsync(new TakeRequest(["filter"], Levels, ["w"], Patience), default)).Jobs.ShouldBeEmpty();

        // Asking takes a number, too, and the server does some for itself.
        ((long)(await transactions.ExecuteScalarAsync())! - before).ShouldBeLessThan(20);
    }

    [Fact]
    public async Task Counts_stay_right_when_gateways_write_and_fold_at_once()
    {
        var backends = Enumerable.Range(0, 3).Select(_ => Open()).ToList();

        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(async () =>
        {
            var jobs = backends[i % 3].Jobs;
            for (var n = 0; n < 30; n++)
            {
                await AddAsync(backends[i % 3], model: $"m{i}");
                var lease = (await jobs.TakeAsync(new TakeRequest([$"detect/m{i}"], Levels, ["w"], Patience), default)).Jobs[0].Lease;
                await jobs.FinishAsync(lease, n % 3 == 0 ? SampleJobs.Reject() : SampleJobs.Done(), default);
            }
        })));

        var counts = (await backends[0].Jobs.CountAsync(default)).Jobs;
        (counts.Queued, counts.Running, counts.Succeeded, counts.Failed, counts.Ended).ShouldBe((0, 0, 600, 300, 900));
    }

    [Fact]
    public async Task Connections_that_swallow_what_they_are_told_are_given_up_one_for_all_and_whoever_listens_hears_again()
    {
        var address = PostgresAddress.Parse(fixture.Settings.Address);
        await using var wire = new FaultyWire(new Uri($"http://{address.Host}:{address.Port}"));
        address.Port = wire.Address.Port;
        await using var backend = PostgresBackend.Open(
            fixture.Settings with { Address = address.ConnectionString }, new BlobPlace(new Backends.Local.FolderBlobStore(Directory.CreateTempSubdirectory("spotter-test-").FullName, RandomSource.System), "The folder"),
            new RetrySchedule(), RandomSource.System, TimeProvider.System);
        using var stop = new CancellationTokenSource(Patience);
        await using var changes = backend.Jobs.ChangesAsync(stop.Token).GetAsyncEnumerator();
        var first = NextAsync(changes, c => c.Job is not null);
        // Several connections come to be.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AddAsync(backend)));
        await first;
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => backend.Jobs.TakeAsync(new TakeRequest([Queue], Levels, ["w"], Patience), default)));
        var request = new TakeRequest([Queue], Levels, ["v"], Patience);

        wire.Swallow();

        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.TakeAsync(request, default))).Message.ShouldStartWith("The PostgreSQL server took too long to answer");
        (await backend.Jobs.TakeAsync(request, default)).Jobs.Count.ShouldBe(1, "the others that are as dead are not tried first");
        await AddAsync(backend);
        (await backend.Jobs.CountAsync(default)).Jobs.Running.ShouldBe(6);
        await NextAsync(changes, c => c.IsMissed);
        // Another gateway's changes are heard as before, once it knows that somebody listens.
        var heard = NextAsync(changes, c => c.Queue == "detect/elsewhere");
        var other = Open();
        while (!heard.IsCompleted)
        {
            await AddAsync(other, model: "elsewhere");
            await Task.WhenAny(heard, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System));
        }
        await heard;
    }

    [Fact]
    public async Task A_server_that_crashes_is_said_to_be_away_and_all_that_was_accepted_is_there_when_it_is_back()
    {
        using var own = PostgresCluster.Start();
        await using var backend = PostgresBackend.Open(
            fixture.Settings with { Address = own.Url }, new BlobPlace(new Backends.Local.FolderBlobStore(Directory.CreateTempSubdirectory("spotter-test-").FullName, RandomSource.System), "The folder"),
            new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var before = await AddAsync(backend);
        var request = new TakeRequest([Queue], Levels, ["w"], Patience);

        own.Stop("immediate");

        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.FindAsync(before, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.TakeAsync(request, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.CountAsync(default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        backend.Failed.IsCompleted.ShouldBeFalse();

        own.StartAgain();
        (await UntilItWorksAsync(() => backend.Jobs.FindAsync(before, default)))!.State.ShouldBe(JobState.Queued);
        (await UntilItWorksAsync(() => backend.Jobs.TakeAsync(request, default))).Jobs.ShouldHaveSingleItem().Job.Id.ShouldBe(before);
    }

    [Fact]
    public async Task Who_took_a_job_before_the_server_crashed_can_not_hand_it_in_for_the_one_who_has_it_since()
    {
        var backend = Open();
        var id = await AddAsync(backend);
        var before = (await backend.Jobs.TakeAsync(new TakeRequest([Queue], Levels, ["first"], Patience), default)).Jobs[0].Lease;
        // What is there after a crash if the take was not on the disk yet, and nothing else is different.
        await fixture.RunAsync("UPDATE jobs SET state = 0, fencing_token = 0, attempts = 0, started = NULL, leased_until = NULL, worker = NULL");
        var now = (await backend.Jobs.TakeAsync(new TakeRequest([Queue], Levels, ["second"], Patience), default)).Jobs[0].Lease;
        now.ShouldBe(before with { Worker = "second" });

        (await backend.Jobs.ExtendAsync([before, now], Patience, Patience, default)).ShouldBe([false, true]);
        (await backend.Jobs.FinishAsync(before, SampleJobs.Done(), default)).ShouldBeNull();
        (await backend.Jobs.FinishAsync(before, SampleJobs.Retry(), default)).ShouldBeNull();
        (await backend.Jobs.FindAsync(id, default))!.State.ShouldBe(JobState.Running);
        (await backend.Jobs.FinishAsync(now, SampleJobs.Done(), default))!.State.ShouldBe(JobState.Succeeded);
    }

    [Fact]
    public async Task A_table_that_someone_locks_is_busy_and_nothing_is_lost()
    {
        var backend = Open();
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        await using (var source = Npgsql.NpgsqlDataSource.Create(PostgresAddress.Parse(server.Cluster.Url).ConnectionString + ";Pooling=false"))
        await using (var other = await source.OpenConnectionAsync())
        await using (var transaction = await other.BeginTransactionAsync())
        {
            await using (var hold = new Npgsql.NpgsqlCommand($"LOCK TABLE {fixture.Schema}.jobs IN SHARE MODE", other))
                await hold.ExecuteNonQueryAsync();
            (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.Busy);
            (await backend.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(1, "reading needs no lock");
        }
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        (await backend.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_cant_be_stored_takes_no_other_along()
    {
        var backend = Open();
        var known = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        var good = Enumerable.Range(0, 40).Select(_ => SampleJobs.New()).ToList();

        var bad = new[] { SampleJobs.New().Having(s => s with { Model = "nul \0" }), SampleJobs.New() with { By = "half a pair \ud83d" }, SampleJobs.New(id: known) };
        var adding = good.Select(j => Task.Run(() => backend.Jobs.AddAsync([j], default))).ToList();
        var failing = bad.Select(j => Task.Run(() => backend.Jobs.AddAsync([j], default))).ToList();

        await Task.WhenAll(adding);
        foreach (var failed in failing)
            await Should.ThrowAsync<SpotterException>(() => failed);
        (await backend.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(41);
    }

    [Fact]
    public async Task What_only_json_can_hold_is_stored_all_the_same()
    {
        var jobs = fixture.Open(TimeProvider.System, new RetrySchedule { MaxAttempts = 1 }).Jobs;
        var sent = SampleJobs.New().Having(s => s with { Name = "nul \0", Parameters = RawJson.OfText("""{"labels":["\u0000"]}""") });
        await jobs.AddAsync([sent], default);
        var lease = (await jobs.TakeAsync(new TakeRequest([Queue], Levels, ["w"], Patience), default)).Jobs.ShouldHaveSingleItem().Lease;

        (await jobs.FinishAsync(lease, new JobOutcome.Retry(new JobError("broken", "nul \0"), SpendAttempt: true), default))!.State.ShouldBe(JobState.Dead);

        var dead = (await jobs.ListAsync(new JobFilter { State = JobState.Dead, Error = "broken" }, default)).ShouldHaveSingleItem();
        (dead.Name, dead.Spec.Parameters, dead.Error).ShouldBe((sent.Spec.Name, sent.Spec.Parameters, new JobError("broken", "nul \0")));
    }

    [Fact]
    public async Task Closing_does_what_waits_and_takes_nothing_more()
    {
        var backend = Open();
        var jobs = Enumerable.Range(0, 50).Select(_ => SampleJobs.New()).ToList();
        var adding = jobs.Select(j => backend.Jobs.AddAsync([j], default)).ToList();

        await backend.DisposeAsync();

        await Task.WhenAll(adding).WaitAsync(Patience);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.FindAsync(jobs[0].Id, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Open().Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(50);
    }

    [Fact]
    public void Time_is_the_servers()
    {
        var own = new ManualClock();
        var clock = new ServerClock(own);
        var ahead = own.GetUtcNow() + TimeSpan.FromHours(1);

        clock.Set(ahead, own.GetUtcNow(), own.GetUtcNow());
        clock.GetUtcNow().ShouldBe(ahead);

        clock.Set(ahead + TimeSpan.FromMilliseconds(50), own.GetUtcNow(), own.GetUtcNow());
        clock.GetUtcNow().ShouldBe(ahead, "so little may be the network's");
        clock.Set(ahead + TimeSpan.FromHours(1), own.GetUtcNow(), own.GetUtcNow() + TimeSpan.FromSeconds(5));
        clock.GetUtcNow().ShouldBe(ahead, "an answer that took so long says nothing");
    }

    [Theory]
    [InlineData("postgres://me:p%40ss%3Aword@db.example:6543/jobs?sslmode=verify-full&application_name=a%20b", "Host=db.example;Port=6543;Username=me;Password=p@ss:word;Database=jobs;SSL Mode=VerifyFull;Application Name=a b")]
    [InlineData("postgresql://db/jobs", "Host=db;Database=jobs")]
    [InlineData("postgres:///jobs?host=/var/run/postgresql", "Host=/var/run/postgresql;Database=jobs")]
    [InlineData("postgres://me@[::1]/jobs", "Host=::1;Username=me;Database=jobs")]
    [InlineData(" Host=db;Username=me ", "Host=db;Username=me")]
    public void Addresses_are_read_as_libpq_and_npgsql_write_them(string address, string meant) =>
        PostgresAddress.Parse(address).EquivalentTo(new Npgsql.NpgsqlConnectionStringBuilder(meant)).ShouldBeTrue(PostgresAddress.Parse(address).ConnectionString);

    [Theory]
    [InlineData("spotter\n")]
    [InlineData("\nspotter")]
    [InlineData("Spotter")]
    [InlineData("1st")]
    [InlineData("a; DROP TABLE jobs")]
    [InlineData("")]
    public void A_schema_is_a_plain_name_and_nothing_after_it(string schema) =>
        Should.Throw<SpotterException>(() => PostgresAddress.CheckSchema(schema)).Code.ShouldBe(ErrorCodes.InvalidSettings);

    /// <summary>As a gateway does: with numbers, and so a name, of its own.</summary>
    private Backend Open() => fixture.Open(TimeProvider.System, random: RandomSource.System);

    private static async Task<JobId> AddAsync(Backend backend, string? model = null) =>
        (await backend.Jobs.AddAsync([SampleJobs.New(model: model)], default))[0].Job.Id;

    private static async Task<JobChange> NextAsync(IAsyncEnumerator<JobChange> changes, Func<JobChange, bool> wanted)
    {
        do
            (await changes.MoveNextAsync()).ShouldBeTrue("The changes ended.");
        while (!wanted(changes.Current));
        return changes.Current;
    }

    private static async Task<T> UntilItWorksAsync<T>(Func<Task<T>> attempt)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (SpotterException e) when (e.Code == ErrorCodes.StoreUnavailable && TimeProvider.System.GetElapsedTime(begun) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            }
        }
    }
}
