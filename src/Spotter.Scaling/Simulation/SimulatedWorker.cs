using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Scaling.Simulation;

/// <summary>A worker in a simulation. Times are seconds since the start.</summary>
internal sealed class SimulatedWorker(int number, double launched)
{
    public string Id { get; } = string.Create(CultureInfo.InvariantCulture, $"w{number}");

    public double Launched { get; } = launched;

    public bool Joined { get; private set; }

    public bool Draining { get; private set; }

    /// <summary>It has drained, takes no more jobs and waits to be removed.</summary>
    public bool Parked { get; set; }

    public bool Gone { get; set; }

    public List<SimulatedJob> Jobs { get; } = [];

    /// <summary>When it ran out of jobs, or joined.</summary>
    public double IdleSince { get; private set; }

    /// <summary>When it will look at the queue next, if it polls.</summary>
    public double NextLook { get; set; }

    private double busySince = double.NaN;
    private double drainingSince;

    public void Join(double now)
    {
        Joined = true;
        IdleSince = NextLook = now;
    }

    public void Take(SimulatedJob job, double now)
    {
        // A worker that goes from one job to the next has been busy all the time.
        if (Jobs.Count == 0 && (now > IdleSince || double.IsNaN(busySince)))
            busySince = now;
        Jobs.Add(job);
    }

    public void Drop(SimulatedJob job, double now)
    {
        Jobs.Remove(job);
        if (Jobs.Count == 0)
            IdleSince = now;
    }

    public void Drain(double now)
    {
        Draining = true;
        drainingSince = now;
    }

    public void Stay() => Draining = false;

    /// <summary>The worker as a policy sees it.</summary>
    public WorkerView View(double now)
    {
        var (state, since) = this switch
        {
            { Draining: true } => (WorkerState.Draining, drainingSince),
            { Joined: false } => (WorkerState.Booting, Launched),
            { Jobs.Count: > 0 } => (WorkerState.Busy, busySince),
            _ => (WorkerState.Idle, IdleSince),
        };
        return new WorkerView(Id, state, TimeSpan.FromSeconds(now - Launched), TimeSpan.FromSeconds(now - since));
    }
}
