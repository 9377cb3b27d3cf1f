using Spotter.Backends;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Gateway;
using Spotter.Gateway.Intake;
using Spotter.Tests.Jobs;
using Spotter.Tests.Scaling;

namespace Spotter.Tests.Gateway;

public sealed class AdmissionTests : IAsyncLifetime
{
    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private Backend backend = null!;

    public Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        clock.Advance(TimeSpan.FromSeconds(1));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task A_place_that_is_left_is_free_for_the_next_and_only_once()
    {
        using var admission = Admission(uploads: 1);
        var first = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default);
        second.IsCompleted.ShouldBeFalse();

        first.Dispose();
        first.Dispose();

        using (await second.WaitAsync(GatewayBench.Safety))
            await ShouldBeBusyAfterTheTurnAsync(admission);
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_place()
    {
        using var admission = Admission(uploads: 1);
        using (await admission.EnterAsync(default))
        {
            using var leaves = new CancellationTokenSource();
            var waiting = admission.EnterAsync(leaves.Token);
            await leaves.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(waiting);
        }
        using var next = await admission.EnterAsync(default).WaitAsync(GatewayBench.Safety);
    }

    [Fact]
    public async Task Nobody_enters_once_it_is_closed_not_even_who_waited()
    {
        using var admission = Admission(uploads: 1);
        var first = await admission.EnterAsync(default);
        var waiting = admission.EnterAsync(default);
        admission.Close();
        first.Dispose();

        (await Should.ThrowAsync<SpotterException>(waiting)).Code.ShouldBe(ErrorCodes.Busy);
        (await Should.ThrowAsync<SpotterException>(admission.EnterAsync(default))).Code.ShouldBe(ErrorCodes.Busy);
    }

    [Fact]
    public async Task Too_long_a_queue_turns_everybody_away_until_it_is_shorter()
    {
        var dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, TimeSpan.FromSeconds(30));
        var added = await dispatcher.AcceptAsync([SampleJobs.New(), SampleJobs.New()], default);
        using var admission = Admission(queued: 2);
        (await Should.ThrowAsync<SpotterException>(admission.EnterAsync(default))).Code.ShouldBe(ErrorCodes.Busy);

        await backend.Jobs.CancelAsync(added[0].Job.Id, null, default);
        clock.Advance(TimeSpan.FromSeconds(2));
        using var place = await admission.EnterAsync(default);
    }

    [Fact]
    public async Task The_queue_is_counted_once_a_second_however_many_come()
    {
        var store = new FailingCounts(backend.Jobs) { Fails = false };
        using var admission = new Admission(store, Settings(64, 10), clock);
        for (var i = 0; i < 20; i++)
            (await admission.EnterAsync(default)).Dispose();
        store.Asked.ShouldBe(1);

        clock.Advance(TimeSpan.FromSeconds(1));
        (await admission.EnterAsync(default)).Dispose();
        store.Asked.ShouldBe(2);
    }

    private async Task ShouldBeBusyAfterTheTurnAsync(Admission admission)
    {
        var waiting = admission.EnterAsync(default);
        while (!waiting.IsCompleted)
        {
            await Task.WhenAny(clock.WaitForTimersAsync(), waiting);
            clock.Advance(TimeSpan.FromSeconds(11));
            await Task.Yield();
        }
        (await Should.ThrowAsync<SpotterException>(waiting)).Code.ShouldBe(ErrorCodes.Busy);
    }

    private Admission Admission(int uploads = 64, int queued = 100) => new(backend.Jobs, Settings(uploads, queued), clock);

    private static GatewaySettings Settings(int uploads, int queued) =>
        new() { WorkerToken = GatewayBench.Token, MaxUploads = uploads, MaxQueued = queued };
}
