using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Conformance;
using Spotter.Core;
using Spotter.Examples.Stores;
using Spotter.Gateway.Deliveries;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Examples.Channels;

/// <summary>The channel from the end of a job, through the outbox and the sender, to whoever is told.</summary>
public sealed class BoardChannelTests : IAsyncLifetime
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly InMemoryOutbox outbox = new(TimeProvider.System);
    private readonly Attempts attempts = new();
    private readonly InMemoryJobStore store;
    private readonly ServiceProvider services;

    public BoardChannelTests()
    {
        store = new InMemoryJobStore(new RetrySchedule { MaxAttempts = 1 }, RandomSource.Seeded(1), TimeProvider.System, outbox);
        services = new ServiceCollection()
            .AddSingleton<IJobStore>(store).AddSingleton<IOutbox>(outbox).AddSingleton<IDeliveryMonitor>(attempts)
            .AddSingleton(TimeProvider.System).AddSingleton(RandomSource.Seeded(1)).AddSingleton<DeliveryChannels>()
            // The one line.
            .AddDeliveryChannel<BoardChannel>()
            .BuildServiceProvider();
    }

    private BoardChannel Board => services.GetRequiredService<BoardChannel>();

    public async Task InitializeAsync()
    {
        foreach (var service in services.GetServices<IHostedService>())
            await service.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        foreach (var service in services.GetServices<IHostedService>())
            await service.StopAsync(default);
        await services.DisposeAsync();
    }

    [Fact]
    public async Task Whoever_asked_is_told_once_the_job_has_ended_and_not_before()
    {
        var job = await AddAsync("hall");
        (await outbox.PendingAsync(default)).ShouldBe(0);

        await store.CancelAsync(job, by: null, default);

        (await attempts.NextAsync()).ShouldBe(job.Value);
        Board.Notes[job.Value].ShouldBe(("hall", "barn.jpg: Cancelled"));
        (await outbox.OfAsync(job, default)).ShouldHaveSingleItem().State.ShouldBe(DeliveryState.Delivered);
    }

    [Fact]
    public async Task What_is_sent_twice_is_there_once()
    {
        var job = await AddAsync("hall");
        await store.CancelAsync(job, by: null, default);
        await attempts.NextAsync();

        // As after a crash between sending and recording.
        var entry = new OutboxEntry(job.Value, job, "hall", null, "hall", Attempt: 2, Receipt: "another");
        await Board.SendAsync(entry, (await store.FindAsync(job, default))!, default);

        Board.Notes.ShouldHaveSingleItem().Key.ShouldBe(job.Value);
    }

    [Fact]
    public void What_could_not_be_delivered_is_refused_with_its_request()
    {
        var channels = services.GetRequiredService<DeliveryChannels>();

        channels.Accept(new JobNotification("board", "hall")).Endpoint.ShouldBe("hall");
        Should.Throw<SpotterException>(() => channels.Accept(new JobNotification("board", "The Hall!"))).Code.ShouldBe(ErrorCodes.InvalidRequest);
    }

    private async Task<JobId> AddAsync(string board)
    {
        var asked = services.GetRequiredService<DeliveryChannels>().Accept(new JobNotification("board", board));
        var job = SampleJobs.New().Having(spec => spec with { Name = "barn.jpg" }) with { Notify = [asked] };
        return (await store.AddAsync([job], default))[0].Job.Id;
    }

    /// <summary>Hears of attempts once they are recorded.</summary>
    private sealed class Attempts : IDeliveryMonitor
    {
        private readonly Channel<string> ended = Channel.CreateUnbounded<string>();

        public async Task<string> NextAsync()
        {
            using var safety = new CancellationTokenSource(Safety);
            return await ended.Reader.ReadAsync(safety.Token);
        }

        public void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time) => ended.Writer.TryWrite(entry.Id);

        public void CircuitOpened(string channel, string endpoint, TimeSpan time)
        {
        }

        public void Faulted(string channel, OutboxEntry entry, Exception fault) => ended.Writer.TryComplete(fault);

        public void OutboxUnavailable(string channel, SpotterException error) => ended.Writer.TryComplete(error);
    }
}
