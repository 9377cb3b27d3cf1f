using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Core;
using Spotter.Gateway.Deliveries;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Deliveries;

/// <summary>The sender on the real local backend, with channels of these tests.</summary>
public sealed class DeliverySenderTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LocalFixture fixture = new();
    private readonly RecordingMonitor monitor = new();
    private readonly Backends.Backend backend;

    public DeliverySenderTests() => backend = fixture.Open(TimeProvider.System, new RetrySchedule { MaxAttempts = 1 });

    public async ValueTask DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task A_new_channel_is_one_class_and_one_line()
    {
        var services = new ServiceCollection()
            .AddSingleton(backend.Jobs).AddSingleton(backend.Outbox).AddSingleton<IDeliveryMonitor>(monitor)
            .AddSingleton(TimeProvider.System).AddSingleton(RandomSource.System).AddSingleton<DeliveryChannels>();
        services.AddDeliveryChannel<ChatChannel>();
        services.AddDeliveryChannel<PigeonChannel>();
        await using var provider = services.BuildServiceProvider();
        var (channels, chat, pigeon) = (provider.GetRequiredService<DeliveryChannels>(), provider.GetRequiredService<ChatChannel>(), provider.GetRequiredService<PigeonChannel>());
        foreach (var service in provider.GetServices<IHostedService>())
            await service.StartAsync(default);

        var job = await EndedAsync(channels.Accept(new("chat", "42")), channels.Accept(new("pigeon", "roof")), channels.Accept(new("chat", "43")));

        await WaitAsync(async () => await backend.Outbox.PendingAsync(default) == 0);
        chat.Sent.ShouldBe([(job.Value, "42", JobState.Cancelled), ($"{job.Value}-3", "43", JobState.Cancelled)], ignoreOrder: true);
        pigeon.Sent.ShouldBe([($"{job.Value}-2", "roof", JobState.Cancelled)]);
        Should.Throw<SpotterException>(() => channels.Accept(new("chat", "nobody"))).Message.ShouldContain("no chat");
        var unknown = Should.Throw<SpotterException>(() => channels.Accept(new("smoke", "hill")));
        (unknown.Code, unknown.Message).ShouldBe((ErrorCodes.InvalidRequest, "There is no delivery channel 'smoke'; choose one of: chat, pigeon."));
        foreach (var service in provider.GetServices<IHostedService>())
            await service.StopAsync(default);
    }

    [Fact]
    public async Task A_thousand_changes_of_jobs_without_deliveries_wake_nobody()
    {
        var chat = new ChatChannel { Settings = new() { Poll = TimeSpan.FromHours(1) } };
        var outbox = new CountingOutbox(backend.Outbox);
        await using var running = Run(chat, outbox);
        await WaitAsync(() => outbox.Takes > 0);

        var jobs = await backend.Jobs.AddAsync([.. Enumerable.Range(0, 500).Select(_ => SampleJobs.New())], default);
        // One after the other, so that they can't be taken for one change.
        foreach (var added in jobs)
            await backend.Jobs.CancelAsync(added.Job.Id, by: null, default);
        outbox.Takes.ShouldBe(1);

        await EndedAsync(new JobNotification("chat", "42"));
        await WaitAsync(() => chat.Sent.Count == 1);
    }

    [Fact]
    public async Task A_channel_that_throws_is_reported_and_tried_again_under_the_same_id()
    {
        var chat = new ChatChannel { Answer = (number, _) => number == 1 ? throw new InvalidOperationException("a mistake") : Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered()) };
        await using var running = Run(chat, backend.Outbox);
        var job = await EndedAsync(new JobNotification("chat", "42"));

        await WaitAsync(async () => await backend.Outbox.PendingAsync(default) == 0);

        chat.Sent.Select(s => s.Id).ShouldBe([job.Value, job.Value]);
        monitor.Faults.ShouldHaveSingleItem().Message.ShouldBe("a mistake");
        monitor.Opened.ShouldBeEmpty();
        (await backend.Outbox.OfAsync(job, default)).ShouldHaveSingleItem().Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_channel_that_hangs_is_cut_off_and_its_endpoint_is_left_alone()
    {
        var chat = new ChatChannel { Answer = async (_, cancel) => { await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel); throw new InvalidOperationException(); } };
        await using var running = Run(chat, backend.Outbox);
        var job = await EndedAsync(new JobNotification("chat", "42"));

        await WaitAsync(() => !monitor.Opened.IsEmpty);

        monitor.Opened.ShouldHaveSingleItem().ShouldBe("42");
        var delivery = (await backend.Outbox.OfAsync(job, default)).ShouldHaveSingleItem();
        (delivery.State, delivery.Status, delivery.Detail).ShouldBe((DeliveryState.Pending, null, "The endpoint did not answer within 0.2 s."));
        monitor.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_mistake_that_is_nobody_elses_ends_the_sender_with_it()
    {
        using var sender = new DeliverySender(
            new ChatChannel(), backend.Outbox, backend.Jobs, new BrokenMonitor(), TimeProvider.System, RandomSource.Seeded(1));
        var running = sender.RunAsync(default);
        await EndedAsync(new JobNotification("chat", "42"));

        (await Should.ThrowAsync<InvalidOperationException>(() => running.WaitAsync(Patience))).Message.ShouldBe("the monitor is broken");
    }

    private async Task<JobId> EndedAsync(params JobNotification[] notify)
    {
        var job = (await backend.Jobs.AddAsync([SampleJobs.New() with { Notify = notify }], default))[0].Job.Id;
        await backend.Jobs.CancelAsync(job, by: null, default);
        return job;
    }

    private Running Run(IDeliveryChannel channel, IOutbox outbox) =>
        new(new DeliverySender(channel, outbox, backend.Jobs, monitor, TimeProvider.System, RandomSource.Seeded(1)));

    private static Task WaitAsync(Func<bool> right) => WaitAsync(() => Task.FromResult(right()));

    private static async Task WaitAsync(Func<Task<bool>> right)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await right())
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Patience);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>The toy: everything that there is to a channel.</summary>
    private sealed class ChatChannel : IDeliveryChannel
    {
        public ConcurrentQueue<(string Id, string Chat, JobState State)> Sent { get; } = new();

        public Func<int, CancellationToken, Task<DeliveryOutcome>> Answer { get; init; } = (_, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered());

        public string Name => "chat";

        public DeliverySettings Settings { get; init; } = new()
        {
            Poll = TimeSpan.FromSeconds(0.1), Timeout = TimeSpan.FromSeconds(0.2), Delays = [TimeSpan.FromSeconds(0.1)], FailuresBeforeOpen = 1,
        };

        public JobNotification Accept(JobNotification asked) =>
            asked.Target != "nobody" ? asked : throw new SpotterException(ErrorCodes.InvalidRequest, "There is no chat of that name; name another.");

        public Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
        {
            Sent.Enqueue((entry.Id, entry.Target, job.State));
            return Answer(Sent.Count, cancel);
        }
    }

    /// <summary>Another one beside it.</summary>
    private sealed class PigeonChannel : IDeliveryChannel
    {
        public ConcurrentQueue<(string Id, string Roof, JobState State)> Sent { get; } = new();

        public string Name => "pigeon";

        public DeliverySettings Settings { get; } = new();

        public JobNotification Accept(JobNotification asked) => asked;

        public Task<DeliveryOutcome> SendAsync(OutboxEntry entry, Job job, CancellationToken cancel)
        {
            Sent.Enqueue((entry.Id, entry.Target, job.State));
            return Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered());
        }
    }

    /// <summary>Counts how often the outbox is asked for entries.</summary>
    private sealed class CountingOutbox(IOutbox inner) : IOutbox
    {
        private int takes;

        public int Takes => Volatile.Read(ref takes);

        public Task<IReadOnlyList<OutboxEntry>> TakeAsync(
            string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel)
        {
            Interlocked.Increment(ref takes);
            return inner.TakeAsync(channel, limit, lease, exceptEndpoints, cancel);
        }

        public Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel) => inner.RecordAsync(entry, outcome, cancel);

        public Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel) => inner.OfAsync(job, cancel);

        public Task<long> PendingAsync(CancellationToken cancel) => inner.PendingAsync(cancel);

        public IDisposable WhenFilled(Action wake) => inner.WhenFilled(wake);
    }

    private sealed class BrokenMonitor : IDeliveryMonitor
    {
        public void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time) => throw new InvalidOperationException("the monitor is broken");

        public void CircuitOpened(string channel, string endpoint, TimeSpan time) => throw new NotSupportedException();

        public void Faulted(string channel, OutboxEntry entry, Exception fault) => throw new NotSupportedException();

        public void OutboxUnavailable(string channel, SpotterException error) => throw new NotSupportedException();
    }

    private sealed class RecordingMonitor : IDeliveryMonitor
    {
        public ConcurrentQueue<Exception> Faults { get; } = new();

        public ConcurrentQueue<string> Opened { get; } = new();

        public void Ended(string channel, OutboxEntry entry, DeliveryOutcome outcome, TimeSpan time)
        {
            // The outbox shows it.
        }

        public void CircuitOpened(string channel, string endpoint, TimeSpan time) => Opened.Enqueue(endpoint);

        public void Faulted(string channel, OutboxEntry entry, Exception fault) => Faults.Enqueue(fault);

        public void OutboxUnavailable(string channel, SpotterException error) => Faults.Enqueue(error);
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly DeliverySender sender;
        private readonly Task running;

        public Running(DeliverySender sender)
        {
            this.sender = sender;
            running = sender.RunAsync(stop.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running.WaitAsync(Patience);
            sender.Dispose();
            stop.Dispose();
        }
    }
}
