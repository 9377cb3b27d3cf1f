using Spotter.Backends;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What is particular to PostgreSQL: several gateways, and a server that goes away, comes back, and is held up.</summary>
[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresBackendTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task However_many_begin_at_once_the_schema_is_made_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var backends = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Open())));

            await backends[0].Jobs.AddAsync([SampleJobs.New()], default);
            (await backends[5].Jobs.CountAsync(null, default)).Queued.ShouldBe(1);
            foreach (var backend in backends)
                await backend.DisposeAsync();
            await fixture.RunAsync($"DROP SCHEMA {fixture.Schema} CASCADE");
        }
    }

    [Fact]
    public async Task A_schema_that_is_newer_is_refused_and_left_alone()
    {
        await Open().DisposeAsync();
        await fixture.RunAsync($"UPDATE {fixture.Schema}.version SET version = {PostgresSchema.Newest + 1}");

        var refusal = Should.Throw<SpotterException>(() => Open());

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldContain("newer program");
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

    [Fact]
    public async Task Callbacks_of_an_earlier_program_are_told_under_their_old_ids()
    {
        await using (var source = Npgsql.NpgsqlDataSource.Create(PostgresAddress.Parse(server.Cluster.Url).ConnectionString + $";Search Path={fixture.Schema};Pooling=false"))
        await using (var earlier = await source.OpenConnectionAsync())
        {
            PostgresSchema.Update(earlier, fixture.Schema, newest: 1);
            await using var jobs = earlier.CreateCommand();
            jobs.CommandText = EarlierCallbacks.Script(id => $"'{id}'", no: "false", ", queue, tenant, priority", ", 'detect', '', 1");
            await jobs.ExecuteNonQueryAsync();
        }

        await EarlierCallbacks.ShouldBeToldAsync(Open());
    }

    [Fact]
    public async Task Senders_of_other_gateways_are_woken_by_ends_of_jobs_with_deliveries_alone()
    {
        var (here, there) = (Open(), Open());
        using var filled = new SemaphoreSlim(0);
        using var subscription = there.Outbox.WhenFilled(() => filled.Release());

        // Not before it has heard that there is another gateway does one tell what it does.
        var begun = TimeProvider.System.GetTimestamp();
        do
        {
            TimeProvider.System.GetElapsedTime(begun).ShouldBeLessThan(Patience);
            await EndAsync(SampleJobs.New() with { Notify = [new("chat", "42")] });
        }
        while (!await filled.WaitAsync(TimeSpan.FromMilliseconds(200)));
        // What was said before is heard by then.
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        var heard = filled.CurrentCount;

        for (var i = 0; i < 50; i++)
            await EndAsync(SampleJobs.New());
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        filled.CurrentCount.ShouldBe(heard);
        await EndAsync(SampleJobs.New() with { Notify = [new("chat", "42")] });
        for (var i = 0; i <= heard; i++)
            (await filled.WaitAsync(Patience)).ShouldBeTrue();

        async Task EndAsync(NewJob job)
        {
            await here.Jobs.AddAsync([job], default);
            await here.Jobs.CancelAsync(job.Id, by: null, default);
        }
    }

    [Fact]
    public async Task Gateways_see_each_others_jobs_changes_and_queues()
    {
        var (here, there) = (Open(), Open());
        using var stop = new CancellationTokenSource(Patience);
        await using var changes = there.Jobs.ChangesAsync(stop.Token).GetAsyncEnumerator();

        // Not before it has heard that there is another gateway does one tell what it does; until then both look by themselves.
        JobId? heard = null;
        var next = changes.MoveNextAsync().AsTask();
        var sent = new HashSet<JobId>();
        while (heard is null)
        {
            var job = SampleJobs.New();
            sent.Add((await here.Jobs.AddAsync([job], default))[0].Job.Id);
            if (await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, stop.Token)) == next)
                heard = await next ? changes.Current : throw new InvalidOperationException("The changes ended.");
        }
        sent.ShouldContain(heard.Value);

        // Someone who waits there is woken from here, and not by looking: that takes a second.
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 5; i++)
        {
            var waiting = there.Queue.TakeAsync(["detect"], Patience, Patience, stop.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop.Token);
            var begun = TimeProvider.System.GetTimestamp();
            var id = JobId.New(RandomSource.System);
            await here.Queue.EnqueueAsync(id, "detect", JobPriority.Normal, TimeSpan.Zero, default);
            (await waiting)!.Job.ShouldBe(id);
            waits.Add(TimeProvider.System.GetElapsedTime(begun));
        }
        waits.Min().ShouldBeLessThan(TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public async Task Of_many_gateways_each_id_goes_to_one()
    {
        var backends = Enumerable.Range(0, 3).Select(_ => Open()).ToList();
        var ids = Enumerable.Range(0, 600).Select(_ => JobId.New(RandomSource.System)).ToHashSet();
        await Task.WhenAll(ids.Select((id, i) => backends[i % 3].Queue.EnqueueAsync(id, i % 2 == 0 ? "detect/a" : "detect/b", JobPriority.Normal, TimeSpan.Zero, default)));

        var taken = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            var mine = new List<JobId>();
            while (await backends[i % 3].Queue.TakeAsync(["detect/a", "detect/b"], Patience, TimeSpan.FromSeconds(3), default) is { } delivery)
            {
                mine.Add(delivery.Job);
                await backends[i % 3].Queue.CompleteAsync(delivery, default);
            }
            return mine;
        })));

        taken.SelectMany(t => t).ShouldBe(ids, ignoreOrder: true);
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
                var id = (await jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
                var lease = (await jobs.StartAsync(SampleJobs.Delivery(id), "w", Patience, default))!.Lease;
                await jobs.FinishAsync(lease, n % 3 == 0 ? SampleJobs.Reject() : SampleJobs.Done(), default);
            }
        })));

        var counts = await backends[0].Jobs.CountAsync(null, default);
        (counts.Queued, counts.Running, counts.Succeeded, counts.Failed).ShouldBe((0, 0, 600, 300));
    }

    [Fact]
    public async Task A_server_that_crashes_is_said_to_be_away_and_all_that_was_accepted_is_there_when_it_is_back()
    {
        using var own = PostgresCluster.Start();
        await using var backend = PostgresBackend.Open(
            fixture.Settings with { Address = own.Url }, new Backends.Local.FolderBlobStore(Directory.CreateTempSubdirectory("spotter-test-").FullName, RandomSource.System),
            new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var before = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        var waiting = backend.Queue.TakeAsync(["detect"], Patience, Patience, default);

        own.Stop("immediate");

        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.FindAsync(before, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(
            () => backend.Queue.EnqueueAsync(before, "detect", JobPriority.Normal, TimeSpan.Zero, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => waiting.WaitAsync(Patience))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        backend.Failed.IsCompleted.ShouldBeFalse();

        own.StartAgain();
        (await UntilItWorksAsync(() => backend.Jobs.FindAsync(before, default)))!.State.ShouldBe(JobState.Queued);
        await UntilItWorksAsync(async () =>
        {
            await backend.Queue.EnqueueAsync(before, "detect", JobPriority.Normal, TimeSpan.Zero, default);
            return true;
        });
        (await backend.Queue.TakeAsync(["detect"], Patience, Patience, default))!.Job.ShouldBe(before);
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
            (await backend.Jobs.CountAsync(null, default)).Queued.ShouldBe(1, "reading needs no lock");
        }
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        (await backend.Jobs.CountAsync(null, default)).Queued.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_cant_be_stored_takes_no_other_along()
    {
        var backend = Open();
        var known = (await backend.Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        var good = Enumerable.Range(0, 40).Select(_ => SampleJobs.New()).ToList();

        var bad = new[] { SampleJobs.New() with { Name = "nul \0" }, SampleJobs.New() with { By = "half a pair \ud83d" }, SampleJobs.New(id: known) };
        var adding = good.Select(j => Task.Run(() => backend.Jobs.AddAsync([j], default))).ToList();
        var failing = bad.Select(j => Task.Run(() => backend.Jobs.AddAsync([j], default))).ToList();

        await Task.WhenAll(adding);
        foreach (var failed in failing)
            await Should.ThrowAsync<SpotterException>(() => failed);
        (await backend.Jobs.CountAsync(null, default)).Queued.ShouldBe(41);
    }

    [Fact]
    public async Task Closing_does_what_waits_and_ends_those_who_wait()
    {
        var backend = Open();
        var waiting = backend.Queue.TakeAsync(["detect"], Patience, Timeout.InfiniteTimeSpan, default);
        var jobs = Enumerable.Range(0, 50).Select(_ => SampleJobs.New()).ToList();
        var adding = jobs.Select(j => backend.Jobs.AddAsync([j], default)).ToList();

        await backend.DisposeAsync();

        await Task.WhenAll(adding).WaitAsync(Patience);
        (await Should.ThrowAsync<SpotterException>(() => waiting)).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.FindAsync(jobs[0].Id, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Open().Jobs.CountAsync(null, default)).Queued.ShouldBe(50);
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

    /// <summary>As a gateway does: with numbers, and so a name, of its own.</summary>
    private Backend Open() => fixture.Open(TimeProvider.System, random: RandomSource.System);

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
