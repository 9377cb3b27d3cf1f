using Spotter.Jobs;

namespace Spotter.Scaling.Reactive;

/// <summary>Which workers go, and which drains are taken back.</summary>
internal static class Choice
{
    /// <summary>Those that do nothing, the longest idle first; then those that will be done; then those that would only begin.</summary>
    public static List<string> IdleFirst(IReadOnlyList<WorkerView> workers, int count) =>
        count <= 0 ? [] : [.. workers
            .Where(w => w.State != WorkerState.Draining)
            .OrderBy(w => w.State switch { WorkerState.Idle => 0, WorkerState.Busy => 1, _ => 2 })
            .ThenByDescending(w => w.StateAge)
            .Take(count)
            .Select(w => w.Id)];

    /// <summary>Any, as somebody chooses who does not see what a worker does.</summary>
    /// <param name="workers">The fleet.</param>
    /// <param name="count">How many.</param>
    /// <param name="now">Makes the choice another one at another time, yet the same in a repetition.</param>
    /// <param name="bootingFirst">True if those go first that have not joined.</param>
    public static List<string> Blindly(IReadOnlyList<WorkerView> workers, int count, TimeSpan now, bool bootingFirst) =>
        count <= 0 ? [] : [.. workers
            .Where(w => w.State != WorkerState.Draining)
            .OrderBy(w => bootingFirst && !w.IsBooting)
            .ThenBy(w => Scatter(w.Id, now.Ticks))
            .Take(count)
            .Select(w => w.Id)];

    /// <summary>Draining workers to keep, the one that began last first: it is the likeliest to be still there.</summary>
    public static List<string> Keep(IReadOnlyList<WorkerView> workers, int count) =>
        count <= 0 ? [] : [.. workers
            .Where(w => w.State == WorkerState.Draining)
            .OrderBy(w => w.StateAge)
            .Take(count)
            .Select(w => w.Id)];

    // FNV-1a and a last mix, so that neighbouring names part.
    private static uint Scatter(string id, long time)
    {
        var hash = 2166136261u;
        foreach (var c in id)
            hash = (hash ^ c) * 16777619u;
        hash = (hash ^ (uint)time ^ (uint)(time >> 32)) * 16777619u;
        hash = (hash ^ (hash >> 15)) * 2246822519u;
        return hash ^ (hash >> 13);
    }
}
