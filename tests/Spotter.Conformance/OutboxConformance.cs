using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>
/// What every <see cref="IOutbox"/> does, together with the <see cref="IJobStore"/> that writes its rows. A new adapter
/// adds a subclass and nothing else.
/// </summary>
public abstract class OutboxConformance : IAsyncLifetime
{
    private const string Channel = "webhook";
    private const string Url = "https://a.example/hook?job=7";
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    protected ManualClock Clock { get; } = new();

    private IJobStore Jobs { get; set; } = null!;

    private IOutbox Outbox { get; set; } = null!;

    public async Task InitializeAsync() => (Jobs, Outbox) = await OpenAsync(Clock, new RetrySchedule { MaxAttempts = 1 }, RandomSource.Seeded(1));

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens an empty store and its outbox.</summary>
    protected abstract Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes and deletes both.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task There_is_an_entry_once_the_job_has_ended_and_not_before()
    {
        var job = await AddAsync(secret: "whsec_one");
        (await TakeAsync()).ShouldBeEmpty();
        (await Outbox.OfAsync(job, default)).ShouldBeEmpty();
        var lease = await StartAsync(job);
        (await TakeAsync()).ShouldBeEmpty();

        await Jobs.FinishAsync(lease, SampleJobs.Done(), default);

        var status = (await Outbox.OfAsync(job, default)).ShouldHaveSingleItem();
        status.ShouldBe(new DeliveryStatus(job.Value, Channel, Url, DeliveryState.Pending, 0, null, null, Clock.GetUtcNow(), null));
        (await Outbox.PendingAsync(default)).ShouldBe(1);
        var entry = (await TakeAsync()).ShouldHaveSingleItem();
        (entry.Id, entry.Job, entry.Target, entry.Secret, entry.Endpoint, entry.Attempt)
            .ShouldBe((job.Value, job, Url, "whsec_one", "https://a.example", 1));
        entry.ToString().ShouldNotContain("whsec");
    }

