using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>
/// What every <see cref="INoticeStore"/> does, together with the <see cref="IJobStore"/> that writes its rows. A new adapter
/// adds a subclass and nothing else.
/// </summary>
public abstract class NoticeStoreConformance : IAsyncLifetime
{
    private const string Url = "https://a.example/hook?job=7";
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    protected ManualClock Clock { get; } = new();

    private IJobStore Jobs { get; set; } = null!;

    private INoticeStore Notices { get; set; } = null!;

    public async Task InitializeAsync() => (Jobs, Notices) = await OpenAsync(Clock, new RetrySchedule { MaxAttempts = 1 }, RandomSource.Seeded(1));

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens an empty store and its outbox.</summary>
    protected abstract Task<(IJobStore Jobs, INoticeStore Notices)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes and deletes both.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task There_is_a_notice_once_the_job_has_ended_and_not_before()
    {
        var job = await AddAsync(secret: "whsec_one");
        (await TakeAsync()).ShouldBeEmpty();
        (await Notices.OfAsync(job, default)).ShouldBeEmpty();
        var lease = await StartAsync(job);
        (await TakeAsync()).ShouldBeEmpty();

        await Jobs.FinishAsync(lease, SampleJobs.Done(), default);

        var status = (await Notices.OfAsync(job, default)).ShouldHaveSingleItem();
        status.ShouldBe(new NoticeStatus(job.Value, Url, NoticeState.Pending, 0, null, null, Clock.GetUtcNow(), null));
        (await Notices.PendingAsync(default)).ShouldBe(1);
        var notice = (await TakeAsync()).ShouldHaveSingleItem();
        (notice.Id, notice.Job, notice.Url, notice.Secret, notice.Receiver, notice.Attempt)
            .ShouldBe((job.Value, job, Url, "whsec_one", "https://a.example", 1));
        notice.ToString().ShouldNotContain("whsec");
    }

    [Fact]
    public async Task Whoever_takes_a_notice_finds_its_job_ended()
    {
        for (var i = 0; i < 100; i++)
        {
            var job = await AddAsync();
            var cancelling = Jobs.CancelAsync(job, by: null, default);
            IReadOnlyList<Notice> taken;
            do
                taken = await TakeAsync();
            while (taken.Count == 0 && !cancelling.IsCompleted);
            if (taken.Count > 0)
                (await Jobs.FindAsync(job, default))!.State.ShouldBe(JobState.Cancelled);
            await cancelling;
            if (taken.Count == 0)
                (await TakeAsync()).ShouldHaveSingleItem();
        }
    }

