using Spotter.Jobs;

namespace Spotter.Scaling.Simulation;

/// <summary>The workers of a simulation, and what they cost.</summary>
internal sealed class SimulatedFleet(MachineKind machine, RunRules rules, SimulatedQueue queue, Agenda agenda, Draws draws)
{
    private readonly List<SimulatedWorker> workers = [];
    private readonly List<SimulatedWorker> leaving = [];
    private List<double> booted = [];
    private int next = 1;
    private double meteredTo, busyLaneSeconds, joinedSeconds, presentSeconds;
    private double busyLaneSecondsSeen, joinedSecondsSeen;
    private int joined;

    public int Count => workers.Count;

    /// <summary>Workers that are not to go.</summary>
    public int Active { get; private set; }

    public int Launches { get; private set; }

    public int Interrupted { get; private set; }

    public int Crashed { get; private set; }

    public int Most { get; private set; }

    public double WorkerSeconds { get; private set; }

    public double PresentSeconds => presentSeconds;

    /// <summary>Launches as many as can be had.</summary>
    public void Launch(int count)
    {
        for (var i = 0; i < count && workers.Count < machine.MaxWorkers; i++)
        {
            Meter();
            var worker = new SimulatedWorker(next++, agenda.Now);
            workers.Add(worker);
            Active++;
            Launches++;
            if (machine.BootFailure == 0 || draws.Share() >= machine.BootFailure)
            {
                var boot = machine.BootSeconds * (1 + (machine.BootSpread > 0 ? machine.BootSpread * draws.Share() : 0));
                agenda.At(agenda.Now + boot, new(HappeningKind.Joined, worker));
            }
        }
        Most = Math.Max(Most, workers.Count);
    }

    public void Join(SimulatedWorker worker)
    {
        if (worker.Gone)
            return;
        Meter();
        joined++;
        booted.Add(agenda.Now - worker.Launched);
        worker.Join(agenda.Now);
        if (worker.Draining)
            Park(worker);
        else
            HandOut();
    }

    /// <summary>Gives waiting jobs to workers that have a lane free.</summary>
    public void HandOut()
    {
        while (queue.Waiting > 0 && FindFree() is { } worker)
        {
            Meter();
            var start = agenda.Now;
            if (rules.LookSeconds > 0)
                start = worker.NextLook + (rules.LookSeconds * Math.Max(0, Math.Ceiling((agenda.Now - worker.NextLook) / rules.LookSeconds)));
            var job = queue.Take(start);
            worker.Take(job, agenda.Now);
            var dies = job.Poison || (machine.Crash > 0 && draws.Share() < machine.Crash);
            agenda.At(
                start + (dies ? job.Service / 2 : job.Service), new(dies ? HappeningKind.Died : HappeningKind.Done, worker, job, job.Receives));
        }
    }

    public void Done(SimulatedWorker worker, SimulatedJob job)
    {
        Meter();
        worker.Drop(job, agenda.Now);
        queue.Complete(job);
        worker.NextLook = agenda.Now + rules.LookSeconds;
        if (!worker.Draining)
            HandOut();
        else if (worker.Jobs.Count == 0)
            Park(worker);
    }

    public void Die(SimulatedWorker worker)
    {
        Crashed++;
        Remove(worker);
    }

    /// <summary>Begins to remove a worker, by the rules of the fleet.</summary>
    public void Drain(string id)
    {
        if (workers.Find(w => w.Id == id) is not { Draining: false } worker)
            return;
        if (rules.Removal is Removal.Terminate)
        {
            Terminate(worker);
            return;
        }
        worker.Drain(agenda.Now);
        Active--;
        if (rules.Removal is Removal.Grace grace)
            agenda.At(agenda.Now + grace.Seconds, new(HappeningKind.GraceOver, worker));
        if (worker.Jobs.Count == 0 && (worker.Joined || rules.Removal is not Removal.Confirm))
            Park(worker);
    }

    /// <summary>Takes a drain back; false if the worker has drained or is gone.</summary>
    public bool CancelDrain(string id)
    {
        if (workers.Find(w => w.Id == id) is not { Draining: true, Parked: false } worker)
            return false;
        worker.Stay();
        Active++;
        return true;
    }

