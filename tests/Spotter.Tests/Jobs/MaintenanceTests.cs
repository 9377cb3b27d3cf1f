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

        // Four steps of a round need the store; the search for orphans finds no blob to ask it about.
        for (var round = 0; round < 3; round++)
        {
            for (var step = 0; step < 4; step++)
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
