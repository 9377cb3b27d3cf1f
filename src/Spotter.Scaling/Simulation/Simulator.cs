namespace Spotter.Scaling.Simulation;

/// <summary>
/// A fleet, its queue and the hours of a trace, event by event, with a policy in charge that sees and does exactly what
/// it sees and does in production. The same inputs give the same run.
/// </summary>
/// <param name="machine">The workers.</param>
/// <param name="trace">The jobs.</param>
/// <param name="rules">How the fleet behaves.</param>
/// <param name="seed">Of boot times, faults and of whom a job goes to.</param>
public sealed class Simulator(MachineKind machine, ArrivalTrace trace, RunRules rules, int seed)
{
    // A policy that never catches up is stopped this long after the trace.
    private const double PatienceSeconds = 7200;

    private readonly Agenda agenda = new();

    /// <summary>Answers later than this count as late, in seconds.</summary>
    public double SloSeconds { get; init; } = 60;

    /// <summary>Runs the trace to the end. A simulator runs once.</summary>
    /// <param name="policy">Who decides; one that has not decided anything yet.</param>
    /// <param name="watch">Told of each observation and what was decided on it.</param>
    /// <param name="cancel">Stops it.</param>
    public RunFigures Run(ScalePolicy policy, Action<ScaleObservation, ScaleDecision>? watch = null, CancellationToken cancel = default)
    {
        var draws = Draws.For($"run/{trace.Name}", seed);
        var queue = new SimulatedQueue(trace, machine, Draws.For($"faults/{trace.Name}", seed), agenda);
        var fleet = new SimulatedFleet(machine, rules, queue, agenda, draws);
        agenda.At(draws.Share() * rules.TickSeconds, new(HappeningKind.Tick));
        if (rules.Removal is Removal.Confirm first)
            agenda.At(first.FirstSeconds, new(HappeningKind.Confirmation));

        var ended = false;
        while (!ended && agenda.TryGoOn(trace.Horizon + PatienceSeconds, out var next))
        {
            var (kind, worker, job, receives) = next.Value;
            switch (kind)
            {
                case HappeningKind.Enqueued:
                    queue.Enqueue(job!);
                    fleet.HandOut();
                    if (fleet.Active == 0)
                        Look();
                    break;
                case HappeningKind.Joined:
                    fleet.Join(worker!);
                    break;
                case HappeningKind.Done when IsPresent(worker!, job!, receives):
                    fleet.Done(worker!, job!);
                    break;
                case HappeningKind.Died when IsPresent(worker!, job!, receives):
                    fleet.Die(worker!);
                    break;
                case HappeningKind.GraceOver:
                    fleet.EndGrace(worker!);
                    break;
                case HappeningKind.Confirmation when rules.Removal is Removal.Confirm confirm:
                    fleet.Confirm(confirm.Most);
                    agenda.At(agenda.Now + confirm.EverySeconds, new(HappeningKind.Confirmation));
                    break;
                case HappeningKind.Tick:
                    cancel.ThrowIfCancellationRequested();
                    if (rules.BootTimeout is { } times)
                        fleet.GiveUpBooting(times * machine.BootSeconds);
                    var decision = Look();
                    ended = queue.Left == 0 && (fleet.Count == 0 || (agenda.Now >= trace.Horizon && fleet.Count <= rules.KeptWorkers));
                    agenda.At(agenda.Now + rules.TickSeconds, new(HappeningKind.Tick));
                    break;
            }
        }
        fleet.RemoveAll();
        return queue.Figures(SloSeconds) with
        {
            WorkerSeconds = fleet.WorkerSeconds,
            Launches = fleet.Launches,
            MeanWorkers = agenda.Now > 0 ? fleet.PresentSeconds / agenda.Now : 0,
            MostWorkers = fleet.Most,
            Interrupted = fleet.Interrupted,
            Crashed = fleet.Crashed,
        };

        ScaleDecision Look()
        {
            var seen = new ScaleObservation
            {
                Time = TimeSpan.FromSeconds(agenda.Now),
                Queued = queue.Waiting,
                Running = queue.InHand,
                Arrived = queue.Arrived,
                Workers = fleet.View(),
                Served = queue.TakeServed(),
                BootedSeconds = fleet.TakeBooted(),
                CpuLoad = fleet.TakeLoad(),
            };
            var decision = policy.Decide(seen);
            watch?.Invoke(seen, decision);
            Act(fleet, decision);
            return decision;
        }
    }

    // As the loop in production does it: what can't be taken back is made up for.
    private static void Act(SimulatedFleet fleet, ScaleDecision decision)
    {
        var launch = decision.Launch;
        foreach (var id in decision.CancelDrain)
            launch += fleet.CancelDrain(id) ? 0 : 1;
        if (launch > 0)
            fleet.Launch(launch);
        foreach (var id in decision.Drain)
            fleet.Drain(id);
    }

    private static bool IsPresent(SimulatedWorker worker, SimulatedJob job, int receives) =>
        !worker.Gone && job.Receives == receives && worker.Jobs.Contains(job);
}
