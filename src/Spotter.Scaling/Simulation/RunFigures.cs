namespace Spotter.Scaling.Simulation;

/// <summary>What a run of a policy on a trace came to. Numbers are means when it was repeated; times are in seconds.</summary>
public sealed record RunFigures
{
    /// <summary>Jobs that came.</summary>
    public double Jobs { get; init; }

    /// <summary>From the start to the last answer.</summary>
    public double Makespan { get; init; }

    /// <summary>From a job's arrival to its start, for 50, 95 and 99 in 100.</summary>
    public Quantiles Wait { get; init; } = new(0, 0, 0);

    /// <summary>From a job's arrival to its answer, for 50, 95 and 99 in 100.</summary>
    public Quantiles Answer { get; init; } = new(0, 0, 0);

    /// <summary>Waiting of all jobs together, that of jobs without an answer included.</summary>
    public double TotalWait { get; init; }

    /// <summary>What is paid for, from each worker's launch to its end.</summary>
    public double WorkerSeconds { get; init; }

    /// <summary>Workers that were launched.</summary>
    public double Launches { get; init; }

    /// <summary>Workers on average over the run, booting ones included.</summary>
    public double MeanWorkers { get; init; }

    /// <summary>Most workers at a time.</summary>
    public double MostWorkers { get; init; }

    /// <summary>Answers that came too late, or never.</summary>
    public double SloMisses { get; init; }

    /// <summary>Jobs that were cut off because their worker was removed.</summary>
    public double Interrupted { get; init; }

    /// <summary>Workers that died of a job.</summary>
    public double Crashed { get; init; }

    /// <summary>Jobs given up because they kill workers.</summary>
    public double DeadLettered { get; init; }

    /// <summary>Jobs without an answer when the run was stopped, two hours after the trace.</summary>
    public double Unfinished { get; init; }

    /// <summary>Workers and waiting together, in seconds, when a second of waiting is worth <paramref name="price"/> seconds of a worker.</summary>
    public double Cost(double price = 1) => WorkerSeconds + (price * TotalWait);

    /// <summary>The mean of several runs.</summary>
    public static RunFigures Mean(IReadOnlyCollection<RunFigures> runs) => new()
    {
        Jobs = runs.Average(r => r.Jobs),
        Makespan = runs.Average(r => r.Makespan),
        Wait = Quantiles.Mean(runs.Select(r => r.Wait)),
        Answer = Quantiles.Mean(runs.Select(r => r.Answer)),
        TotalWait = runs.Average(r => r.TotalWait),
        WorkerSeconds = runs.Average(r => r.WorkerSeconds),
        Launches = runs.Average(r => r.Launches),
        MeanWorkers = runs.Average(r => r.MeanWorkers),
        MostWorkers = runs.Average(r => r.MostWorkers),
        SloMisses = runs.Average(r => r.SloMisses),
        Interrupted = runs.Average(r => r.Interrupted),
        Crashed = runs.Average(r => r.Crashed),
        DeadLettered = runs.Average(r => r.DeadLettered),
        Unfinished = runs.Average(r => r.Unfinished),
    };
}

/// <summary>The times that 50, 95 and 99 in 100 stay below, in seconds; 0 where there is nothing.</summary>
/// <param name="P50">Half.</param>
/// <param name="P95">95 in 100.</param>
/// <param name="P99">99 in 100.</param>
public sealed record Quantiles(double P50, double P95, double P99)
{
    /// <summary>Those of some times, which are sorted in place.</summary>
    public static Quantiles Of(double[] times)
    {
        Array.Sort(times);
        return new(At(0.50), At(0.95), At(0.99));

        double At(double share) => times.Length == 0 ? 0 : times[Math.Min(times.Length - 1, (int)(share * times.Length))];
    }

    internal static Quantiles Mean(IEnumerable<Quantiles> several)
    {
        var all = several.ToList();
        return new(all.Average(p => p.P50), all.Average(p => p.P95), all.Average(p => p.P99));
    }
}
