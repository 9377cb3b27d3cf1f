using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>What is told as it happens.</summary>
public abstract partial class JobStoreConformance
{
    [Fact]
    public async Task Changes_of_a_job_are_told_as_they_happen()
    {
        await using var changes = await ListenAsync();
        var id = await AddAsync();
        await changes.HearAsync(c => c.Job == id);

        var lease = await LeaseAsync(id);
        await changes.HearAsync(c => c.Job == id);

        await FinishAsync(lease, SampleJobs.Done());
        await changes.HearAsync(c => c.Job == id);

        var other = await AddAsync();
        await changes.HearAsync(c => c.Job == other);
        await Store.CancelAsync(other, null, default);
        await changes.HearAsync(c => c.Job == other);
    }

    [Fact]
    public async Task A_queue_is_told_of_when_jobs_come()
    {
        await using var changes = await ListenAsync();

        await AddAsync(SampleJobs.New(model: "a"));
        await changes.HearAsync(c => c.Queue == "detect/a");

        await Store.AddAsync([SampleJobs.New(model: "b"), SampleJobs.New(model: "c")], default);
        await changes.HearAllAsync("detect/b", "detect/c");

        await AddAsync(Delayed(Duration, OtherQueue));
        await changes.HearAsync(c => c.Queue == OtherQueue);
    }

    [Fact]
    public async Task A_queue_is_told_of_when_jobs_are_redriven()
    {
        var ids = new[]
        {
            await BringToAsync(JobState.Dead, SampleJobs.New(model: "a")), await BringToAsync(JobState.Dead, SampleJobs.New(model: "b")),
        };
        await using var changes = await ListenAsync();

        await Store.RedriveAsync(new RedriveFilter { Ids = ids }, null, default);

        await changes.HearAllAsync("detect/a", "detect/b");
    }

    [Theory]
    [InlineData("retry")]
    [InlineData("release")]
    [InlineData("reap")]
    public async Task Whoever_goes_by_what_is_told_hears_of_a_job_that_comes_back(string how)
    {
        var lease = await LeaseAsync(await AddAsync(SampleJobs.New(model: "a")));
        await using var changes = await ListenAsync();

        switch (how)
        {
            case "retry":
                await FinishAsync(lease, SampleJobs.Retry());
                break;
            case "release":
                await Store.ReleaseAsync(null, SampleJobs.Fault, spendAttempt: false, default);
                break;
            default:
                Clock.Advance(Duration);
                await Store.ReapAsync(10, default);
                break;
        }

        await changes.HearAsync(c => c.Queue == lease.Queue);
        var due = (await TryTakeAsync(["w"], lease.Queue)).NextDue.ShouldNotBeNull();
        Clock.Advance(due - Clock.GetUtcNow());
        (await LeaseAsync(lease.Job)).FencingToken.ShouldBe(2);
    }

    [Fact]
    public async Task Several_listen_and_one_who_stops_disturbs_nobody()
    {
        await using var first = await ListenAsync();
        await using var second = await ListenAsync();

        await second.StopAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => second.HearAsync(_ => false));

        var id = await AddAsync();
        await first.HearAsync(c => c.Job == id);
    }

    private async Task<Listener> ListenAsync()
    {
        var listener = new Listener(Store);
        // Listening begins at a time of its own where the store is another process.
        for (var i = 0; i < 100; i++)
        {
            var id = await AddAsync();
            if (!await listener.TryHearAsync(c => c.Job == id))
                continue;
            await Store.CancelAsync(id, null, default);
            await listener.HearAsync(c => c.Job == id);
            return listener;
        }
        throw new TimeoutException("Nothing is ever told.");
    }

    /// <summary>One reader of the changes.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

        private readonly CancellationTokenSource stop = new();
        private readonly IAsyncEnumerator<JobChange> changes;
        private Task<bool>? next;

        public Listener(IJobStore store) => changes = store.ChangesAsync(stop.Token).GetAsyncEnumerator(CancellationToken.None);

        public Task StopAsync() => stop.CancelAsync();

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            if (next is not null)
                await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await changes.DisposeAsync();
            stop.Dispose();
        }

        public async Task HearAsync(Func<JobChange, bool> wanted) => await HearAsync(wanted, Patience);

        public async Task<bool> TryHearAsync(Func<JobChange, bool> wanted)
        {
            try
            {
                await HearAsync(wanted, Moment);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        public async Task HearAllAsync(params string[] queues)
        {
            var left = queues.ToHashSet(StringComparer.Ordinal);
            await HearAsync(change => change.Queue is { } queue && left.Remove(queue) && left.Count == 0);
        }

        private async Task HearAsync(Func<JobChange, bool> wanted, TimeSpan patience)
        {
            while (true)
            {
                next ??= changes.MoveNextAsync().AsTask();
                if (!await next.WaitAsync(patience))
                    throw new InvalidOperationException("The changes have ended.");
                next = null;
                if (wanted(changes.Current))
                    return;
            }
        }
    }
}
