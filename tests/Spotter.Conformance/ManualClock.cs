namespace Spotter.Conformance;

/// <summary>
/// A clock that stands still until it is moved. Timers fire inside <see cref="Advance"/>, in order of their due
/// times, on the caller's thread; each sees the clock at its own due time.
/// </summary>
public sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> watchers = [];
    private TimeSpan elapsed;
    private TimeSpan shift;

    /// <summary>Stands at noon of the first of January 2026.</summary>
    public ManualClock()
        : this(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero))
    {
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
            return elapsed.Ticks;
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return start + elapsed + shift;
    }

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        TimeSpan target;
        lock (gate)
            target = elapsed + by;
        while (true)
        {
            ManualTimer? next;
            lock (gate)
            {
                next = timers.Where(t => t.Due <= target).MinBy(t => t.Due);
                if (next is null)
                {
                    elapsed = target;
                    return;
                }
                if (next.Due > elapsed)
                    elapsed = next.Due;
                next.Rearm();
            }
            next.Fire();
        }
    }

    /// <summary>How long it is until the next timer fires; null when none waits.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (gate)
                return timers.Count == 0 ? null : timers.Min(t => t.Due) - elapsed;
        }
    }

    /// <summary>Sets the wall clock forward or back, as a correction of the machine's time does; timers don't notice.</summary>
    public void ShiftWallClock(TimeSpan by)
    {
        lock (gate)
            shift += by;
    }

    /// <summary>Completes once at least <paramref name="count"/> timers wait: the moment from which advancing has an effect.</summary>
    public Task WaitForTimersAsync(int count = 1)
    {
        lock (gate)
        {
            if (timers.Count >= count)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            watchers.Add((count, reached));
            return reached.Task;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Schedule(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (gate)
        {
            timers.Remove(timer);
            if (dueTime == Timeout.InfiniteTimeSpan)
                return;
            timer.Due = elapsed + dueTime;
            timer.Period = period;
            timers.Add(timer);
            foreach (var watcher in watchers.Where(w => w.Count <= timers.Count))
                watcher.Reached.TrySetResult();
            watchers.RemoveAll(w => w.Count <= timers.Count);
        }
    }

    private void Remove(ManualTimer timer)
    {
        lock (gate)
            timers.Remove(timer);
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Schedule(this, dueTime, period);
            return true;
        }

        public void Rearm()
        {
            if (Period > TimeSpan.Zero)
                Due += Period;
            else
                clock.timers.Remove(this);
        }

        public void Fire() => callback(state);

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
