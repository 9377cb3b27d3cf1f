using Spotter.Jobs;

namespace Spotter.Scaling.Hindsight;

/// <summary>The fleet, sorted by what can be done with each worker.</summary>
internal sealed class FleetView
{
    /// <summary>Sorts the workers.</summary>
    /// <param name="workers">All of them.</param>
    /// <param name="overdue">A worker that has been booting for so many seconds is not counted on.</param>
    /// <param name="givenUp">One that has been booting for so many seconds is given up.</param>
    public FleetView(IReadOnlyList<WorkerView> workers, double overdue, double givenUp)
    {
        List<WorkerView> booting = [], idle = [], draining = [];
        List<string> lost = [];
        foreach (var worker in workers)
        {
            switch (worker.State)
            {
                case WorkerState.Booting when worker.StateAge.TotalSeconds > givenUp:
                    lost.Add(worker.Id);
                    break;
                case WorkerState.Booting when worker.StateAge.TotalSeconds >= overdue:
                    break;
                case WorkerState.Booting:
                case WorkerState.Loading: // says so itself, so it is not lost
                    booting.Add(worker);
                    break;
                case WorkerState.Idle:
                    idle.Add(worker);
                    Ready++;
                    break;
                case WorkerState.Busy:
                    Ready++;
                    break;
                default:
                    draining.Add(worker);
                    break;
            }
        }
        Booting = [.. booting.Select(w => w.Age.TotalSeconds)];
        Dispensable = [.. booting.OrderBy(w => w.Age), .. idle.OrderByDescending(w => w.StateAge)];
        Draining = [.. draining.OrderBy(w => w.StateAge).Select(w => w.Id)];
        GivenUp = lost;
        Total = workers.Count - draining.Count - lost.Count;
    }

    /// <summary>Workers that have joined and are not draining.</summary>
    public int Ready { get; }

    /// <summary>The ages of those still expected to join, in seconds.</summary>
    public IReadOnlyList<double> Booting { get; }

    /// <summary>Workers that are there or expected to be.</summary>
    public int Count => Ready + Booting.Count;

    /// <summary>All that are there and neither drain nor are given up: those that are not counted on, too.</summary>
    public int Total { get; }

    /// <summary>Those without a job, the first to go first: the youngest that boots, then the longest idle.</summary>
    public IReadOnlyList<WorkerView> Dispensable { get; }

    /// <summary>Those that drain, the one that began last first: it is the likeliest to be still there.</summary>
    public IReadOnlyList<string> Draining { get; }

    /// <summary>Those that will never join.</summary>
    public IReadOnlyList<string> GivenUp { get; }
}
