using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Scaling.Reactive;

/// <summary>Observations, put together from what matters to a test.</summary>
internal static class Seen
{
    /// <summary>What is seen at a moment.</summary>
    public static ScaleObservation At(double seconds, int? queued, int? running, params IEnumerable<WorkerView>[] workers) => new()
    {
        Time = TimeSpan.FromSeconds(seconds),
        Queued = queued,
        Running = running,
        Workers = [.. workers.SelectMany(w => w)],
    };

    /// <summary>Some workers in one state, the first of them in it the longest.</summary>
    public static IEnumerable<WorkerView> Workers(int count, WorkerState state, string? name = null) => Enumerable.Range(1, count).Select(i =>
        new WorkerView($"{name ?? state.ToString()}{i}", state, TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(100 - i)));
}
