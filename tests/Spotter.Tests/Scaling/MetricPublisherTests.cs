using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling.Publishing;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Scaling;

public sealed class MetricPublisherTests
{
    [Theory]
    [InlineData(100, 0, 99)]
    [InlineData(0, 0, 0)]
    [InlineData(100, 2, 50)]
    [InlineData(50, 2, 25)]
    public void With_the_constant_of_the_earlier_service_it_is_what_that_sent(long queued, int instances, double expected) =>
        BacklogMetrics.BacklogPerInstance(queued, instances, whenEmpty: 99).ShouldBe(expected);

    [Theory]
    [InlineData(100, 0, 100)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(0, 3, 0)]
    [InlineData(100, 5, 20)]
    [InlineData(1500, 10, 150)]
    public void Without_an_instance_it_is_the_backlog_itself(long queued, int instances, double expected) =>
        BacklogMetrics.BacklogPerInstance(queued, instances, whenEmpty: null).ShouldBe(expected);

    [Fact]
    public void Jobs_for_a_later_moment_do_not_count_and_running_ones_are_apart()
    {
        var now = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        var counts = new StoreCounts(new JobCounts(12, 3, 0, 0, 0, 0),
        [
            new Backlog("a", JobPriority.Normal, 10, 1) { Delayed = 5, Running = 2, Oldest = now - TimeSpan.FromSeconds(40) },
            new Backlog("b", JobPriority.Normal, 2, 0) { Running = 1, Oldest = now - TimeSpan.FromSeconds(7) },
        ]);

        BacklogMetrics.Of(counts, desired: 4, whenEmpty: null, now).ShouldBe(new BacklogMetrics(8, 3, TimeSpan.FromSeconds(40), 4, 2));
    }

    [Fact]
    public async Task An_outage_is_told_once_and_its_end_too()
    {
        var (clock, sink, log) = (new ManualClock(), new Sink(), new LogLines());
        await using var fixture = new LocalFixture();
        var publisher = new MetricPublisher(fixture.Open(clock).Jobs, () => 3, sink, TimeSpan.FromSeconds(60), null, clock, log);

        (await publisher.TryAsync(default)).ShouldBeTrue();
        sink.Fault = new SpotterException(ErrorCodes.StoreUnavailable, "CloudWatch can't be reached.");
        (await publisher.TryAsync(default)).ShouldBeFalse();
        (await publisher.TryAsync(default)).ShouldBeFalse();
        sink.Fault = null;
        (await publisher.TryAsync(default)).ShouldBeTrue();

        log.Lines.ShouldBe(["The metrics can't be published; it is tried again: CloudWatch can't be reached.", "The metrics are published again"]);
        sink.Sent.Select(s => s.Desired).ShouldBe([3, 3]);
    }

    [Fact]
    public async Task Nothing_is_sent_where_the_backlog_is_unknown()
    {
        var (clock, sink) = (new ManualClock(), new Sink());
        await using var fixture = new LocalFixture();
        var publisher = new MetricPublisher(new FailingCounts(fixture.Open(clock).Jobs), () => 3, sink, TimeSpan.FromSeconds(60), null, clock, new LogLines());

        (await publisher.TryAsync(default)).ShouldBeFalse();

        sink.Sent.ShouldBeEmpty();
    }

    private sealed class LogLines : ILogger<MetricPublisher>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }

    private sealed class Sink : IMetricSink
    {
        public Exception? Fault { get; set; }

        public List<BacklogMetrics> Sent { get; } = [];

        public Task<int?> DesiredAsync(CancellationToken cancel) => Task.FromResult<int?>(null);

        public Task PublishAsync(BacklogMetrics metrics, CancellationToken cancel)
        {
            if (Fault is not null)
                throw Fault;
            Sent.Add(metrics);
            return Task.CompletedTask;
        }
    }
}
