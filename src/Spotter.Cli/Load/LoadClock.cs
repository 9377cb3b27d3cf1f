namespace Spotter.Cli.Load;

/// <summary>Time since the start of a run.</summary>
internal sealed class LoadClock(TimeProvider time)
{
    private readonly long start = time.GetTimestamp();

    public TimeProvider Time => time;

    public TimeSpan Now => time.GetElapsedTime(start);

    public Task DelayAsync(TimeSpan delay, CancellationToken cancel) => Task.Delay(delay, time, cancel);
}
