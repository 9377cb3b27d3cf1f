using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>How jobs come in, and what is kept of them.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task An_accepted_job_is_there_as_it_was_sent()
    {
        var sent = SampleJobs.New(key: "key: 'ключ'; --", model: "yolox_nano").Having(s => s with
        {
            Name = "a.b \"犬\".jpg",
            Inputs = [SampleJobs.Input(), SampleJobs.Input()],
            Parameters = RawJson.OfText("""{"labels":["person","né \u0001 \"q\" 犬"],  "iou":0.70}"""),
        });

        var added = (await Store.AddAsync([sent], default)).ShouldHaveSingleItem();

        added.IsNew.ShouldBeTrue();
        var job = added.Job;
        job.Id.ShouldBe(sent.Id);
        job.State.ShouldBe(JobState.Queued);
        job.Created.ShouldBe(Clock.GetUtcNow());
        (job.Attempts, job.FencingToken, job.Isolated, job.Started, job.Finished, job.Error, job.Result, job.Redrives)
            .ShouldBe((0, 0, false, null, null, null, null, 0));
        (job.Engine, job.Model, job.Queue, job.Name, job.IdempotencyKey, job.Fingerprint, job.Internal, job.InputsExpired)
            .ShouldBe((SampleJobs.Detect, "yolox_nano", "detect/yolox_nano", sent.Spec.Name, sent.IdempotencyKey, sent.Fingerprint, false, false));
        job.History.ShouldBeEmpty();
        var row = await FindAsync(sent.Id);
        SampleJobs.Print(row).ShouldBe(SampleJobs.Print(job));
        row.Spec.Inputs.ShouldBe(sent.Spec.Inputs);
        row.Spec.Parameters.ToString().ShouldBe(sent.Spec.Parameters.ToString(), "only the engine knows what is in it");
        SampleJobs.Print((await Store.FindByKeysAsync([sent.IdempotencyKey!], default)).ShouldHaveSingleItem()).ShouldBe(SampleJobs.Print(job));
    }

    [Fact]
    public async Task All_that_was_said_about_a_job_is_kept()
    {
        var (now, parent) = (Clock.GetUtcNow(), JobId.New(RandomSource.System, TimeProvider.System));
        var sent = SampleJobs.New() with
        {
            Tenant = "team",
            By = "camera",
            Notify = [new JobNotification("webhook", "https://example.com/hook?a=b", "whsec_c2VjcmV0") { Endpoint = "example.com" }],
        };
        sent = sent.Having(s => s with
        {
            Priority = JobPriority.Low,
            NotBefore = now + TimeSpan.FromSeconds(5),
            Expires = now + TimeSpan.FromSeconds(50),
            Parent = parent,
            Step = "frame 7",
        });

        await AddAsync(sent);

        var job = await FindAsync(sent.Id);
        (job.Tenant, job.By, job.Priority, job.Spec.NotBefore, job.Spec.Expires, job.Expires)
            .ShouldBe((sent.Tenant, sent.By, JobPriority.Low, sent.Spec.NotBefore, sent.Spec.Expires, sent.Spec.Expires));
        job.Notify.ShouldBe(sent.Notify);
        (job.Spec.Parent, job.Spec.Step).ShouldBe((parent, "frame 7"));
        SampleJobs.Print(job).ShouldNotContain("c2VjcmV0");
    }

    [Fact]
    public async Task A_spec_field_from_a_newer_version_is_kept()
    {
        using var newer = JsonDocument.Parse("""{"unit":"Grad", "steps":[1,2]}""");
        var sent = SampleJobs.New(model: "a").Having(s => s with
        {
            Unknown = new Dictionary<string, JsonElement>(StringComparer.Ordinal) { ["rotation"] = newer.RootElement.Clone() },
        });

        await AddAsync(sent);

        foreach (var job in (Job[])[await FindAsync(sent.Id), (await StartAsync(sent.Id)).Job])
        {
            var (name, value) = job.Spec.Unknown.ShouldNotBeNull().ShouldHaveSingleItem();
            name.ShouldBe("rotation");
            JsonElement.DeepEquals(value, newer.RootElement).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task The_beginning_of_an_id_finds_those_that_have_it_and_no_others()
    {
        static JobId Id(string digits) => JobId.Parse(digits.PadRight(JobId.Length, '7'));
        await Store.AddAsync(
            [
                SampleJobs.New(id: Id("0f3c0")) with { Tenant = "mine" }, SampleJobs.New(id: Id("0f3cf")) with { Tenant = "theirs" }, SampleJobs.New(id: Id("0f3d")),
                SampleJobs.New(id: Id("0f3c8"), isInternal: true), SampleJobs.New(id: Id("ffff")), SampleJobs.New(id: Id("0000")),
            ],
            default);

        async Task<(string Ids, bool IsWhole)> FindAsync(string prefix, string? tenant = null)
        {
            var found = await Store.FindIdsAsync(prefix, tenant, default);
            return (string.Join(' ', found.Ids.Select(i => i.Value[..5])), found.IsWhole);
        }
        (await FindAsync("0f3c")).ShouldBe(("0f3cf 0f3c0", true), "the newest first, and no internal one");
        (await FindAsync("0f3c0")).ShouldBe(("0f3c0", true));
        (await FindAsync(Id("0f3c0").Value[..31])).ShouldBe(("0f3c0", true));
        (await FindAsync("0f3c", "mine")).ShouldBe(("0f3c0", true));
        (await FindAsync("0f3cf", "mine")).ShouldBe(("", true), "whose job it is, is nobody else's business");
        (await FindAsync("ffff")).ShouldBe(("ffff7", true));
        (await FindAsync("0000")).ShouldBe(("00007", true));
        (await FindAsync("1234")).ShouldBe(("", true));
    }

    [Fact]
    public async Task A_search_for_ids_tells_few_and_looks_at_a_bounded_number()
    {
        var ids = Enumerable.Range(0, JobIdSearch.MostSeen + 2).Select(i => JobId.Parse($"0f3c{i:x8}".PadRight(JobId.Length, '7'))).ToList();
        await Store.AddAsync([.. ids.Select((id, i) => SampleJobs.New(id: id) with { Tenant = i == 0 ? "old" : i < 10 ? "mine" : "theirs" })], default);

        var all = await Store.FindIdsAsync("0f3c", null, default);
        all.Ids.ShouldBe(ids.AsEnumerable().Reverse().Take(JobIdSearch.MostTold));
        all.IsWhole.ShouldBeFalse();
        var unseen = await Store.FindIdsAsync("0f3c", "old", default);
        (unseen.Ids.Count, unseen.IsWhole).ShouldBe((0, false));
        (await Store.FindIdsAsync(ids[0].Value[..12], "old", default)).Ids.ShouldBe([ids[0]]);
    }

    [Fact]
    public async Task What_is_not_there_is_null()
    {
        (await Store.FindAsync(JobId.New(RandomSource.System, TimeProvider.System), default)).ShouldBeNull();
        (await Store.FindByKeysAsync(["unknown"], default)).ShouldBeEmpty();
        (await Store.FindByKeysAsync([], default)).ShouldBeEmpty();
        (await Store.CancelAsync(JobId.New(RandomSource.System, TimeProvider.System), null, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Rows_are_found_by_their_keys()
    {
        await Store.AddAsync([SampleJobs.New(key: "a"), SampleJobs.New(key: "b"), SampleJobs.New(key: "c"), SampleJobs.New()], default);

        var found = await Store.FindByKeysAsync(["c", "unknown", "a"], default);

        found.Select(j => j.IdempotencyKey).ShouldBe(["a", "c"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_known_key_gives_the_job_as_it_stands()
    {
        var first = await AddAsync(key: "once");
        await StartAsync(first);

        var again = (await Store.AddAsync([SampleJobs.New(key: "once")], default)).ShouldHaveSingleItem();

        again.IsNew.ShouldBeFalse();
        again.Job.Id.ShouldBe(first);
        again.Job.State.ShouldBe(JobState.Running);
        var counts = await CountsAsync();
        (counts.Queued, counts.Running).ShouldBe((0, 1));
    }

    [Fact]
    public async Task Answers_come_in_the_order_of_the_jobs_and_a_key_repeated_among_them_makes_one()
    {
        var known = await AddAsync(key: "known");
        var jobs = new[] { SampleJobs.New(key: "a"), SampleJobs.New(), SampleJobs.New(key: "known"), SampleJobs.New(key: "a") };

        var added = await Store.AddAsync(jobs, default);

        added.Select(a => a.Job.Id).ShouldBe([jobs[0].Id, jobs[1].Id, known, jobs[0].Id]);
        added.Select(a => a.IsNew).ShouldBe([true, true, false, false]);
        (await CountsAsync()).Queued.ShouldBe(3);
    }

    [Fact]
    public async Task One_key_sent_by_many_at_once_makes_one_job()
    {
        var added = await Task.WhenAll(Enumerable.Range(0, 32)
            .Select(_ => Task.Run(() => Store.AddAsync([SampleJobs.New(key: "same")], default))));

        added.Count(a => a[0].IsNew).ShouldBe(1);
        added.Select(a => a[0].Job.Id).Distinct().ShouldHaveSingleItem();
        (await CountsAsync()).Queued.ShouldBe(1);
    }

    [Fact]
    public async Task Accepting_is_all_or_none()
    {
        var known = await AddAsync();
        var fresh = SampleJobs.New();

        await Should.ThrowAsync<SpotterException>(() => Store.AddAsync([fresh, SampleJobs.New(id: known)], default));

        // A later change, so that anything left half done would be written with it.
        var later = await AddAsync();
        (await Store.FindAsync(fresh.Id, default)).ShouldBeNull();
        (await IdsAsync(new JobFilter())).ShouldBe([later, known]);
        (await CountsAsync()).Queued.ShouldBe(2);
    }

    [Fact]
    public async Task A_refused_job_spoils_nobody_elses_call()
    {
        var known = await AddAsync();
        var calls = Enumerable.Range(0, 32)
            .Select(i => i % 4 == 0 ? SampleJobs.New(id: known) : SampleJobs.New())
            .Select(job => Task.Run(() => Store.AddAsync([job], default))).ToList();

        await Task.WhenAny(Task.WhenAll(calls)).WaitAsync(Patience);

        calls.Count(c => c.IsCompletedSuccessfully).ShouldBe(24);
        (await CountsAsync()).Queued.ShouldBe(25);
    }

    [Fact]
    public async Task A_cancelled_call_accepts_nothing()
    {
        var job = SampleJobs.New();

        await Should.ThrowAsync<OperationCanceledException>(() => Store.AddAsync([job], new CancellationToken(canceled: true)));

        (await Store.FindAsync(job.Id, default)).ShouldBeNull();
    }

    [Fact]
    public async Task The_same_work_is_answered_from_the_job_that_was_run()
    {
        var run = await AddAsync(SampleJobs.New(model: "a") with { ResultCacheKey = "work", Tenant = "team" });
        (await Store.FindCachedAsync("team", "work", "v1", default)).ShouldBeNull();
        await FinishAsync(await LeaseAsync(run), SampleJobs.Done() with { ModelVersion = "v1" });
        (await Store.FindCachedAsync("team", "work", "v2", default)).ShouldBeNull("another version may see other things");
        var known = (await Store.FindCachedAsync("team", "work", "v1", default))!;
        known.Id.ShouldBe(run);
        (await Store.FindCachedAsync("others", "work", "v1", default)).ShouldBeNull();

        var copy = SampleJobs.New(model: "a") with { ResultCacheKey = "work", Tenant = "team", Cached = new CachedResult(run, known.Result!.Value, "v1") };
        var answered = (await Store.AddAsync([copy], default)).ShouldHaveSingleItem().Job;

        (answered.State, answered.CachedFrom, answered.ModelVersion, answered.Attempts, answered.Started, answered.Finished)
            .ShouldBe((JobState.Succeeded, run, "v1", 0, Clock.GetUtcNow(), Clock.GetUtcNow()));
        answered.Result.ShouldBe(known.Result);
        answered.Timings.ShouldBe(new JobTimings());
        SampleJobs.Print(await FindAsync(copy.Id)).ShouldBe(SampleJobs.Print(answered));
        (await Store.FindCachedAsync("team", "work", "v1", default))!.Id.ShouldBe(run, "a copy is no source");
        (await TakeAsync(answered.Queue)).ShouldBeNull();
        (await CountsAsync()).Succeeded.ShouldBe(2);
    }

    [Fact]
    public async Task The_newest_result_of_the_same_work_is_taken()
    {
        var ids = new List<JobId>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await AddAsync(SampleJobs.New(model: "a") with { ResultCacheKey = "work" }));
            await FinishAsync(await LeaseAsync(ids[i]), i == 2 ? SampleJobs.Reject() : SampleJobs.Done() with { ModelVersion = "v1" });
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await Store.FindCachedAsync("", "work", "v1", default))!.Id.ShouldBe(ids[1]);
    }
}
