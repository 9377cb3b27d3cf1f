using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>What every filter of lists finds, against a search through all jobs.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task Pages_of_every_filter_hold_what_a_search_through_all_jobs_finds()
    {
        var jobs = await AddSomeOfEachAsync();

        foreach (var tenant in (string?[])[null, "", "a", "nobody"])
        {
            foreach (var engine in (string?[])[null, SampleJobs.Detect, "no such"])
            {
                foreach (var error in (string?[])[null, SampleJobs.Fault.Code, "no such"])
                {
                    foreach (var state in (JobState?[])[null, .. Enum.GetValues<JobState>()])
                    {
                        var filter = new JobFilter { Tenant = tenant, Engine = engine, Error = error, State = state };
                        var expected = jobs.Where(j => !j.Internal && (tenant is null || j.Tenant == tenant) && (engine is null || j.Engine == engine)
                            && (error is null || j.Error?.Code == error) && (state is null || j.State == state)).Select(j => j.Id).ToList();
                        (await PagesAsync(filter with { Limit = 7 })).ShouldBe(expected, filter.ToString());
                        (await IdsAsync(filter with { Limit = 1000 })).ShouldBe(expected, filter.ToString());
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Of_every_kind_of_dead_jobs_those_that_are_meant_are_redriven_longest_dead_first()
    {
        foreach (var tenant in (string?[])[null, "a"])
        {
            foreach (var error in (string?[])[null, "other", "no such"])
            {
                var meant = new Dictionary<JobId, bool>();
                foreach (var (owner, code) in ((string, string)[])[("a", "other"), ("", SampleJobs.Fault.Code), ("b", "other"), ("", "other"), ("a", SampleJobs.Fault.Code)])
                {
                    var id = await DieAsync(owner, code);
                    meant[id] = (tenant is null || owner == tenant) && (error is null || code == error);
                    Clock.Advance(TimeSpan.FromSeconds(1));
                }
                var filter = new RedriveFilter { Tenant = tenant, Error = error, Limit = 2 };

                foreach (var first in meant.Where(m => m.Value).Select(m => m.Key).Chunk(2))
                {
                    (await Store.RedriveAsync(filter, null, default)).ShouldBe(first.Length, filter.ToString());
                    foreach (var id in first)
                        (await FindAsync(id)).State.ShouldBe(JobState.Queued, filter.ToString());
                }

                (await Store.RedriveAsync(filter, null, default)).ShouldBe(0, filter.ToString());
                foreach (var (id, _) in meant.Where(m => !m.Value))
                    (await FindAsync(id)).State.ShouldBe(JobState.Dead, filter.ToString());
                await Store.RedriveAsync(new RedriveFilter(), null, default);
            }
        }
    }

    [Fact]
    public async Task A_cursor_that_is_not_of_the_callers_jobs_leads_nowhere_whether_or_not_it_is_a_job()
    {
        var mine = new List<JobId>();
        for (var i = 0; i < 2; i++)
            mine.Insert(0, await AddAsync(SampleJobs.New() with { Tenant = "a" }));
        var theirs = await AddAsync(SampleJobs.New() with { Tenant = "b" });
        var nobodys = await AddAsync(SampleJobs.New());
        var ours = await AddAsync(SampleJobs.New(isInternal: true) with { Tenant = "a" });

        foreach (var cursor in (JobId[])[theirs, nobodys, ours, SampleJobs.New().Id])
            (await IdsAsync(new JobFilter { Tenant = "a", After = cursor })).ShouldBeEmpty();
        (await IdsAsync(new JobFilter { Tenant = "", After = theirs })).ShouldBeEmpty();
        (await IdsAsync(new JobFilter { Tenant = "a", After = mine[0] })).ShouldBe([mine[1]]);
        (await IdsAsync(new JobFilter { After = theirs })).ShouldBe(mine);
        (await IdsAsync(new JobFilter { After = ours })).ShouldBeEmpty();
    }

    /// <summary>Jobs of several tenants and engines in every state, some of them ours, newest first.</summary>
    private async Task<List<Job>> AddSomeOfEachAsync()
    {
        var ids = new List<JobId>();
        foreach (var state in Enum.GetValues<JobState>())
        {
            foreach (var engine in (string[])[SampleJobs.Detect, SampleJobs.Classify])
            {
                foreach (var tenant in (string[])["a", "", "b"])
                {
                    foreach (var isInternal in (bool[])[false, true])
                        ids.Add(await BringToAsync(state, SampleJobs.New(engine, isInternal: isInternal, model: $"each{ids.Count}") with { Tenant = tenant }));
                }
            }
        }
        // One that waits to be tried again has an error, too.
        var tried = await AddAsync(SampleJobs.New(model: "tried") with { Tenant = "a" });
        await FinishAsync(await LeaseAsync(tried), SampleJobs.Retry());
        var jobs = new List<Job> { await FindAsync(tried) };
        foreach (var id in ids.AsEnumerable().Reverse())
            jobs.Add(await FindAsync(id));
        jobs[0].Error.ShouldBe(SampleJobs.Fault);
        return jobs;
    }

    /// <summary>A job that has died of this error.</summary>
    private async Task<JobId> DieAsync(string tenant, string code)
    {
        var id = await AddAsync(SampleJobs.New(model: $"m{models++}") with { Tenant = tenant });
        while ((await FinishAsync(await LeaseAsync(id), new JobOutcome.Retry(new JobError(code, "It broke."), SpendAttempt: true))).RetryAfter is { } delay)
            Clock.Advance(delay);
        return id;
    }

    private async Task<List<JobId>> PagesAsync(JobFilter filter)
    {
        var all = new List<JobId>();
        while (await IdsAsync(filter) is { Count: > 0 } page)
        {
            page.Count.ShouldBeLessThanOrEqualTo(filter.Limit);
            all.AddRange(page);
            filter = filter with { After = page[^1] };
        }
        return all;
    }
}
