using Spotter.Core;

namespace Spotter.Tests.Aws.Model;

/// <summary>
/// Runs everything on the thread that calls it, by one clock and one seed: what is ready runs in an order that the seed decides, and the
/// clock moves to the next timer only when nothing is ready. The same seed does the same again, and hours pass in seconds.
/// </summary>
internal sealed class OneThread(RandomSource random) : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Work, object? State)> ready = [];
    private readonly int thread = Environment.CurrentManagedThreadId;

    public ManualClock Clock { get; } = new();

    public override void Post(SendOrPostCallback d, object? state)
    {
        // What leaves the thread can't be repeated.
        if (Environment.CurrentManagedThreadId != thread)
            Environment.FailFast($"Something of the simulation went on on another thread: {Environment.StackTrace}");
        ready.Add((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing here may block.");

    /// <summary>Goes on beside its caller.</summary>
    public static async Task StartAsync(Func<Task> work)
    {
        await Task.Yield();
        await work();
    }

    /// <summary>Begins something that goes on on other threads, and of which nothing may depend.</summary>
    public static void Outside(Action begin)
    {
        var inner = Current;
        SetSynchronizationContext(null);
        try
        {
            begin();
        }
        finally
        {
            SetSynchronizationContext(inner);
        }
    }

    public void Run(Func<Task> main)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            var task = main();
            while (!task.IsCompleted)
            {
                if (ready.Count > 0)
                    RunOne();
                else
                    Clock.Advance(Clock.UntilNextTimer ?? throw new InvalidOperationException("Everything waits for something that will never come."));
            }
            task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    private void RunOne()
    {
        var at = (int)(random.NextDouble() * ready.Count);
        var (work, state) = ready[at];
        ready[at] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
        work(state);
    }
}