    public void EndGrace(SimulatedWorker worker)
    {
        if (worker is { Gone: false, Draining: true })
            Terminate(worker);
    }

    /// <summary>Removes workers that have drained and wait for it.</summary>
    public void Confirm(int most)
    {
        foreach (var worker in leaving.Take(most).ToList())
            Remove(worker);
    }

    /// <summary>Removes workers that take longer than this to join.</summary>
    public void GiveUpBooting(double seconds)
    {
        foreach (var worker in workers.Where(w => w is { Joined: false, Draining: false } && agenda.Now - w.Launched > seconds).ToList())
            Terminate(worker);
    }

    public void RemoveAll()
    {
        foreach (var worker in workers.ToList())
            Remove(worker);
    }

    public IReadOnlyList<WorkerView> View()
    {
        if (workers.Count == 0)
            return [];
        var views = new WorkerView[workers.Count];
        for (var i = 0; i < views.Length; i++)
            views[i] = workers[i].View(agenda.Now);
        return views;
    }

    public IReadOnlyList<double> TakeBooted()
    {
        if (booted.Count == 0)
            return [];
        var taken = booted;
        booted = [];
        return taken;
    }

    /// <summary>The share of their lanes that the workers have used since this was last asked for; null without workers.</summary>
    public double? TakeLoad()
    {
        Meter();
        var (busy, there) = (busyLaneSeconds - busyLaneSecondsSeen, (joinedSeconds - joinedSecondsSeen) * machine.Lanes);
        (busyLaneSecondsSeen, joinedSecondsSeen) = (busyLaneSeconds, joinedSeconds);
        return there > 0 ? Math.Min(1, busy / there) : null;
    }

    private SimulatedWorker? FindFree()
    {
        if (rules.MostRecentFirst)
            return MostRecent();
        var free = 0;
        foreach (var worker in workers)
            free += IsFree(worker) ? 1 : 0;
        if (free == 0)
            return null;
        var chosen = draws.Index(free);
        foreach (var worker in workers)
        {
            if (IsFree(worker) && chosen-- == 0)
                return worker;
        }
        return null;
    }

    // Of several lanes those of busy workers are filled first, for the same reason.
    private SimulatedWorker? MostRecent()
    {
        SimulatedWorker? best = null;
        foreach (var worker in workers)
        {
            if (!IsFree(worker))
                continue;
            if (best is null || worker.Jobs.Count > best.Jobs.Count || (worker.Jobs.Count == best.Jobs.Count && worker.IdleSince >= best.IdleSince))
                best = worker;
        }
        return best;
    }

    private bool IsFree(SimulatedWorker worker) => worker is { Joined: true, Draining: false } && worker.Jobs.Count < machine.Lanes;

    private void Park(SimulatedWorker worker)
    {
        if (rules.Removal is not Removal.Confirm)
        {
            Remove(worker);
            return;
        }
        worker.Parked = true;
        leaving.Add(worker);
    }

    private void Terminate(SimulatedWorker worker)
    {
        Interrupted += worker.Jobs.Count;
        Remove(worker);
    }

    private void Remove(SimulatedWorker worker)
    {
        Meter();
        foreach (var job in worker.Jobs)
            queue.GiveBack(job);
        worker.Jobs.Clear();
        worker.Gone = true;
        workers.Remove(worker);
        leaving.Remove(worker);
        Active -= worker.Draining ? 0 : 1;
        joined -= worker.Joined ? 1 : 0;
        WorkerSeconds += Math.Max(machine.MinBillSeconds, agenda.Now - worker.Launched);
    }

    // To be called before anything that changes the number of workers or of jobs in hand.
    private void Meter()
    {
        var passed = agenda.Now - meteredTo;
        if (passed <= 0)
            return;
        meteredTo = agenda.Now;
        busyLaneSeconds += passed * queue.InHand;
        joinedSeconds += passed * joined;
        presentSeconds += passed * workers.Count;
    }
}
