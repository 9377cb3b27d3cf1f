using System.Globalization;
using SQLitePCL;
using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What is particular to the backend in one folder: who owns it, and what its disk may do to it.</summary>
public sealed class LocalBackendTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void SQLite_is_one_without_known_holes()
    {
        // CVE-2025-6965 is in all before.
        Batteries_V2.Init();
        Version.Parse(raw.sqlite3_libversion().utf8_to_string()).ShouldBeGreaterThanOrEqualTo(new Version(3, 50, 2));
    }

    [Fact]
    public async Task A_folder_belongs_to_one_process_until_it_is_closed()
    {
        var first = Open(folder.Path);

        var refusal = Should.Throw<SpotterException>(() => Open(folder.Path));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldContain(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        refusal.Message.ShouldContain(folder.Path);
        await first.DisposeAsync();
        await Open(folder.Path).DisposeAsync();
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_made()
    {
        var path = folder.File("a/b/c");

        await using var backend = Open(path);

        Directory.Exists(path).ShouldBeTrue();
    }

    [Fact]
    public async Task A_folder_that_is_made_is_for_nobody_else()
    {
        if (OperatingSystem.IsWindows())
            return;
        var path = folder.File("private");

        await using var backend = Open(path);

        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_file_is_no_data_folder()
    {
        File.WriteAllText(folder.File("file"), "");

        foreach (var path in (string[])[folder.File("file"), folder.File("file/below")])
            Should.Throw<SpotterException>(() => Open(path)).Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }

    [Fact]
    public void An_unknown_kind_is_refused_with_the_known_ones()
    {
        var refusal = Should.Throw<SpotterException>(() => BackendFactory.Open(
            GivenSettings.Reader(("backend", "tape")), folder.Path, new RetrySchedule(), RandomSource.System, TimeProvider.System));

        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refusal.Message.ShouldContain("local");
    }

    [Fact]
    public void A_store_of_a_newer_program_is_refused_and_let_go()
    {
        using (var newer = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: false, TimeSpan.Zero))
            newer.ExecuteScript("PRAGMA user_version = 1000");

        for (var i = 0; i < 2; i++)
            Should.Throw<SpotterException>(() => Open(folder.Path)).Message.ShouldContain("1000");
    }

    [Fact]
    public async Task A_store_of_an_earlier_program_is_taken_over_with_what_waits_in_it()
    {
        using (var earlier = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: false, TimeSpan.Zero))
        {
            Schema.Update(earlier, newest: 1);
            const string Drawing = """{"confidence":0.25,"filter":null,"others":null,"drawing":{"width":8,"height":6,"detections":[]}}""";
            const string Blur = """{"confidence":0.25,"filter":{"kind":"blur","level":4},"others":null,"drawing":null}""";
            const string Columns = "(id, engine, state, internal, due, created, model, image_key, image_format, image_bytes, image_sha256, options)";
            earlier.ExecuteScript($"""
                INSERT INTO jobs {Columns} VALUES (X'{new string('1', 32)}', 'detect', 0, 0, 0, 0, 'a', 'in/11/1', 0, 1, 'x', '{"{}"}');
                INSERT INTO jobs {Columns} VALUES (X'{new string('2', 32)}', 'annotate', 0, 1, 0, 0, NULL, 'in/11/1', 0, 1, 'x', '{Drawing}');
                INSERT INTO jobs {Columns} VALUES (X'{new string('3', 32)}', 'filter', 0, 0, 0, 0, NULL, 'in/33/3', 0, 1, 'x', '{Blur}');
                INSERT INTO deliveries (job, engine, visible_at) SELECT id, engine, 0 FROM jobs;
                INSERT INTO tallies SELECT engine, internal, state, 1 FROM jobs;
                """);
        }

        await using var backend = Open(folder.Path);

        var counts = await backend.Jobs.CountAsync(default);
        (counts.Jobs.Queued, counts.Jobs.InternalQueued).ShouldBe((2, 1));
        counts.Backlogs.Select(b => (b.Queue, b.Queued, b.InternalQueued)).ShouldBe([("detect/a", 1, 0), ("annotate", 0, 1), ("filter", 1, 0)], ignoreOrder: true);
        (await TakeAsync(backend.Jobs, "detect")).ShouldBeNull();
        var drawn = (await TakeAsync(backend.Jobs, "detect/a"))!;
        drawn.Job.Id.Value.ShouldBe(new string('1', 32));
        // Engines read what they are told where they look for it now.
        var drawing = (await TakeAsync(backend.Jobs, "annotate"))!;
        (drawing.Job.Id.Value, drawing.Job.Spec.Parameters.ToString()).ShouldBe((new string('2', 32), """{"result":{"width":8,"height":6,"detections":[]},"confidence":0}"""));
        (await TakeAsync(backend.Jobs, "filter"))!.Job.Spec.Parameters.ToString().ShouldBe("""{"kind":"blur","level":4}""");
        (await backend.Jobs.UnknownBlobsAsync(["in/11/1", "in/33/3", "in/44/4"], default)).ShouldBe(["in/44/4"]);
        (await backend.Jobs.FindAsync(JobId.Parse(new string('1', 32)), default))!.Name.ShouldBeNull();
        // The drawing needs the picture of the job that it draws, and goes on when that one expires.
        var later = TimeProvider.System.GetUtcNow().AddHours(1);
        await backend.Jobs.FinishAsync(drawn.Lease, SampleJobs.Done(), default);
        (await backend.Jobs.ExpireBlobsAsync(later, 10, default)).ShouldBeEmpty();
        await backend.Jobs.FinishAsync(drawing.Lease, SampleJobs.Done(), default);
        (await backend.Jobs.ExpireBlobsAsync(later, 10, default)).ShouldBe(["in/11/1"]);
    }

    [Fact]
    public async Task Lists_and_dead_letters_of_an_earlier_program_are_found_in_their_new_indexes()
    {
        using (var earlier = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: false, TimeSpan.Zero))
        {
            Schema.Update(earlier, newest: 8);
            earlier.ExecuteScript(EarlierLists.Script(id => $"X'{id}'", no: "0"));
        }

        await using var backend = Open(folder.Path);

        await EarlierLists.ShouldBeFoundAsync(backend.Jobs);
    }

    [Fact]
    public async Task Callbacks_of_an_earlier_program_are_told_under_their_old_ids()
    {
        using (var earlier = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: false, TimeSpan.Zero))
        {
            Schema.Update(earlier, newest: 3);
            earlier.ExecuteScript(EarlierCallbacks.Script(id => $"X'{id}'", no: "0"));
        }

        await using var backend = Open(folder.Path);

        await EarlierCallbacks.ShouldBeToldAsync(backend);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_and_let_go()
    {
        File.WriteAllText(folder.File(SqliteDatabase.FileName), new string('x', 10_000));

        for (var i = 0; i < 2; i++)
            Should.Throw<SpotterException>(() => Open(folder.Path)).Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }

    [Fact]
    public async Task What_was_answered_is_there_after_the_process_was_killed()
    {
        var alive = folder.File("alive");
        var answered = new Dictionary<JobId, JobState>();
        await using var backend = Open(alive);
        for (var round = 0; round < 20; round++)
        {
            var job = SampleJobs.New();
            await backend.Jobs.AddAsync([job], default);
            answered[job.Id] = JobState.Queued;
            if (round % 2 == 0)
            {
                var started = (await TakeAsync(backend.Jobs, job.Spec.Queue))!;
                answered.Remove(started.Job.Id);
                answered[started.Job.Id] = JobState.Running;
                if (round % 4 == 0)
                {
                    await backend.Jobs.FinishAsync(started.Lease, SampleJobs.Done(), default);
                    answered[started.Job.Id] = JobState.Succeeded;
                }
            }

            // The files as a killed process leaves them: nothing flushed, nothing closed.
            var killed = folder.File($"killed{round}");
            Directory.CreateDirectory(killed);
            foreach (var name in (string[])[SqliteDatabase.FileName, SqliteDatabase.FileName + "-wal"])
                File.Copy(Path.Combine(alive, name), Path.Combine(killed, name));
            await using var after = Open(killed);
            foreach (var (id, state) in answered)
                (await after.Jobs.FindAsync(id, default))?.State.ShouldBe(state);
            (await after.Jobs.CountAsync(default)).Jobs.Succeeded.ShouldBe(answered.Values.Count(s => s == JobState.Succeeded));
        }
    }

    [Fact]
    public async Task A_unit_that_fails_takes_none_of_its_group_along()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        var store = new SqliteJobStore(database, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var known = SampleJobs.New();
        await store.AddAsync([known], default);

        using var together = new ManualResetEventSlim();
        var first = database.CommitAsync(
            _ =>
            {
                together.Wait(Patience);
                return true;
            },
            default);
        var good = Enumerable.Range(0, 20).Select(_ => SampleJobs.New()).ToList();
        var work = new List<Task>();
        var bad = new List<Task>();
        for (var i = 0; i < good.Count; i++)
        {
            work.Add(store.AddAsync([good[i]], default));
            bad.Add(store.AddAsync([SampleJobs.New(), SampleJobs.New(), known], default));
            bad.Add(store.AddAsync([known], default));
            bad.Add(database.CommitAsync<bool>(_ => throw new InvalidDataException("a fault of the unit's own"), default));
        }
        together.Set();

        await first;
        await Task.WhenAll(work);
        foreach (var task in bad)
            (await Should.ThrowAsync<Exception>(() => task)).ShouldNotBeOfType<TimeoutException>();
        foreach (var job in good)
            (await store.FindAsync(job.Id, default)).ShouldNotBeNull();
        (await store.ListAsync(new JobFilter { Limit = 1000 }, default)).Count.ShouldBe(good.Count + 1);
        (await store.CountAsync(default)).Jobs.Queued.ShouldBe(good.Count + 1);
    }

    [Fact]
    public async Task A_group_whose_transaction_is_lost_is_tried_again_without_the_culprit()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        var store = new SqliteJobStore(database, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        using var together = new ManualResetEventSlim();
        var first = database.CommitAsync(
            _ =>
            {
                together.Wait(Patience);
                return true;
            },
            default);
        var good = Enumerable.Range(0, 9).Select(_ => SampleJobs.New()).ToList();
        var work = good.Take(5).Select(j => store.AddAsync([j], default)).ToList<Task>();
        var culprit = database.CommitAsync<bool>(
            scope =>
            {
                // As SQLite does by itself when the disk is full in the middle of a statement.
                scope.Prepare("ROLLBACK").Run();
                throw new SqliteFault(raw.SQLITE_FULL, "database or disk is full");
            },
            default);
        work.AddRange(good.Skip(5).Select(j => store.AddAsync([j], default)));
        together.Set();

        await Task.WhenAll(work);
        await first;
        (await Should.ThrowAsync<SpotterException>(() => culprit)).Code.ShouldBe(ErrorCodes.DiskFull);
        foreach (var job in good)
            (await store.FindAsync(job.Id, default)).ShouldNotBeNull();
        (await store.CountAsync(default)).Jobs.Queued.ShouldBe(good.Count);
    }

    [Fact]
    public async Task A_full_disk_is_said_and_heals_by_itself()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        var store = new SqliteJobStore(database, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var early = SampleJobs.New();
        await store.AddAsync([early], default);
        await SetMostPagesAsync(database, 1);

        var accepted = new List<JobId>();
        var refused = 0;
        for (var i = 0; i < 200 && refused == 0; i++)
        {
            var job = SampleJobs.New();
            try
            {
                await store.AddAsync([job], default);
                accepted.Add(job.Id);
            }
            catch (SpotterException e)
            {
                e.Code.ShouldBe(ErrorCodes.DiskFull);
                refused++;
                (await store.FindAsync(job.Id, default)).ShouldBeNull();
            }
        }
        refused.ShouldBe(1);
        database.Writer.Failed.IsCompleted.ShouldBeFalse();
        foreach (var id in accepted)
            (await store.FindAsync(id, default)).ShouldNotBeNull();

        await SetMostPagesAsync(database, 1_000_000);
        var later = await store.AddAsync([.. Enumerable.Range(0, 100).Select(_ => SampleJobs.New())], default);
        later.Count.ShouldBe(100);
        (await store.CountAsync(default)).Jobs.Queued.ShouldBe(1 + accepted.Count + 100);
        (await TakeAsync(store, early.Spec.Queue))!.Job.Id.ShouldBe(early.Id);
    }

    [Fact]
    public async Task A_file_that_another_program_locks_is_busy_and_nothing_is_lost()
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromMilliseconds(50));
        var store = new SqliteJobStore(database, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var before = SampleJobs.New();
        await store.AddAsync([before], default);
        using (var other = new SqliteConnection(folder.File(SqliteDatabase.FileName), readOnly: false, TimeSpan.FromSeconds(5)))
        {
            other.Execute("BEGIN EXCLUSIVE");
            (await Should.ThrowAsync<SpotterException>(() => store.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.Busy);
            (await Should.ThrowAsync<SpotterException>(() => TakeAsync(store, before.Spec.Queue))).Code.ShouldBe(ErrorCodes.Busy);
            (await store.FindAsync(before.Id, default)).ShouldNotBeNull("reading needs no lock");
            other.Execute("ROLLBACK");
        }
        await store.AddAsync([SampleJobs.New()], default);
        (await store.CountAsync(default)).Jobs.Queued.ShouldBe(2);
    }

    [Theory]
    [InlineData(raw.SQLITE_IOERR | (4 << 8))] // fsync
    [InlineData(raw.SQLITE_IOERR | (3 << 8))] // write
    [InlineData(raw.SQLITE_CORRUPT)]
    public async Task A_disk_that_fails_ends_everything_and_says_so(int code)
    {
        using var data = DataFolder.Open(folder.Path);
        await using var database = SqliteDatabase.Open(data.Path, TimeSpan.FromSeconds(1));
        var store = new SqliteJobStore(database, new RetrySchedule(), RandomSource.System, TimeProvider.System);
        var before = SampleJobs.New();
        await store.AddAsync([before], default);
        database.Writer.Failed.IsCompleted.ShouldBeFalse();

        var failing = database.CommitAsync<bool>(_ => throw new SqliteFault(code, "disk I/O error"), default);

        (await Should.ThrowAsync<SpotterException>(() => failing)).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await database.Writer.Failed.WaitAsync(Patience)).ShouldBeOfType<SqliteFault>().Code.ShouldBe(code);
        (await Should.ThrowAsync<SpotterException>(() => store.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => TakeAsync(store, before.Spec.Queue))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }

    [Fact]
    public async Task Closing_does_what_waits_and_takes_nothing_more()
    {
        var backend = Open(folder.Path);
        var jobs = Enumerable.Range(0, 50).Select(_ => SampleJobs.New()).ToList();
        var adding = jobs.Select(j => backend.Jobs.AddAsync([j], default)).ToList();

        await backend.DisposeAsync();

        await Task.WhenAll(adding).WaitAsync(Patience);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.AddAsync([SampleJobs.New()], default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        (await Should.ThrowAsync<SpotterException>(() => backend.Jobs.FindAsync(jobs[0].Id, default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        await using var again = Open(folder.Path);
        (await again.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(50);
    }

    private static async Task<StartedJob?> TakeAsync(IJobStore store, string queue) =>
        (await store.TakeAsync(new TakeRequest([queue], [JobPriority.Normal], ["w"], Patience), default)).Jobs.SingleOrDefault();

    private static Backend Open(string path) =>
        BackendFactory.Open(GivenSettings.Reader(), path, new RetrySchedule(), RandomSource.System, TimeProvider.System);

    private static Task<bool> SetMostPagesAsync(SqliteDatabase database, int pages) =>
        database.ApplyAsync(
            scope =>
            {
                // SQLite takes the present size instead when that is larger.
                using var limit = scope.Prepare(string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages}"));
                return limit.Step();
            },
            default);
}
