using Spotter.Jobs;

namespace Spotter.Scaling.Reactive;

/// <summary>How many workers there are.</summary>
/// <param name="Active">Those that are not draining.</param>
/// <param name="Booting">Of these, those that have not joined.</param>
/// <param name="Draining">The others.</param>
internal readonly record struct FleetCount(int Active, int Booting, int Draining)
{
    /// <summary>Of these, those that have joined.</summary>
    public int Ready => Active - Booting;

    /// <summary>Counts.</summary>
    public static FleetCount Of(IReadOnlyList<WorkerView> workers)
    {
        int booting = 0, draining = 0;
        foreach (var worker in workers)
        {
            if (worker.IsBooting)
                booting++;
            else if (worker.State == WorkerState.Draining)
                draining++;
        }
        return new(workers.Count - draining, booting, draining);
    }
}
