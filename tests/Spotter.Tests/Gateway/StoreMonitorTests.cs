using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Gateway;

namespace Spotter.Tests.Gateway;

public sealed class StoreMonitorTests : ILogger<StoreMonitor>
{
    private static readonly SpotterException Away = new(ErrorCodes.StoreUnavailable, "It is away.");

    private readonly ManualClock clock = new();
    private readonly List<string> lines = [];
    private readonly StoreMonitor monitor;

    public StoreMonitorTests() => monitor = new StoreMonitor(clock, this);

    [Fact]
    public void An_outage_is_said_once_and_so_is_its_end()
    {
        monitor.Answered();
        for (var i = 0; i < 50; i++)
        {
            monitor.Note(Away).ShouldBeTrue();
            clock.Advance(TimeSpan.FromSeconds(0.1));
        }
        monitor.Answered();
        lines.Count.ShouldBe(1, "a call that failed just now says more than one that did not");
        clock.Advance(TimeSpan.FromSeconds(15));
        monitor.Answered();
        monitor.Answered();

        lines.ShouldBe([
            "A store can't be used. What was accepted is kept, and everything is tried again; it is said here when that works",
            "The stores can be used again; calls failed for 4.9 s",
        ]);
        monitor.Note(Away);
        lines.Count.ShouldBe(3);
    }

    [Fact]
    public void Another_reason_is_said_once_as_well_unless_each_is_another()
    {
        monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, "It took too long."));
        for (var i = 0; i < 20; i++)
        {
            monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, "Its certificate is not trusted."));
            monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, "It took too long."));
        }
        lines.Count.ShouldBe(2);
        lines[1].ShouldBe("A store still can't be used, for another reason now");

        for (var i = 0; i < 20; i++)
            monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, $"It took {i} s."));
        lines.Count.ShouldBe(5);

        clock.Advance(TimeSpan.FromSeconds(20));
        monitor.Answered();
        lines.Clear();
        monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, "Its certificate is not trusted."));
        monitor.Note(new SpotterException(ErrorCodes.StoreUnavailable, "It took too long."));
        lines.Count.ShouldBe(2, "another outage");
    }

    [Fact]
    public void What_is_not_the_doing_of_a_store_is_left_to_others()
    {
        monitor.Note(new InvalidOperationException("a mistake")).ShouldBeFalse();
        monitor.Note(new SpotterException(ErrorCodes.Busy, "Too much at once.")).ShouldBeFalse();
        monitor.Note(new SpotterException(ErrorCodes.NotFound, "There is none.")).ShouldBeFalse();
        lines.ShouldBeEmpty();

        monitor.Note(new SpotterException(ErrorCodes.Busy, "A table is locked.", new TimeoutException())).ShouldBeTrue();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information)
            lines.Add(formatter(state, exception));
    }
}
