using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>Lists, redrives, expiry, and what is deleted when.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task Jobs_are_listed_newest_first_page_by_page()
    {
        var ids = await AddManyAsync(7);
        ids.Reverse();
        await AddAsync(isInternal: true);

        var seen = new List<JobId>();
        JobId? after = null;
        while (await Store.ListAsync(new JobFilter { Limit = 3, After = after }, default) is { Count: > 0 } page)
        {
            page.Count.ShouldBeLessThanOrEqualTo(3);
            seen.AddRange(page.Select(j => j.Id));
            after = page[^1].Id;
        }
        seen.ShouldBe(ids);
        (await Store.ListAsync(new JobFilter { After = JobId.New(RandomSource.System, TimeProvider.System) }, default)).ShouldBeEmpty();
        (await Store.ListAsync(new JobFilter { Limit = 0 }, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Jobs_are_listed_by_state_and_engine()
    {
        var byState = new Dictionary<JobState, List<JobId>>();
        foreach (var state in Enum.GetValues<JobState>())
        {
            var newer = new List<JobId>();
            for (var i = 0; i < 3; i++)
                newer.Insert(0, await BringToAsync(state));
            byState[state] = newer;
        }
        var other = await AddAsync(engine: SampleJobs.Classify);

        foreach (var (state, ids) in byState)
        {
            (await IdsAsync(new JobFilter { State = state, Engine = SampleJobs.Detect })).ShouldBe(ids);
            (await IdsAsync(new JobFilter { State = state, Engine = SampleJobs.Detect, After = ids[0], Limit = 1 })).ShouldBe([ids[1]]);
            (await IdsAsync(new JobFilter { State = state })).ShouldBe(state == JobState.Queued ? [other, .. ids] : ids);
        }
        (await IdsAsync(new JobFilter { Engine = SampleJobs.Classify })).ShouldBe([other]);
        (await IdsAsync(new JobFilter { Engine = "no such" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Jobs_are_listed_by_tenant_and_error()
    {
        var dead = await BringToAsync(JobState.Dead);
        var theirs = await AddAsync(SampleJobs.New() with { Tenant = "team" });
        await BringToAsync(JobState.Failed);

        (await IdsAsync(new JobFilter { Tenant = "team" })).ShouldBe([theirs]);
        (await IdsAsync(new JobFilter { Tenant = "others" })).ShouldBeEmpty();
        (await IdsAsync(new JobFilter { State = JobState.Dead, Error = ErrorCodes.WorkerDied })).ShouldBeEmpty();
        (await IdsAsync(new JobFilter { State = JobState.Dead, Error = SampleJobs.Fault.Code, Tenant = "" })).ShouldBe([dead]);
    }

    [Fact]
    public async Task A_job_that_nobody_starts_in_time_fails()
    {
        var late = await AddAsync(SampleJobs.New(model: "late").Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        var started = await AddAsync(SampleJobs.New(model: "started").Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        var expires = Clock.GetUtcNow() + Duration;
        var patient = await AddAsync();
        await StartAsync(started);
        (await Store.ExpireAsync(10, default)).ShouldBe(0);

        Clock.Advance(expires - Clock.GetUtcNow());
        (await TakeSomeAsync(["w"], "detect/late")).Jobs.ShouldBeEmpty("it is too late");
        (await Store.ExpireAsync(10, default)).ShouldBe(1);
        (await Store.ExpireAsync(10, default)).ShouldBe(0);

        var job = await FindAsync(late);
        (job.State, job.Error!.Code, job.Finished, job.Attempts).ShouldBe((JobState.Failed, ErrorCodes.Expired, Clock.GetUtcNow(), 0));
        (await FindAsync(started)).State.ShouldBe(JobState.Running);
        (await FindAsync(patient)).State.ShouldBe(JobState.Queued);
    }

    [Fact]
    public async Task No_more_jobs_expire_at_once_than_asked_for()
    {
        for (var i = 0; i < 5; i++)
            await AddAsync(SampleJobs.New().Having(s => s with { Expires = Clock.GetUtcNow() + Duration }));
        Clock.Advance(Duration);

        (await Store.ExpireAsync(3, default)).ShouldBe(3);
        (await Store.ExpireAsync(3, default)).ShouldBe(2);
    }

    [Fact]
    public async Task A_dead_job_can_be_redriven_under_its_id()
    {
        var id = await BringToAsync(JobState.Dead);
        var before = await FindAsync(id);
        Clock.Advance(Duration);

        (await Store.RedriveAsync(new RedriveFilter { Ids = [id] }, "operator", default)).ShouldBe(1);

        var job = await FindAsync(id);
        (job.State, job.Attempts, job.FencingToken, job.Redrives, job.Finished, job.Expires)
            .ShouldBe((JobState.Queued, 0, before.FencingToken, 1, null, null));
        job.History[^1].ShouldBe(new JobEvent(Clock.GetUtcNow(), JobEventKind.Redriven, 0, null, "operator", SampleJobs.Fault));
        var lease = await LeaseAsync(id);
        (lease.Attempt, lease.FencingToken).ShouldBe((1, before.FencingToken + 1));
        (await FinishAsync(lease, SampleJobs.Done())).State.ShouldBe(JobState.Succeeded);
        var counts = await CountsAsync();
        (counts.Queued, counts.Running, counts.Succeeded, counts.Dead).ShouldBe((0, 0, 1, 0));
    }

    [Fact]
    public async Task A_redriven_job_no_longer_expires()
    {
        var id = await BringToAsync(JobState.Dead, SampleJobs.New(model: "a").Having(s => s with { Expires = Clock.GetUtcNow() + TimeSpan.FromHours(1) }));
        await Store.RedriveAsync(new RedriveFilter(), null, default);
        Clock.Advance(TimeSpan.FromHours(2));

        (await Store.ExpireAsync(10, default)).ShouldBe(0);
        (await StartAsync(id)).Job.Spec.Expires.ShouldNotBeNull("what was asked for never changes");
    }

    [Fact]
    public async Task Only_the_dead_jobs_that_are_meant_are_redriven()
    {
        var dead = await BringToAsync(JobState.Dead);
        var others = new List<JobId>();
        foreach (var state in Enum.GetValues<JobState>().Where(s => s != JobState.Dead))
            others.Add(await BringToAsync(state));

        foreach (var filter in (RedriveFilter[])[
            new() { Error = ErrorCodes.WorkerDied }, new() { Tenant = "others" }, new() { Ids = others }, new() { Ids = [] }, new() { Limit = 0 }])
        {
            (await Store.RedriveAsync(filter, null, default)).ShouldBe(0, filter.ToString());
        }
        (await Store.RedriveAsync(new RedriveFilter { Error = SampleJobs.Fault.Code, Tenant = "" }, null, default)).ShouldBe(1);
        (await FindAsync(dead)).State.ShouldBe(JobState.Queued);
    }

    [Fact]
    public async Task Those_that_have_been_dead_longest_are_redriven_first()
    {
        var dead = new List<JobId>();
        for (var i = 0; i < 3; i++)
        {
            dead.Add(await BringToAsync(JobState.Dead));
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await Store.RedriveAsync(new RedriveFilter { Limit = 2 }, null, default)).ShouldBe(2);

        (await FindAsync(dead[0])).State.ShouldBe(JobState.Queued);
        (await FindAsync(dead[1])).State.ShouldBe(JobState.Queued);
        (await FindAsync(dead[2])).State.ShouldBe(JobState.Dead);
    }

    [Fact]
    public async Task A_dead_job_without_its_inputs_stays_dead()
    {
        await BringToAsync(JobState.Dead);
        Clock.Advance(Duration);
        await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default);

        (await Store.RedriveAsync(new RedriveFilter(), null, default)).ShouldBe(0);
    }

    [Fact]
    public async Task Blobs_of_jobs_that_ended_long_ago_expire_once()
    {
        var several = SampleJobs.New(model: "a").Having(s => s with { Inputs = [SampleJobs.Input(), SampleJobs.Input()] });
        await FinishAsync(await LeaseAsync(await AddAsync(several)), SampleJobs.Done("out/aa/drawn-1.jpg"));
        var cancelled = await BringToAsync(JobState.Cancelled);
        Clock.Advance(TimeSpan.FromHours(24));
        await BringToAsync(JobState.Queued);
        await BringToAsync(JobState.Running);
        var before = Clock.GetUtcNow();
        await BringToAsync(JobState.Succeeded);

        var keys = await Store.ExpireBlobsAsync(before, 10, default);

        keys.ShouldBe([.. several.Spec.Inputs.Select(i => i.Key), "out/aa/drawn-1.jpg", .. await KeysOfAsync(cancelled)], ignoreOrder: true);
        var row = await FindAsync(several.Id);
        row.InputsExpired.ShouldBeTrue();
        row.Result.ShouldNotBeNull("the row stays");
        (await Store.ExpireBlobsAsync(before, 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Blobs_of_all_jobs_expire_batch_by_batch()
    {
        var keys = new List<string>();
        for (var i = 0; i < 5; i++)
            keys.AddRange(await KeysOfAsync(await BringToAsync(JobState.Failed)));
        Clock.Advance(Duration);

        var seen = new List<string>();
        while (await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 2, default) is { Count: > 0 } some)
            seen.AddRange(some);

        seen.ShouldBe(keys, ignoreOrder: true);
    }

    [Fact]
    public async Task Blobs_that_no_job_keeps_are_told_from_those_that_one_does()
    {
        var kept = new List<string>();
        foreach (var state in Enum.GetValues<JobState>())
            kept.AddRange(await KeysOfAsync(await BringToAsync(state)));
        kept.AddRange(await KeysOfAsync(await BringToAsync(JobState.Queued, SampleJobs.New().Having(s => s with { Inputs = [SampleJobs.Input(), SampleJobs.Input()] }))));
        string[] unknown = [SampleJobs.Input().Key, BlobKey.NewOutput(RandomSource.System, Clock), "in/aa/odd"];
        kept.Count.ShouldBe(9);

        (await Store.UnknownBlobsAsync([unknown[0], .. kept, unknown[1], unknown[2]], default)).ShouldBe(unknown, ignoreOrder: true);
        (await Store.UnknownBlobsAsync(kept, default)).ShouldBeEmpty();
        (await Store.UnknownBlobsAsync([], default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Blobs_of_expired_and_purged_jobs_are_unknown()
    {
        var expired = await KeysOfAsync(await BringToAsync(JobState.Succeeded));
        Clock.Advance(Duration);
        await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default);
        var purged = await KeysOfAsync(await BringToAsync(JobState.Succeeded));
        Clock.Advance(Duration);

        (await Store.UnknownBlobsAsync([.. expired, .. purged], default)).ShouldBe(expired, ignoreOrder: true);
        await Store.PurgeAsync(Clock.GetUtcNow(), 10, default);
        (await Store.UnknownBlobsAsync([.. expired, .. purged], default)).ShouldBe([.. expired, .. purged], ignoreOrder: true);
    }

    [Fact]
    public async Task A_blob_that_jobs_share_is_kept_until_the_last_of_them_expires()
    {
        var (first, own, shared) = (SampleJobs.New(model: "a"), SampleJobs.Input(), SampleJobs.Input());
        await BringToAsync(JobState.Succeeded, first.Having(s => s with { Inputs = [shared, own] }));
        Clock.Advance(Duration);
        var between = Clock.GetUtcNow();
        await BringToAsync(JobState.Cancelled, SampleJobs.New(model: "b").Having(s => s with { Inputs = [shared] }));
        await BringToAsync(JobState.Cancelled, SampleJobs.New(SampleJobs.Annotate, isInternal: true).Having(s => s with { Inputs = [shared] }));
        Clock.Advance(Duration);

        var gone = await Store.ExpireBlobsAsync(between, 10, default);
        gone.ShouldContain(own.Key, StringComparer.Ordinal);
        gone.ShouldNotContain(shared.Key, StringComparer.Ordinal);
        (await Store.UnknownBlobsAsync([own.Key, shared.Key], default)).ShouldBe([own.Key]);

        (await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default)).ShouldBe([shared.Key], "both at once");
        (await Store.UnknownBlobsAsync([shared.Key], default)).ShouldBe([shared.Key]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_that_one_of_its_jobs_is_named_after_is_kept_until_the_last_of_them_expires(bool isNamedFirst)
    {
        var shared = SampleJobs.Input();
        var named = SampleJobs.New(model: "a").Having(s => s with { Inputs = [shared] }) with { Id = BlobKey.JobOf(shared.Key)!.Value };
        var other = SampleJobs.New(model: "b").Having(s => s with { Inputs = [shared] });
        await BringToAsync(JobState.Cancelled, isNamedFirst ? named : other);
        Clock.Advance(Duration);
        var between = Clock.GetUtcNow();
        await BringToAsync(JobState.Cancelled, isNamedFirst ? other : named);
        Clock.Advance(Duration);

        (await Store.ExpireBlobsAsync(between, 10, default)).ShouldBeEmpty();
        (await Store.UnknownBlobsAsync([shared.Key], default)).ShouldBeEmpty();
        (await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default)).ShouldBe([shared.Key]);
        (await Store.UnknownBlobsAsync([shared.Key], default)).ShouldBe([shared.Key]);
    }

    [Fact]
    public async Task A_blob_that_jobs_share_outlives_the_row_of_one_of_them()
    {
        var shared = SampleJobs.Input();
        await BringToAsync(JobState.Cancelled, SampleJobs.New().Having(s => s with { Inputs = [shared] }));
        Clock.Advance(Duration);
        await AddAsync(SampleJobs.New().Having(s => s with { Inputs = [shared] }));

        (await Store.PurgeAsync(Clock.GetUtcNow(), 10, default)).ShouldBe(1);

        (await Store.UnknownBlobsAsync([shared.Key], default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_that_a_job_made_are_in_its_row_and_are_kept_and_expire_with_it()
    {
        OutputRef[] files = [SampleJobs.File("a.json"), SampleJobs.File("b")];
        foreach (var picture in (string?[])[null, BlobKey.NewOutput(RandomSource.System, Clock)])
        {
            var id = await AddAsync();
            await FinishAsync(await LeaseAsync(id), SampleJobs.Done(picture) with { Outputs = files });

            var row = await FindAsync(id);
            row.Outputs.ShouldBe(files);
            row.Output.ShouldBe(picture);
            var keys = await KeysOfAsync(id);
            keys.Length.ShouldBe(picture is null ? 3 : 4);
            (await Store.UnknownBlobsAsync(keys, default)).ShouldBeEmpty();
            Clock.Advance(Duration);
            (await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default)).ShouldBe(keys, ignoreOrder: true);
            (await Store.UnknownBlobsAsync(keys, default)).ShouldBe(keys, ignoreOrder: true);
            files = [SampleJobs.File("c"), SampleJobs.File("d")];
        }
    }

    [Fact]
    public async Task Files_of_a_purged_job_are_unknown()
    {
        var id = await AddAsync();
        await FinishAsync(await LeaseAsync(id), SampleJobs.Done() with { Outputs = [SampleJobs.File("a"), SampleJobs.File("b")] });
        var keys = await KeysOfAsync(id);
        Clock.Advance(Duration);

        await Store.PurgeAsync(Clock.GetUtcNow(), 10, default);

        (await Store.UnknownBlobsAsync(keys, default)).ShouldBe(keys, ignoreOrder: true);
    }

    [Fact]
    public async Task Files_pass_to_the_job_that_takes_over_the_cached_result()
    {
        OutputRef[] files = [SampleJobs.File("a"), SampleJobs.File("b")];
        var first = await AddAsync();
        await FinishAsync(await LeaseAsync(first), SampleJobs.Done() with { Outputs = files });
        Clock.Advance(Duration);
        var later = await AddAsync(SampleJobs.New() with { Cached = new CachedResult(first, SampleJobs.Result(), "v1") { Outputs = files } });

        (await FindAsync(later)).Outputs.ShouldBe(files);
        var expired = await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default);
        expired.ShouldBe([(await FindAsync(first)).Spec.Inputs[0].Key]);
        (await Store.UnknownBlobsAsync([.. files.Select(f => f.Key)], default)).ShouldBeEmpty();

        Clock.Advance(Duration);
        var keys = await KeysOfAsync(later);
        (await Store.ExpireBlobsAsync(Clock.GetUtcNow(), 10, default)).ShouldBe(keys, ignoreOrder: true);
        (await Store.UnknownBlobsAsync(keys, default)).ShouldBe(keys, ignoreOrder: true);
    }

    [Fact]
    public async Task Rows_that_ended_long_ago_are_deleted_and_no_others()
    {
        var old = new[] { await BringToAsync(JobState.Dead), await BringToAsync(JobState.Succeeded), await BringToAsync(JobState.Failed) };
        var waiting = await AddAsync();
        await Store.ExpireBlobsAsync(Clock.GetUtcNow().AddSeconds(1), 1, default);
        Clock.Advance(TimeSpan.FromDays(7));
        var before = Clock.GetUtcNow();
        var fresh = await BringToAsync(JobState.Succeeded);

        (await Store.PurgeAsync(before, 2, default)).ShouldBe(2);
        (await Store.PurgeAsync(before, 2, default)).ShouldBe(1);
        (await Store.PurgeAsync(before, 2, default)).ShouldBe(0);

        foreach (var id in old)
            (await Store.FindAsync(id, default)).ShouldBeNull();
        await FindAsync(waiting);
        await FindAsync(fresh);
        var counts = await CountsAsync();
        (counts.Queued, counts.Succeeded, counts.Failed, counts.Dead).ShouldBe((1, 1, 0, 0));
    }

    [Fact]
    public async Task A_key_is_free_again_when_its_row_is_deleted()
    {
        var first = await AddAsync(key: "once");
        await FinishAsync(await LeaseAsync(first), SampleJobs.Done());
        Clock.Advance(Duration);
        await Store.PurgeAsync(Clock.GetUtcNow(), 10, default);

        (await Store.AddAsync([SampleJobs.New(key: "once")], default)).ShouldHaveSingleItem().IsNew.ShouldBeTrue();
    }

    /// <summary>The keys of a job's blobs.</summary>
    private async Task<string[]> KeysOfAsync(JobId id)
    {
        var job = await FindAsync(id);
        return [.. job.Spec.Inputs.Select(i => i.Key), .. job.Outputs.Select(o => o.Key), .. job.Output is { } output ? [output] : Array.Empty<string>()];
    }
}