    [Theory]
    [InlineData("rejected")]
    [InlineData("dead")]
    [InlineData("cancelled")]
    [InlineData("cancelled while it runs")]
    [InlineData("expired")]
    [InlineData("reaped")]
    [InlineData("answered from the stored result of another")]
    public async Task However_a_job_ends_there_is_one_notice(string how)
    {
        var job = how switch
        {
            "expired" => await AddAsync(change: job => job with { Expires = Clock.GetUtcNow() + Hold }),
            "answered from the stored result of another" => await AddAsync(change: job => job with { Cached = new CachedResult(JobId.New(RandomSource.System), SampleJobs.Result(), "v1") }),
            _ => await AddAsync(),
        };
        switch (how)
        {
            case "rejected":
                await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Reject(), default);
                break;
            case "dead":
                await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Retry(), default);
                break;
            case "cancelled":
                await Jobs.CancelAsync(job, by: null, default);
                break;
            case "cancelled while it runs":
                await StartAsync(job);
                await Jobs.CancelAsync(job, by: null, default);
                break;
            case "expired":
                Clock.Advance(Hold);
                await Jobs.ExpireAsync(10, default);
                break;
            case "reaped":
                await StartAsync(job);
                Clock.Advance(Hold);
                await Jobs.ReapAsync(10, default);
                break;
        }

        (await Jobs.FindAsync(job, default))!.State.IsTerminal().ShouldBeTrue();
        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe(job.Value);
        (await Notices.OfAsync(job, default)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_job_that_nobody_asked_about_has_no_notice()
    {
        var job = (await Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        await Jobs.CancelAsync(job, by: null, default);

        (await TakeAsync()).ShouldBeEmpty();
        (await Notices.OfAsync(job, default)).ShouldBeEmpty();
        (await Notices.PendingAsync(default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_is_redriven_has_another_notice_with_another_id()
    {
        var job = await AddAsync();
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Retry(), default);
        await Notices.RecordAsync((await TakeAsync())[0], new NoticeOutcome.Delivered(200), default);

        await Jobs.RedriveAsync(new RedriveFilter { Ids = [job] }, by: null, default);
        (await TakeAsync()).ShouldBeEmpty();
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Done(), default);

        var second = (await TakeAsync()).ShouldHaveSingleItem();
        second.Id.ShouldBe(Notice.IdOf(job, 1));
        second.Attempt.ShouldBe(1);
        (await Notices.OfAsync(job, default)).Select(n => (n.Id, n.State)).ShouldBe([(job.Value, NoticeState.Delivered), ($"{job.Value}~1", NoticeState.Pending)]);
    }

    [Fact]
    public async Task What_was_taken_is_hidden_for_a_while_and_then_taken_again_as_the_same_delivery()
    {
        await EndedAsync();
        var first = (await TakeAsync()).ShouldHaveSingleItem();

        Clock.Advance(Hold - TimeSpan.FromMilliseconds(1));
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(TimeSpan.FromMilliseconds(1));

        var second = (await TakeAsync()).ShouldHaveSingleItem();
        (second.Id, second.Attempt).ShouldBe((first.Id, 1));
        (second.Receipt == first.Receipt).ShouldBeFalse();
    }

    [Fact]
    public async Task Many_who_take_at_once_get_each_notice_once()
    {
        for (var i = 0; i < 20; i++)
            await EndedAsync();

        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => Notices.TakeAsync(4, Hold, [], default))));

        var ids = taken.SelectMany(t => t).Select(n => n.Id).ToList();
        ids.Count.ShouldBe(20);
        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(20);
        taken.ShouldAllBe(t => t.Count <= 4);
    }

    [Fact]
    public async Task The_one_that_is_due_longest_comes_first_and_no_more_than_asked_for()
    {
        var first = await EndedAsync();
        Clock.Advance(TimeSpan.FromSeconds(1));
        var second = await EndedAsync();
        Clock.Advance(TimeSpan.FromSeconds(1));
        var third = await EndedAsync();

        (await TakeAsync(2)).Select(n => n.Job).ShouldBe([first, second]);
        (await TakeAsync(0)).ShouldBeEmpty();
        (await TakeAsync(2)).Select(n => n.Job).ShouldBe([third]);
    }

    [Fact]
    public async Task Receivers_that_rest_are_left_out()
    {
        var resting = await EndedAsync("https://resting.example/a");
        var other = await EndedAsync("https://resting.example:444/a");

        var taken = await Notices.TakeAsync(10, Hold, [Notice.ReceiverOf("https://resting.example/"), "https://o'else.example"], default);

        taken.ShouldHaveSingleItem().Job.ShouldBe(other);
        (await TakeAsync()).ShouldHaveSingleItem().Job.ShouldBe(resting);
    }

    [Fact]
    public async Task What_was_delivered_never_comes_again()
    {
        var job = await EndedAsync();
        var notice = (await TakeAsync())[0];
        Clock.Advance(TimeSpan.FromSeconds(3));

        await Notices.RecordAsync(notice, new NoticeOutcome.Delivered(202), default);

        (await Notices.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new NoticeStatus(job.Value, Url, NoticeState.Delivered, 1, 202, null, null, Clock.GetUtcNow()));
        (await Notices.PendingAsync(default)).ShouldBe(0);
        Clock.Advance(TimeSpan.FromDays(1));
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_failed_comes_again_after_its_delay_as_the_next_delivery()
    {
        var job = await EndedAsync();
        var notice = (await TakeAsync())[0];

        await Notices.RecordAsync(notice, new NoticeOutcome.Again(TimeSpan.FromMinutes(5), 500, "It said 'no'."), default);

        (await Notices.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new NoticeStatus(job.Value, Url, NoticeState.Pending, 1, 500, "It said 'no'.", Clock.GetUtcNow() + TimeSpan.FromMinutes(5), null));
        (await Notices.PendingAsync(default)).ShouldBe(1);
        Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        var again = (await TakeAsync()).ShouldHaveSingleItem();
        (again.Id, again.Attempt).ShouldBe((notice.Id, 2));
    }

    [Fact]
    public async Task What_was_given_up_never_comes_again()
    {
        var job = await EndedAsync();

        await Notices.RecordAsync((await TakeAsync())[0], new NoticeOutcome.GivenUp(null, "Nobody is there."), default);

        (await Notices.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new NoticeStatus(job.Value, Url, NoticeState.GivenUp, 1, null, "Nobody is there.", null, Clock.GetUtcNow()));
        Clock.Advance(TimeSpan.FromDays(1));
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_is_late_changes_nothing()
    {
        var job = await EndedAsync();
        var late = (await TakeAsync())[0];
        Clock.Advance(Hold);
        var current = (await TakeAsync())[0];

        await Notices.RecordAsync(late, new NoticeOutcome.GivenUp(410, "Too late."), default);
        (await Notices.OfAsync(job, default))[0].State.ShouldBe(NoticeState.Pending);

        await Notices.RecordAsync(current, new NoticeOutcome.Delivered(200), default);
        await Notices.RecordAsync(current, new NoticeOutcome.Again(TimeSpan.Zero, 500, "Twice."), default);
        var status = (await Notices.OfAsync(job, default))[0];
        (status.State, status.Attempts, status.Status).ShouldBe((NoticeState.Delivered, 1, 200));
    }

    [Fact]
    public async Task Whoever_records_after_the_hold_is_heard_while_nobody_has_taken_the_notice_since()
    {
        var job = await EndedAsync();
        var notice = (await TakeAsync())[0];
        Clock.Advance(Hold * 2);

        await Notices.RecordAsync(notice, new NoticeOutcome.Delivered(200), default);

        (await Notices.OfAsync(job, default))[0].State.ShouldBe(NoticeState.Delivered);
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Notices_go_with_their_job()
    {
        var job = await EndedAsync();
        Clock.Advance(TimeSpan.FromDays(8));

        await Jobs.PurgeAsync(Clock.GetUtcNow(), 10, default);

        (await Notices.OfAsync(job, default)).ShouldBeEmpty();
        (await TakeAsync()).ShouldBeEmpty();
        (await Notices.PendingAsync(default)).ShouldBe(0);
    }

    private Task<IReadOnlyList<Notice>> TakeAsync(int limit = 10) => Notices.TakeAsync(limit, Hold, [], default);

    private async Task<JobId> AddAsync(string url = Url, string? secret = null, Func<NewJob, NewJob>? change = null)
    {
        var job = SampleJobs.New() with { Callback = new JobCallback(url, secret) };
        return (await Jobs.AddAsync([change?.Invoke(job) ?? job], default))[0].Job.Id;
    }

    /// <summary>A job that has ended, by being cancelled.</summary>
    private async Task<JobId> EndedAsync(string url = Url)
    {
        var job = await AddAsync(url);
        await Jobs.CancelAsync(job, by: null, default);
        return job;
    }

    private async Task<Lease> StartAsync(JobId job) =>
        (await Jobs.StartAsync(SampleJobs.Delivery(job), "w1", Hold, default))!.Lease;
}
