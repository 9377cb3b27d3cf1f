using System.Threading.Channels;
using Spotter.Core;
using Spotter.Core.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The sweeper's loop; what one round does is in <see cref="DispatcherConformance"/>.</summary>
public sealed class SweeperTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_loop_outlives_a_store_that_fails_and_ends_when_told()
    {
        var clock = new ManualClock();
        var settings = new LeaseSettings();
        await using var fixture = new LocalFixture();
        var backend = fixture.Open(clock);
        var sweeper = new Sweeper(
            new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, settings.Hold), backend.Jobs, backend.Blobs, settings, clock);
        await fixture.CloseAsync();
        var errors = Channel.CreateUnbounded<Exception>();
        using var stop = new CancellationTokenSource();

        var loop = sweeper.RunAsync(e => errors.Writer.TryWrite(e), stop.Token);

        // Four steps of a round need the store; the search for orphans finds no blob to ask it about.
        for (var round = 0; round < 3; round++)
        {
            for (var step = 0; step < 4; step++)
            {
                var error = await errors.Reader.ReadAsync().AsTask().WaitAsync(Patience);
                error.ShouldBeOfType<SpotterException>().Code.ShouldBe(ErrorCodes.StoreUnavailable);
            }
            await clock.WaitForTimersAsync().WaitAsync(Patience);
            clock.Advance(settings.Sweep);
        }
        await stop.CancelAsync();
        await loop.WaitAsync(Patience);
    }
}
