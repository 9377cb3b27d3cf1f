using Spotter.Jobs;

namespace Spotter.Scaling.Simulation;

/// <summary>The jobs of a simulation: waiting, in hand, done.</summary>
internal sealed class SimulatedQueue
{
    private readonly SimulatedJob[] jobs;
    private readonly Queue<SimulatedJob> waiting = new();
    private readonly Agenda agenda;
    private readonly MachineKind machine;
    private ServedJobs served; // since they were last asked for
    private int deadLettered;

    public SimulatedQueue(ArrivalTrace trace, MachineKind machine, Draws faults, Agenda agenda)
    {
        this.agenda = agenda;
        this.machine = machine;
        jobs = new SimulatedJob[trace.Arrivals.Count];
        for (var i = 0; i < jobs.Length; i++)
            jobs[i] = new(trace.Arrivals[i], trace.Services[i], machine.Poison > 0 && faults.Share() < machine.Poison);
        Left = jobs.Length;
        ScheduleNext();
    }

    public int Waiting => waiting.Count;

    public int InHand { get; private set; }

    /// <summary>Jobs that have come so far, each counted once.</summary>
    public int Arrived { get; private set; }

    /// <summary>Jobs that have no answer yet.</summary>
    public int Left { get; private set; }

    public void Enqueue(SimulatedJob job)
    {
        waiting.Enqueue(job);
        // Arrivals enter the agenda one by one, so that it stays short.
        if (job.Receives == 0)
        {
            Arrived++;
            ScheduleNext();
        }
    }

    public SimulatedJob Take(double start)
    {
        var job = waiting.Dequeue();
        job.Start = start;
        job.Receives++;
        InHand++;
        return job;
    }

    public void Complete(SimulatedJob job)
    {
        job.Done = agenda.Now;
        InHand--;
        Left--;
        served += ServedJobs.One(agenda.Now - job.Start);
    }

    /// <summary>A job lost its worker: it is delivered again once its visibility timeout is over, or given up.</summary>
    public void GiveBack(SimulatedJob job)
    {
        InHand--;
        if (job.Poison && job.Receives >= machine.MaxReceives)
        {
            deadLettered++;
            Left--;
        }
        else
        {
            agenda.At(Math.Max(agenda.Now, job.Start + machine.VisibilitySeconds), new(HappeningKind.Enqueued, Job: job));
        }
    }

    /// <summary>Jobs that were done since this was last asked for.</summary>
    public ServedJobs TakeServed()
    {
        var taken = served;
        served = default;
        return taken;
    }

    /// <summary>What became of the jobs.</summary>
    public RunFigures Figures(double sloSeconds)
    {
        var done = jobs.Where(j => j.Done is not null).ToList();
        var answers = done.Select(j => j.Done!.Value - j.Arrival).ToArray();
        var waits = done.Select(j => Math.Max(0, j.Done!.Value - j.Service - j.Arrival)).ToArray();
        var open = jobs.Length - done.Count - deadLettered;
        var totalWait = waits.Sum();
        // What did not keep up has waited until now.
        if (open > 0)
            totalWait += jobs.Where(j => j.Done is null).Sum(j => Math.Max(0, agenda.Now - j.Arrival));
        return new()
        {
            Jobs = jobs.Length,
            Makespan = done.Count == 0 ? 0 : done.Max(j => j.Done!.Value),
            Answer = Quantiles.Of(answers),
            Wait = Quantiles.Of(waits),
            TotalWait = totalWait,
            SloMisses = answers.Count(a => a > sloSeconds) + open,
            DeadLettered = deadLettered,
            Unfinished = open,
        };
    }

    private void ScheduleNext()
    {
        if (Arrived < jobs.Length)
            agenda.At(jobs[Arrived].Arrival, new(HappeningKind.Enqueued, Job: jobs[Arrived]));
    }
}
