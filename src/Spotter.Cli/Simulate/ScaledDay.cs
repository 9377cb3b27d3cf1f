using System.Globalization;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Simulate;

/// <summary>A day with so many jobs, run by our policy, and what it costs on AWS in US dollars.</summary>
/// <param name="JobsPerDay">As asked for.</param>
/// <param name="Jobs">As they came.</param>
/// <param name="Peak">Jobs a second at the busiest time.</param>
/// <param name="MeanWorkers">Workers on average.</param>
/// <param name="MostWorkers">Most workers at a time.</param>
/// <param name="Answer">From a job's arrival to its answer, in seconds.</param>
/// <param name="Workers">What the workers cost.</param>
/// <param name="Bill">What all else costs.</param>
internal sealed record ScaledDay(int JobsPerDay, double Jobs, double Peak, double MeanWorkers, double MostWorkers, Quantiles Answer, double Workers, AwsBill Bill)
{
    /// <summary>All of it.</summary>
    public double Sum => Workers + Bill.Sum;

    /// <summary>Runs a day.</summary>
    public static ScaledDay Run(int jobsPerDay, MachineKind machine, ScaleSettings settings, double pictureBytes, int seed, CancellationToken cancel)
    {
        var trace = SyntheticTraces.Day(jobsPerDay, machine, seed);
        var entry = Contenders.Named("spotter").Enter(settings, Draws.For($"enter/{trace.Name}", seed));
        var figures = new Simulator(machine, trace, entry.Rules, seed) { SloSeconds = settings.Slo.TotalSeconds }.Run(entry.Policy, watch: null, cancel);
        var peak = SyntheticTraces.DayPeak(jobsPerDay);
        return new(
            jobsPerDay, figures.Jobs, peak, figures.MeanWorkers, figures.MostWorkers, figures.Answer, figures.WorkerSeconds / 3600 * settings.PricePerHour,
            AwsBill.Of(figures.Jobs, peak, pictureBytes));
    }

    /// <summary>Several days for people.</summary>
    public static string Render(IEnumerable<ScaledDay> days, MachineKind machine, double pricePerHour, double pictureBytes)
    {
        var table = new TextTable("jobs/day", "peak/s", "workers", "most", "answer p50", "p95", "workers $", "gateways", "$", "balancers $", "DynamoDB $", "SQS $", "S3 $", "day $", "month $", "$/1,000 jobs");
        foreach (var day in days)
        {
            table.Add(
                day.JobsPerDay.ToString("N0", CultureInfo.InvariantCulture), Text(day.Peak, "0.##"), Text(day.MeanWorkers, "0.0"), Text(day.MostWorkers, "0"), Text(day.Answer.P50, "0.0"), Text(day.Answer.P95, "0.0"),
                Money(day.Workers), Text(day.Bill.GatewayCount, "0"), Money(day.Bill.Gateways), Money(day.Bill.Balancers), Money(day.Bill.Table), Money(day.Bill.Queues), Money(day.Bill.Pictures),
                Money(day.Sum), Money(day.Sum * 30), day.JobsPerDay == 0 ? "" : Text(day.Sum / day.JobsPerDay * 1000, "0.000"));
        }
        return string.Create(CultureInfo.InvariantCulture, $"""
            A day with a busy noon and a quiet night on {machine.Name}: boot {machine.BootSeconds:0.##} s, job {machine.ServiceSeconds:0.##} s, {machine.Lanes} at a time, at most {machine.MaxWorkers} workers at ${pricePerHour:0.####} an hour, pictures of {pictureBytes / 1000:0} kB

            {table}
            US dollars at list prices of us-east-1, pictures kept for a day; answers in seconds

            """);
    }

    private static string Money(double amount) => amount.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