    [Fact]
    public async Task Whoever_takes_an_entry_finds_its_job_ended()
    {
        for (var i = 0; i < 100; i++)
        {
            var job = await AddAsync();
            var cancelling = Jobs.CancelAsync(job, by: null, default);
            IReadOnlyList<OutboxEntry> taken;
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
    public async Task However_a_job_ends_there_is_one_entry_and_senders_are_woken(string how)
    {
        using var wakes = new WakeCounter(Outbox);
        var job = how switch
        {
            "expired" => await AddAsync(change: job => job.Having(spec => spec with { Expires = Clock.GetUtcNow() + LeaseTime })),
            "answered from the stored result of another" => await AddAsync(change: job => job with { Cached = new CachedResult(JobId.New(RandomSource.System, TimeProvider.System), SampleJobs.Result(), "v1") }),
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
                Clock.Advance(LeaseTime);
                await Jobs.ExpireAsync(10, default);
                break;
            case "reaped":
                await StartAsync(job);
                Clock.Advance(LeaseTime);
                await Jobs.ReapAsync(10, default);
                break;
        }

        (await Jobs.FindAsync(job, default))!.State.IsTerminal().ShouldBeTrue();
        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe(job.Value);
        (await Outbox.OfAsync(job, default)).ShouldHaveSingleItem();
        wakes.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Changes_of_jobs_without_deliveries_wake_nobody()
    {
        var told = await EndedAsync();
        using var wakes = new WakeCounter(Outbox);
        await Jobs.AddAsync([.. Enumerable.Range(0, 250).Select(_ => SampleJobs.New())], default);
        // With that they have changed a thousand times: accepted, started, returned or ended.
        await Task.WhenAll((await StartAsync(250)).Select(async (started, i) =>
        {
            if (i % 2 == 0)
                await Jobs.CancelAsync(started.Job.Id, by: null, default);
            await Jobs.FinishAsync(started.Lease, i % 3 == 0 ? SampleJobs.Retry() : SampleJobs.Done(), default);
            await Jobs.CancelAsync(started.Job.Id, by: null, default);
        }));
        // Neither does one that has deliveries and has not ended, nor what becomes of a delivery.
        await StartAsync(await AddAsync());
        await Outbox.RecordAsync((await TakeAsync()).ShouldHaveSingleItem(), new DeliveryOutcome.Delivered(), default);
        (await Outbox.OfAsync(told, default))[0].State.ShouldBe(DeliveryState.Delivered);

        wakes.Count.ShouldBe(0);

        await EndedAsync();
        wakes.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_has_gone_is_not_woken_and_others_still_are()
    {
        var gone = new WakeCounter(Outbox);
        using var there = new WakeCounter(Outbox);
        gone.Dispose();

        await EndedAsync();

        (gone.Count, there.Count).ShouldBe((0, 1));
    }

    [Fact]
    public async Task Channels_do_not_see_each_others_entries()
    {
        var here = await EndedAsync();
        var there = await AddAsync(change: job => job with { Notify = [new JobNotification("chat", "42")] });
        await Jobs.CancelAsync(there, by: null, default);

        (await TakeAsync(channel: "chat")).ShouldHaveSingleItem().Job.ShouldBe(there);
        (await TakeAsync(channel: "pigeon")).ShouldBeEmpty();
        (await TakeAsync()).ShouldHaveSingleItem().Job.ShouldBe(here);
        (await Outbox.PendingAsync(default)).ShouldBe(2);
    }

    [Fact]
    public async Task Each_of_several_who_want_to_know_has_an_entry_and_is_told_once()
    {
        var job = await AddAsync(change: job => job with
        {
            Notify = [Asked("https://a.example/1", "whsec_a"), new JobNotification("chat", "it's \"42\""), Asked("https://a.example/2", secret: null)],
        });
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Retry(), default);

        var (posts, chats) = (await TakeAsync(), await TakeAsync(channel: "chat"));
        posts.Select(e => (e.Id, e.Target, e.Secret, e.Endpoint)).ShouldBe(
            [(job.Value, "https://a.example/1", "whsec_a", "https://a.example"), ($"{job.Value}-3", "https://a.example/2", null, "https://a.example")]);
        // Without an endpoint of its own the target is one.
        chats.Select(e => (e.Id, e.Target, e.Secret, e.Endpoint)).ShouldBe([($"{job.Value}-2", "it's \"42\"", null, "it's \"42\"")]);

        await Outbox.RecordAsync(posts[0], new DeliveryOutcome.Delivered(200), default);
        await Outbox.RecordAsync(chats[0], new DeliveryOutcome.GivenUp(null, "Nobody is there."), default);
        Clock.Advance(LeaseTime);
        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe(posts[1].Id);
        (await TakeAsync(channel: "chat")).ShouldBeEmpty();
        (await Outbox.OfAsync(job, default)).Select(d => (d.Id, d.Channel, d.State)).ShouldBe(
            [(job.Value, Channel, DeliveryState.Delivered), ($"{job.Value}-2", "chat", DeliveryState.GivenUp), ($"{job.Value}-3", Channel, DeliveryState.Pending)]);

        await Jobs.RedriveAsync(new RedriveFilter { Ids = [job] }, by: null, default);
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Done(), default);
        var ended = (await Jobs.FindAsync(job, default))!;
        var again = await TakeAsync(channel: "chat");
        again.ShouldHaveSingleItem().Id.ShouldBe(OutboxEntry.IdOf(job, 1, 1));
        (again[0].TellsOf(ended), chats[0].TellsOf(ended), posts[0].TellsOf(ended)).ShouldBe((true, false, false));
    }

    [Fact]
    public async Task A_job_that_nobody_asked_about_has_no_entry()
    {
        var job = (await Jobs.AddAsync([SampleJobs.New()], default))[0].Job.Id;
        await Jobs.CancelAsync(job, by: null, default);

        (await TakeAsync()).ShouldBeEmpty();
        (await Outbox.OfAsync(job, default)).ShouldBeEmpty();
        (await Outbox.PendingAsync(default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_is_redriven_has_another_entry_with_another_id()
    {
        var job = await AddAsync();
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Retry(), default);
        await Outbox.RecordAsync((await TakeAsync())[0], new DeliveryOutcome.Delivered(200), default);

        await Jobs.RedriveAsync(new RedriveFilter { Ids = [job] }, by: null, default);
        (await TakeAsync()).ShouldBeEmpty();
        await Jobs.FinishAsync(await StartAsync(job), SampleJobs.Done(), default);

        var second = (await TakeAsync()).ShouldHaveSingleItem();
        second.Id.ShouldBe(OutboxEntry.IdOf(job, 1));
        second.Attempt.ShouldBe(1);
        (await Outbox.OfAsync(job, default)).Select(n => (n.Id, n.State)).ShouldBe([(job.Value, DeliveryState.Delivered), ($"{job.Value}~1", DeliveryState.Pending)]);
    }

    [Fact]
    public async Task What_was_taken_is_hidden_for_a_while_and_then_taken_again_as_the_same_delivery()
    {
        await EndedAsync();
        var first = (await TakeAsync()).ShouldHaveSingleItem();

        Clock.Advance(LeaseTime - TimeSpan.FromMilliseconds(1));
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(TimeSpan.FromMilliseconds(1));

        var second = (await TakeAsync()).ShouldHaveSingleItem();
        (second.Id, second.Attempt).ShouldBe((first.Id, 1));
        (second.Receipt == first.Receipt).ShouldBeFalse();
    }

    [Fact]
    public async Task Many_who_take_at_once_get_each_entry_once()
    {
        for (var i = 0; i < 20; i++)
            await EndedAsync();

        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => Outbox.TakeAsync(Channel, 4, LeaseTime, [], default))));

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
    public async Task Endpoints_with_an_open_circuit_are_left_out()
    {
        var open = await EndedAsync("https://open.example/a");
        var other = await EndedAsync("https://open.example:444/a");

        var taken = await Outbox.TakeAsync(Channel, 10, LeaseTime, ["https://open.example", "https://o'else.example"], default);

        taken.ShouldHaveSingleItem().Job.ShouldBe(other);
        (await TakeAsync()).ShouldHaveSingleItem().Job.ShouldBe(open);
    }

    [Fact]
    public async Task What_was_delivered_never_comes_again()
    {
        var job = await EndedAsync();
        var entry = (await TakeAsync())[0];
        Clock.Advance(TimeSpan.FromSeconds(3));

        await Outbox.RecordAsync(entry, new DeliveryOutcome.Delivered(202), default);

        (await Outbox.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new DeliveryStatus(job.Value, Channel, Url, DeliveryState.Delivered, 1, 202, null, null, Clock.GetUtcNow()));
        (await Outbox.PendingAsync(default)).ShouldBe(0);
        Clock.Advance(TimeSpan.FromDays(1));
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_failed_comes_again_after_its_delay_as_the_next_delivery()
    {
        var job = await EndedAsync();
        var entry = (await TakeAsync())[0];

        await Outbox.RecordAsync(entry, new DeliveryOutcome.Again(TimeSpan.FromMinutes(5), 500, "It said 'no'."), default);

        (await Outbox.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new DeliveryStatus(job.Value, Channel, Url, DeliveryState.Pending, 1, 500, "It said 'no'.", Clock.GetUtcNow() + TimeSpan.FromMinutes(5), null));
        (await Outbox.PendingAsync(default)).ShouldBe(1);
        Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        var again = (await TakeAsync()).ShouldHaveSingleItem();
        (again.Id, again.Attempt).ShouldBe((entry.Id, 2));
    }

    [Fact]
    public async Task What_was_given_up_never_comes_again()
    {
        var job = await EndedAsync();

        await Outbox.RecordAsync((await TakeAsync())[0], new DeliveryOutcome.GivenUp(null, "Nobody is there."), default);

        (await Outbox.OfAsync(job, default)).ShouldHaveSingleItem()
            .ShouldBe(new DeliveryStatus(job.Value, Channel, Url, DeliveryState.GivenUp, 1, null, "Nobody is there.", null, Clock.GetUtcNow()));
        Clock.Advance(TimeSpan.FromDays(1));
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_is_late_changes_nothing()
    {
        var job = await EndedAsync();
        var late = (await TakeAsync())[0];
        Clock.Advance(LeaseTime);
        var current = (await TakeAsync())[0];

        await Outbox.RecordAsync(late, new DeliveryOutcome.GivenUp(410, "Too late."), default);
        (await Outbox.OfAsync(job, default))[0].State.ShouldBe(DeliveryState.Pending);

        await Outbox.RecordAsync(current, new DeliveryOutcome.Delivered(200), default);
        await Outbox.RecordAsync(current, new DeliveryOutcome.Again(TimeSpan.Zero, 500, "Twice."), default);
        var status = (await Outbox.OfAsync(job, default))[0];
        (status.State, status.Attempts, status.Status).ShouldBe((DeliveryState.Delivered, 1, 200));
    }

    [Fact]
    public async Task Whoever_records_after_the_lease_is_heard_while_nobody_has_taken_the_entry_since()
    {
        var job = await EndedAsync();
        var entry = (await TakeAsync())[0];
        Clock.Advance(LeaseTime * 2);

        await Outbox.RecordAsync(entry, new DeliveryOutcome.Delivered(200), default);

        (await Outbox.OfAsync(job, default))[0].State.ShouldBe(DeliveryState.Delivered);
        (await TakeAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Entries_go_with_their_job()
    {
        var job = await EndedAsync();
        Clock.Advance(TimeSpan.FromDays(8));

        await Jobs.PurgeAsync(Clock.GetUtcNow(), 10, default);

        (await Outbox.OfAsync(job, default)).ShouldBeEmpty();
        (await TakeAsync()).ShouldBeEmpty();
        (await Outbox.PendingAsync(default)).ShouldBe(0);
    }

    private Task<IReadOnlyList<OutboxEntry>> TakeAsync(int limit = 10, string channel = Channel) => Outbox.TakeAsync(channel, limit, LeaseTime, [], default);

    /// <summary>A notification as the channel of webhooks accepts it.</summary>
    private static JobNotification Asked(string url, string? secret) =>
        new(Channel, url, secret) { Endpoint = new Uri(url).GetLeftPart(UriPartial.Authority) };

    private async Task<JobId> AddAsync(string url = Url, string? secret = null, Func<NewJob, NewJob>? change = null)
    {
        var job = SampleJobs.New() with { Notify = [Asked(url, secret)] };
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
        (await StartAsync(1)).Single(started => started.Job.Id == job).Lease;

    private async Task<IReadOnlyList<StartedJob>> StartAsync(int count) =>
        (await Jobs.TakeAsync(new TakeRequest([SampleJobs.Detect], Enum.GetValues<JobPriority>(), [.. Enumerable.Repeat("w1", count)], LeaseTime), default)).Jobs;

    private sealed class WakeCounter : IDisposable
    {
        private readonly IDisposable subscription;
        private int count;

        public WakeCounter(IOutbox outbox) => subscription = outbox.WhenFilled(() => Interlocked.Increment(ref count));

        public int Count => Volatile.Read(ref count);

        public void Dispose() => subscription.Dispose();
    }
}
