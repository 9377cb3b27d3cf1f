using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The loop of maintenance; what one round does is in <see cref="WaitingWorkers"/>.</summary>
public sealed class MaintenanceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_loop_outlives_a_store_that_fails_and_ends_when_told()
    {
        var clock = new ManualClock();
        var settings = new LeaseSettings();
        await using var fixture = new LocalFixture();
        var backend = fixture.Open(clock);
        var maintenance = new Maintenance(backend.Jobs, backend.Blobs, settings, clock);
        await backend.CheckBlobsAsync(default);
        await fixture.CloseAsync();
        var errors = Channel.CreateUnbounded<Exception>();
        using var stop = new CancellationTokenSource();

        var loop = maintenance.RunAsync(e => errors.Writer.TryWrite(e), stop.Token);

        // Three steps of a round need the store: the search for orphans finds no blob to ask it about, and leases are left alone.
        for (var round = 0; round < 3; round++)
        {
            for (var step = 0; step < 3; step++)
            {
                var error = await errors.Reader.ReadAsync().AsTask().WaitAsync(Patience);
                error.ShouldBeOfType<SpotterException>().Code.ShouldBe(ErrorCodes.StoreUnavailable);
            }
            await clock.WaitForTimersAsync(count: 2).WaitAsync(Patience);
            clock.Advance(settings.Sweep);
        }
        await stop.CancelAsync();
        await loop.WaitAsync(Patience);
    }

    [Fact]
    public void Leases_say_nothing_until_the_store_has_been_in_sight_for_as_long_as_they_last()
    {
        var (clock, settings) = (new ManualClock(), new LeaseSettings());
        var sight = new SteadySight(settings, clock);
        // A round each second: its answer, or none.
        bool IsSteadyAfter(int seconds, Func<int, bool>? answers = null)
        {
            var isSteady = sight.Look();
            for (var i = 0; i < seconds; i++)
            {
                if (answers?.Invoke(i) != false)
                    sight.Answered();
                clock.Advance(TimeSpan.FromSeconds(1));
                isSteady = sight.Look();
            }
            return isSteady;
        }

        IsSteadyAfter(29).ShouldBeFalse("it has just begun");
        IsSteadyAfter(1).ShouldBeTrue();

        sight.Answered();
        IsSteadyAfter(16, _ => false).ShouldBeFalse("the store was away");
        IsSteadyAfter(29).ShouldBeFalse();
        IsSteadyAfter(1).ShouldBeTrue();

        sight.Answered();
        clock.Advance(TimeSpan.FromSeconds(15));
        sight.Look().ShouldBeTrue("so long no lease runs out that a worker extends");
        clock.Advance(TimeSpan.FromSeconds(1));
        IsSteadyAfter(29).ShouldBeFalse("the process stood still, or the clock was set");
        IsSteadyAfter(1).ShouldBeTrue();

        clock.ShiftWallClock(TimeSpan.FromHours(-1));
        IsSteadyAfter(29).ShouldBeFalse("the clock was set back");
        IsSteadyAfter(1).ShouldBeTrue("and nobody waits for the hour");
    }

    [Theory]
    [InlineData(6, 1)]
    [InlineData(20, 11)]
    public void A_store_that_fails_now_and_then_keeps_no_lease_from_being_taken_back(int every, int away)
    {
        var (clock, settings) = (new ManualClock(), new LeaseSettings());
        var sight = new SteadySight(settings, clock);
        var steady = 0;

        for (var second = 0; second < 600; second++)
        {
            steady += sight.Look() ? 1 : 0;
            if (second % every >= away)
                sight.Answered();
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        steady.ShouldBeGreaterThan(500);
    }

    [Fact]
    public async Task An_outage_of_the_store_that_is_longer_than_a_lease_costs_no_attempt()
    {
        var clock = new ManualClock();
        var settings = new LeaseSettings();
        await using var fixture = new LocalFixture();
        var backend = fixture.Open(clock);
        var (store, away) = StoreThatGoesAway.Before(backend.Jobs);
        using var stop = new CancellationTokenSource();
        var job = SampleJobs.New();
        await store.AddAsync([job], default);
        var lease = (await store.TakeAsync(new TakeRequest([job.Spec.Queue], [JobPriority.Normal], ["w"], settings.Duration), default)).Jobs.Single().Lease;
        var loop = new Maintenance(store, backend.Blobs, settings, clock).RunAsync(_ => { }, stop.Token);

        async Task PassAsync(TimeSpan time)
        {
            for (var passed = TimeSpan.Zero; passed < time; passed += settings.Sweep)
            {
                await clock.WaitForTimersAsync(count: 2).WaitAsync(Patience);
                clock.Advance(settings.Sweep);
            }
            await clock.WaitForTimersAsync(count: 2).WaitAsync(Patience);
        }

        for (var i = 0; i < 12; i++)
        {
            await PassAsync(settings.Sweep);
            (await store.ExtendAsync([lease], settings.Duration, settings.Enough, default)).ShouldBe([true]);
        }
        away.IsAway = true;
        await PassAsync(TimeSpan.FromSeconds(60));
        away.IsAway = false;
        // The worker is as good as before, and extends its lease when its next heartbeat is due.
        await PassAsync(settings.Heartbeat);
        (await store.ExtendAsync([lease], settings.Duration, settings.Enough, default)).ShouldBe([true]);
        (await store.FindAsync(job.Id, default))!.ShouldSatisfyAllConditions(row => row.State.ShouldBe(JobState.Running), row => row.Attempts.ShouldBe(1), row => row.History.ShouldBeEmpty());

        // From then on it says nothing, with the store there all the time.
        await PassAsync(settings.Duration + settings.Sweep + settings.Sweep);
        (await store.FindAsync(job.Id, default))!.State.ShouldBe(JobState.Queued);
        await stop.CancelAsync();
        await loop.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_blob_store_that_answers_nothing_keeps_no_lease_from_being_taken_back()
    {
        var clock = new ManualClock();
        var settings = new LeaseSettings();
        await using var fixture = new LocalFixture();
        var backend = fixture.Open(clock);
        var blobs = new SilentBlobStore();
        using var stop = new CancellationTokenSource();
        var job = SampleJobs.New();
        await backend.Jobs.AddAsync([job], default);
        (await backend.Jobs.TakeAsync(new TakeRequest([job.Spec.Queue], [JobPriority.Normal], ["w"], settings.Duration), default)).Jobs.ShouldHaveSingleItem();
        var loop = new Maintenance(backend.Jobs, blobs, settings, clock).RunAsync(_ => { }, stop.Token);
        await blobs.Asked.WaitAsync(Patience);

        using var safety = new CancellationTokenSource(Patience);
        while ((await backend.Jobs.FindAsync(job.Id, safety.Token))!.State != JobState.Queued)
        {
            clock.Advance(settings.Sweep);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, safety.Token);
        }
        await stop.CancelAsync();
        await loop.WaitAsync(Patience);
    }

    /// <summary>A store that can be reached or not.</summary>
    public class StoreThatGoesAway : DispatchProxy
    {
        private IJobStore store = null!;

        public bool IsAway { get; set; }

        public static (IJobStore Store, StoreThatGoesAway Way) Before(IJobStore store)
        {
            var made = Create<IJobStore, StoreThatGoesAway>();
            var way = (StoreThatGoesAway)(object)made;
            way.store = store;
            return (made, way);
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            IsAway ? throw new SpotterException(ErrorCodes.StoreUnavailable, "It is away.") : targetMethod!.Invoke(store, args);
    }

    /// <summary>Takes calls and never answers them.</summary>
    private sealed class SilentBlobStore : IBlobStore
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => asked.Task;

        public Task PutAsync(string key, Stream content, CancellationToken cancel) => NeverAsync(cancel);

        public async Task<Stream?> OpenAsync(string key, CancellationToken cancel)
        {
            await NeverAsync(cancel);
            return null;
        }

        public Task DeleteAsync(string key, CancellationToken cancel) => NeverAsync(cancel);

        public async IAsyncEnumerable<string> ListAsync(string prefix, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancel)
        {
            await NeverAsync(cancel);
            yield break;
        }

        public Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel) => NeverAsync(cancel);

        private Task NeverAsync(CancellationToken cancel)
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
        }
    }
}
