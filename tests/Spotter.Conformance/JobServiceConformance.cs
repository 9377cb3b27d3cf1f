using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>
/// What the application does over a job store and a blob store: the life of jobs from submission to deletion. A new
/// backend adds a subclass and nothing else.
/// </summary>
public abstract partial class JobServiceConformance : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly RetrySchedule Retries = new();

    // Not begun anew when the service is: it makes ids.
    private readonly RandomSource random = RandomSource.Seeded(1);

    /// <summary>Begins at the real time, since blobs may carry the real time of their writing.</summary>
    protected ManualClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>After so many random steps all rows are compared with what they should be; more where reading takes long.</summary>
    protected virtual int CheckEvery => 1;

    /// <summary>A store that may lose a delivery finds it within this time, looking when it says; zero for one that loses none.</summary>
    protected virtual TimeSpan FindsLostWithin => TimeSpan.Zero;

    private static LeaseSettings Leases { get; } = new();

    private IJobStore Store { get; set; } = null!;

    private IBlobStore Blobs { get; set; } = null!;

    private JobService? Opened { get; set; }

    private JobService Service => Opened!;

    async Task IAsyncLifetime.InitializeAsync() => await OpenAgainAsync();

    async Task IAsyncLifetime.DisposeAsync()
    {
        await CloseServiceAsync();
        await DeleteAsync();
    }

    /// <summary>Opens the stores: empty the first time, later with what they held when they were closed.</summary>
    protected abstract Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes them.</summary>
    protected abstract Task CloseAsync();

    /// <summary>Deletes what they held.</summary>
    protected abstract Task DeleteAsync();

    [Fact]
    public async Task A_job_goes_from_acceptance_to_its_result_and_is_not_given_again()
    {
        var picture = SampleJobs.Picture();
        var job = (await SubmitAsync([picture])).ShouldHaveSingleItem();
        (job.State, job.Queue, job.Name).ShouldBe((JobState.Queued, "detect/m", "0.gif"));
        var input = job.Spec.Inputs.ShouldHaveSingleItem();
        (input.MediaType, input.Bytes).ShouldBe(("image/gif", picture.Length));

        var started = (await TakeAsync()).ShouldNotBeNull();
        started.Job.Id.ShouldBe(job.Id);
        (await ReadAsync(await Service.OpenInputAsync(started.Lease.Worker, job.Id, started.Job.Spec.Inputs[0].Key, default))).ShouldBe(picture);
        var output = await Service.PutOutputAsync(new MemoryStream([9]), default);
        (await Service.FinishAsync(started.Lease, SampleJobs.Done(output), default)).ShouldBeTrue();

        var row = await FindAsync(job.Id);
        (row.State, row.Output, row.Result).ShouldBe((JobState.Succeeded, output, SampleJobs.Result()));
        (await ReadAsync((await Service.OpenOutputAsync(row, default))!)).ShouldBe([9]);
        Clock.Advance(TimeSpan.FromHours(1));
        (await TakeAsync()).ShouldBeNull();
        (await Service.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeFalse();
    }

    [Fact]
    public async Task Each_input_makes_a_job_or_all_make_one()
    {
        byte[][] pictures = [SampleJobs.Picture(1), SampleJobs.Picture(2), SampleJobs.Picture(3)];

        var each = await SubmitAsync(pictures);
        var together = (await SubmitAsync(pictures, Request() with { Together = true })).ShouldHaveSingleItem();

        each.Count.ShouldBe(3);
        each.ShouldAllBe(j => j.Spec.Inputs.Count == 1);
        together.Spec.Inputs.Count.ShouldBe(3);
        together.Name.ShouldBe("0.gif");
        foreach (var (input, picture) in together.Spec.Inputs.Zip(pictures))
            (await ReadAsync(await Service.OpenInputAsync(together, input, default))).ShouldBe(picture, "inputs keep their order");
    }

    [Fact]
    public async Task A_submission_is_all_or_nothing()
    {
        await using (var submission = await Service.BeginAsync(JobCaller.Self, null, default))
        {
            await submission.AddInputAsync(new MemoryStream(SampleJobs.Picture()), null, default);
            var refusal = await Should.ThrowAsync<SpotterException>(() => submission.AddInputAsync(new MemoryStream([1, 2, 3]), null, default));
            refusal.Code.ShouldBe(ErrorCodes.UnsupportedImage);
        }

        (await KeysAsync()).ShouldBeEmpty("what became no job's is deleted");
        (await Service.ListAsync(JobCaller.Self, new JobFilter(), default)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_submission_without_inputs_is_refused()
    {
        await using var submission = await Service.BeginAsync(JobCaller.Self, null, default);

        var refusal = await Should.ThrowAsync<SpotterException>(() => submission.AcceptAsync(Request(), default));

        refusal.Code.ShouldBe(ErrorCodes.EmptyBody);
    }

    [Fact]
    public async Task A_submission_sent_twice_under_one_key_runs_once()
    {
        byte[][] pictures = [SampleJobs.Picture(1), SampleJobs.Picture(2)];
        var first = await SubmitAsync(pictures, key: "once");
        var blobs = await KeysAsync();

        var again = await SubmitAsync(pictures, key: "once");

        again.Select(j => j.Id).ShouldBe(first.Select(j => j.Id));
        (await KeysAsync()).ShouldBe(blobs, ignoreOrder: true);
        (await TakeAsync()).ShouldNotBeNull();
        (await TakeAsync()).ShouldNotBeNull();
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_key_that_comes_with_something_else_is_refused()
    {
        await SubmitAsync([SampleJobs.Picture(1)], key: "once");

        foreach (var other in (Task<IReadOnlyList<Job>>[])[
            SubmitAsync([SampleJobs.Picture(2)], key: "once"),
            SubmitAsync([SampleJobs.Picture(1)], Request() with { Text = "other" }, key: "once"),
            SubmitAsync([SampleJobs.Picture(1), SampleJobs.Picture(2)], key: "once")])
        {
            (await Should.ThrowAsync<SpotterException>(() => other)).Code.ShouldBe(ErrorCodes.IdempotencyMismatch);
        }
        (await KeysAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Of_a_request_that_is_refused_once_it_was_written_nothing_is_run()
    {
        // Its first job has gone, so the key is only seen to be taken when the jobs are written: as when two requests race.
        var earlier = await SubmitAsync([SampleJobs.Picture(1), SampleJobs.Picture(2)], key: "once");
        await Store.CancelAsync(earlier[0].Id, by: null, default);
        Clock.Advance(TimeSpan.FromHours(1));
        (await Store.PurgeAsync(Clock.GetUtcNow(), 10, default)).ShouldBe(1);

        (await Should.ThrowAsync<SpotterException>(() => SubmitAsync([SampleJobs.Picture(3), SampleJobs.Picture(4)], key: "once")))
            .Code.ShouldBe(ErrorCodes.IdempotencyMismatch);

        (await TakeAsync()).ShouldNotBeNull().Job.Id.ShouldBe(earlier[1].Id);
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_is_named_by_the_beginning_of_its_id_and_tenants_learn_nothing_of_each_others()
    {
        var (mine, theirs) = (new JobCaller("mine", "me", SeesAll: false), new JobCaller("theirs", null, SeesAll: false));
        var job = (await SubmitAsync([SampleJobs.Picture()], caller: mine)).ShouldHaveSingleItem();
        var other = (await SubmitAsync([SampleJobs.Picture()], caller: theirs)).ShouldHaveSingleItem();
        // Ids begin with the time, so both begin alike.
        var alike = job.Id.Value[..JobId.ShortestPrefix];
        other.Id.Value.ShouldStartWith(alike);

        (await Service.FindAsync(mine, alike, default)).Id.ShouldBe(job.Id);
        (await Service.FindAsync(theirs, alike, default)).Id.ShouldBe(other.Id);
        var both = await RefusedAsync(JobCaller.Self, alike);
        both.Code.ShouldBe(ErrorCodes.InvalidRequest);
        both.Message.ShouldContain(job.Id.Value);
        both.Message.ShouldContain(other.Id.Value);
        (await RefusedAsync(theirs, job.Id.Value[..31])).Message.ShouldBe($"There is no job whose id begins with {job.Id.Value[..31]}.");
        (await RefusedAsync(mine, alike[..^1])).Message.ShouldBe("There is no such job.");
        (await RefusedAsync(mine with { MayList = false }, alike)).Code.ShouldBe(ErrorCodes.NotFound, "who may not list jobs may not guess at them");

        async Task<SpotterException> RefusedAsync(JobCaller caller, string id) => await Should.ThrowAsync<SpotterException>(() => Service.FindAsync(caller, id, default));
    }

    [Fact]
    public async Task Tenants_share_neither_jobs_nor_keys()
    {
        var (mine, theirs) = (new JobCaller("mine", "me", SeesAll: false), new JobCaller("theirs", null, SeesAll: false));
        var job = (await SubmitAsync([SampleJobs.Picture()], key: "once", caller: mine)).ShouldHaveSingleItem();
        var other = (await SubmitAsync([SampleJobs.Picture()], key: "once", caller: theirs)).ShouldHaveSingleItem();

        other.Id.ShouldNotBe(job.Id);
        (job.Tenant, job.By).ShouldBe(("mine", "me"));
        (await Service.FindAsync(mine, job.Id.Value, default)).Id.ShouldBe(job.Id);
        (await Should.ThrowAsync<SpotterException>(() => Service.FindAsync(theirs, job.Id.Value, default))).Code.ShouldBe(ErrorCodes.NotFound);
        (await Should.ThrowAsync<SpotterException>(() => Service.FindAsync(JobCaller.Self, "no id", default))).Code.ShouldBe(ErrorCodes.NotFound);
        (await Service.ListAsync(theirs, new JobFilter(), default)).Jobs.ShouldHaveSingleItem().Id.ShouldBe(other.Id);
        (await Service.ListAsync(JobCaller.Self, new JobFilter(), default)).Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_list_says_whether_there_is_more()
    {
        await SubmitAsync([SampleJobs.Picture(1), SampleJobs.Picture(2), SampleJobs.Picture(3)]);

        var (first, more) = await Service.ListAsync(JobCaller.Self, new JobFilter { Limit = 2 }, default);
        first.Count.ShouldBe(2);
        more.ShouldBeTrue();
        (first, more) = await Service.ListAsync(JobCaller.Self, new JobFilter { Limit = 2, After = first[1].Id }, default);
        first.Count.ShouldBe(1);
        more.ShouldBeFalse();
    }

    [Fact]
    public async Task The_same_work_has_its_cached_result_from_the_start()
    {
        var request = Request() with { ModelVersion = "v1", CacheParameters = RawJson.EmptyObject };
        var run = (await SubmitAsync([SampleJobs.Picture()], request)).ShouldHaveSingleItem();
        run.State.ShouldBe(JobState.Queued);
        await Service.FinishAsync((await TakeAsync())!.Lease, SampleJobs.Done() with { ModelVersion = "v1" }, default);

        var cached = (await SubmitAsync([SampleJobs.Picture()], request)).ShouldHaveSingleItem();

        (cached.State, cached.CachedFrom, cached.Result).ShouldBe((JobState.Succeeded, run.Id, SampleJobs.Result()));
        foreach (var other in (JobRequest[])[
            request with { ModelVersion = "v2" }, request with { ModelVersion = null }, request with { Model = "n" },
            request with { CacheParameters = RawJson.OfText("""{"iou":0.5}""") }, request with { CacheParameters = null },
            request with { Schedule = new JobSchedule { Reuse = false } }])
        {
            (await SubmitAsync([SampleJobs.Picture()], other)).ShouldHaveSingleItem().State.ShouldBe(JobState.Queued, other.ToString());
        }
        (await SubmitAsync([SampleJobs.Picture(9)], request)).ShouldHaveSingleItem().State.ShouldBe(JobState.Queued);
        (await SubmitAsync([SampleJobs.Picture()], request, caller: new JobCaller("team", null, false))).ShouldHaveSingleItem().State.ShouldBe(JobState.Queued);
    }

    [Fact]
    public async Task Files_are_there_for_as_long_as_any_job_has_them()
    {
        var request = Request() with { ModelVersion = "v1", CacheParameters = RawJson.EmptyObject };
        await SubmitAsync([SampleJobs.Picture()], request);
        var lease = (await TakeAsync())!.Lease;
        var file = SampleJobs.File("a") with { Key = await Service.PutOutputAsync(new MemoryStream([1, 2]), default) };
        await Service.FinishAsync(lease, SampleJobs.Done() with { ModelVersion = "v1", Outputs = [file] }, default);

        Clock.Advance(Leases.KeepBlobs / 2);
        var cached = (await SubmitAsync([SampleJobs.Picture()], request)).ShouldHaveSingleItem();
        cached.Outputs.ShouldBe([file]);
        Clock.Advance((Leases.KeepBlobs / 2) + TimeSpan.FromMinutes(1));
        await Service.Maintenance.RunOnceAsync(default);
        (await ReadAsync(await Service.OpenOutputAsync(await FindAsync(cached.Id), file, default))).ShouldBe([1, 2]);

        (await SubmitAsync([SampleJobs.Picture()], request)).ShouldHaveSingleItem().State.ShouldBe(JobState.Queued, "the files of the job that was run are gone");
        Clock.Advance(Leases.KeepBlobs);
        await Service.Maintenance.RunOnceAsync(default);
        var refusal = await Should.ThrowAsync<SpotterException>(async () => await Service.OpenOutputAsync(await FindAsync(cached.Id), file, default));
        refusal.Code.ShouldBe(ErrorCodes.OriginalExpired);
        (await KeysAsync()).ShouldHaveSingleItem().ShouldStartWith(BlobKey.InputsPrefix);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    [InlineData(".hidden")]
    [InlineData("a\"b")]
    public async Task No_file_has_a_name_that_could_be_a_path(string name)
    {
        await SubmitAsync();
        var lease = (await TakeAsync())!.Lease;

        foreach (var outputs in (OutputRef[][])[
            [SampleJobs.File(name)], [SampleJobs.File("a") with { Key = SampleJobs.Input().Key }], [SampleJobs.File("a") with { MediaType = "text/html; x=y" }],
            [SampleJobs.File("a"), SampleJobs.File("a")], [.. Enumerable.Range(0, OutputRef.Most + 1).Select(i => SampleJobs.File($"f{i}"))]])
        {
            var refusal = await Should.ThrowAsync<SpotterException>(() => Service.FinishAsync(lease, SampleJobs.Done() with { Outputs = outputs }, default));
            refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        }
        (await Service.FinishAsync(lease, SampleJobs.Done() with { Outputs = [SampleJobs.File("A-1_b.json")] }, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Parent_and_step_are_kept()
    {
        var parent = (await SubmitAsync([SampleJobs.Picture()])).ShouldHaveSingleItem();

        var child = (await SubmitAsync([SampleJobs.Picture()], Request() with { Parent = parent.Id, Step = "frame 3" })).ShouldHaveSingleItem();

        var row = await FindAsync(child.Id);
        (row.Spec.Parent, row.Spec.Step).ShouldBe((parent.Id, "frame 3"));
    }

    [Fact]
    public async Task An_internal_job_is_made_once_and_not_listed()
    {
        var spec = new JobSpec { Engine = "annotate", Inputs = [SampleJobs.Input()] };

        var first = await Service.SubmitInternalAsync(spec, "annotate 1", default);
        var again = await Service.SubmitInternalAsync(spec, "annotate 1", default);

        again.Id.ShouldBe(first.Id);
        (await Service.ListAsync(JobCaller.Self, new JobFilter(), default)).Jobs.ShouldBeEmpty();
        (await TakeAsync("w", "annotate"))!.Job.Internal.ShouldBeTrue();
    }

    private static JobRequest Request() => new() { Engine = "detect", Model = "m", Text = "detect with m" };

    private async Task<IReadOnlyList<Job>> SubmitAsync(
        IReadOnlyList<byte[]> pictures, JobRequest? request = null, string? key = null, JobCaller? caller = null)
    {
        await using var submission = await Service.BeginAsync(caller ?? JobCaller.Self, key, default);
        for (var i = 0; i < pictures.Count; i++)
            await submission.AddInputAsync(new MemoryStream(pictures[i]), $"{i}.gif", default);
        return [.. (await submission.AcceptAsync(request ?? Request(), default)).Select(a => a.Job)];
    }

    private async Task<Job> SubmitAsync(JobSchedule? schedule = null) =>
        (await SubmitAsync([SampleJobs.Picture()], Request() with { Schedule = schedule ?? new JobSchedule() })).ShouldHaveSingleItem();

    /// <summary>Takes a job without waiting; where a delivery may have been lost, some more times.</summary>
    private async Task<StartedJob?> TakeAsync(string worker = "w", string queue = "detect/m")
    {
        var step = TimeSpan.FromSeconds(1);
        var started = await Service.TakeAsync(worker, [queue], TimeSpan.Zero, default);
        for (var passed = TimeSpan.Zero; started is null && passed < FindsLostWithin; passed += step)
        {
            Clock.Advance(step);
            started = await Service.TakeAsync(worker, [queue], TimeSpan.Zero, default);
        }
        return started;
    }

    private async Task<Job> FindAsync(JobId id) => (await Store.FindAsync(id, default)).ShouldNotBeNull();

    private async Task<List<string>> KeysAsync()
    {
        var keys = new List<string>();
        await foreach (var key in Blobs.ListAsync("", Clock.GetUtcNow().AddDays(1), default))
            keys.Add(key);
        return keys;
    }

    private static async Task<byte[]> ReadAsync(Stream content)
    {
        using var read = new MemoryStream();
        await using (content)
            await content.CopyToAsync(read);
        return read.ToArray();
    }

    private async Task OpenAgainAsync()
    {
        await CloseServiceAsync();
        (Store, Blobs) = await OpenAsync(Clock, Retries, RandomSource.Seeded(1));
        Opened = new JobService(
            Store, Blobs, new WorkerRoster(Clock), new ModelCatalogue(Array.Empty<CatalogueModel>()), new JobSettings { Leases = Leases }, Clock, random);
    }

    private async Task CloseServiceAsync()
    {
        if (Opened is not null)
            await Opened.DisposeAsync();
        Opened = null;
        await CloseAsync();
    }
}
