namespace Spotter.Scaling.Simulation;

/// <summary>A schedule made with full knowledge of the trace: what a policy could come close to.</summary>
/// <param name="Figures">What it comes to.</param>
/// <param name="Starts">When each job starts, in seconds.</param>
public sealed record ClairvoyantPlan(RunFigures Figures, IReadOnlyList<double> Starts)
{
    // In mean service times and in boot times: the plans that are tried.
    private static readonly double[] Patiences = [0, 0.25, 0.5, 1, 2, 4, 8];
    private static readonly double[] Thrifts = [0.2, 1, 5];

    /// <summary>Several plans, from those that never let a job wait to those that rather wait than boot.</summary>
    public static IReadOnlyList<ClairvoyantPlan> Try(MachineKind machine, ArrivalTrace trace, double sloSeconds) =>
    [
        .. from patience in Patiences
           from thrift in Thrifts
           select Create(machine, trace, patience * machine.ServiceSeconds, thrift * machine.BootSeconds, sloSeconds),
    ];

    /// <summary>The cheapest, when a second of waiting is worth <paramref name="price"/> seconds of a worker.</summary>
    public static ClairvoyantPlan Best(IReadOnlyList<ClairvoyantPlan> plans, double price) => plans.MinBy(plan => plan.Figures.Cost(price))!;

    /// <summary>
    /// In order of arrival, a job takes the lane that fell idle last, if that is no longer ago than <paramref name="thrift"/>;
    /// else waits for the next one, if that takes no longer than <paramref name="patience"/>; else has a machine started so
    /// that it joins in time, though none can be before the trace begins.
    /// </summary>
    private static ClairvoyantPlan Create(MachineKind machine, ArrivalTrace trace, double patience, double thrift, double sloSeconds)
    {
        var jobs = trace.Arrivals.Count;
        var starts = new double[jobs];
        var waits = new double[jobs];
        var answers = new double[jobs];
        var lanes = new List<double>(); // when each falls idle
        for (var i = 0; i < jobs; i++)
        {
            var ready = Math.Max(trace.Arrivals[i], machine.BootSeconds);
            var idle = Latest(lanes, ready);
            var soon = Soonest(lanes, ready);
            var full = lanes.Count >= machine.MaxWorkers * machine.Lanes;
            var start = ready;
            if (idle >= 0 && ready - lanes[idle] <= thrift)
                lanes.RemoveAt(idle);
            else if (soon >= 0 && (lanes[soon] - ready <= patience || (full && idle < 0)))
            {
                start = lanes[soon];
                lanes.RemoveAt(soon);
            }
            else if (idle >= 0)
                lanes.RemoveAt(idle);
            lanes.Add(start + trace.Services[i]);
            starts[i] = start;
            waits[i] = start - trace.Arrivals[i];
            answers[i] = start + trace.Services[i] - trace.Arrivals[i];
        }
        var (bill, launches, most) = Bill(machine, trace, starts);
        var makespan = starts.Zip(trace.Services, (start, service) => start + service).DefaultIfEmpty(0).Max();
        return new(
            new()
            {
                Jobs = jobs,
                Makespan = makespan,
                TotalWait = waits.Sum(),
                SloMisses = answers.Count(a => a > sloSeconds),
                Wait = Quantiles.Of(waits),
                Answer = Quantiles.Of(answers),
                WorkerSeconds = bill,
                Launches = launches,
                MostWorkers = most,
                MeanWorkers = makespan > 0 ? bill / makespan : 0,
            },
            starts);
    }

    /// <summary>
    /// The least bill for these starts: worker k is there while k workers are needed, and through a pause that is
    /// shorter than a boot. With several lanes jobs are taken to be packed perfectly, so then it is a little too low.
    /// </summary>
    private static (double Bill, int Launches, int Most) Bill(MachineKind machine, ArrivalTrace trace, double[] starts)
    {
        var events = new (double Time, int Change)[2 * starts.Length];
        for (var i = 0; i < starts.Length; i++)
            (events[2 * i], events[(2 * i) + 1]) = ((starts[i], 1), (starts[i] + trace.Services[i], -1));
        Array.Sort(events); // ends before starts

        var sessions = new List<(double Begun, double Ended)>(); // by worker
        double bill = 0;
        var (launches, running) = (0, 0);
        foreach (var (time, change) in events)
        {
            running += change;
            if (change > 0 && (running - 1) % machine.Lanes == 0)
            {
                var worker = (running - 1) / machine.Lanes;
                if (worker == sessions.Count)
                {
                    sessions.Add((time, time));
                    launches++;
                }
                else if (time - sessions[worker].Ended > machine.BootSeconds)
                {
                    bill += Session(sessions[worker]);
                    sessions[worker] = (time, time);
                    launches++;
                }
            }
            else if (change < 0 && running % machine.Lanes == 0)
            {
                var worker = running / machine.Lanes;
                sessions[worker] = sessions[worker] with { Ended = time };
            }
        }
        return (bill + sessions.Sum(Session), launches, sessions.Count);

        double Session((double Begun, double Ended) s) => Math.Max(machine.MinBillSeconds, machine.BootSeconds + s.Ended - s.Begun);
    }

    private static int Latest(List<double> lanes, double until)
    {
        var best = -1;
        for (var i = 0; i < lanes.Count; i++)
        {
            if (lanes[i] <= until && (best < 0 || lanes[i] > lanes[best]))
                best = i;
        }
        return best;
    }

    private static int Soonest(List<double> lanes, double after)
    {
        var best = -1;
        for (var i = 0; i < lanes.Count; i++)
        {
            if (lanes[i] > after && (best < 0 || lanes[i] < lanes[best]))
                best = i;
        }
        return best;
    }
}
