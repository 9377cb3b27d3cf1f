using System.Globalization;
using Spotter.Core;

namespace Spotter.Scaling.Simulation;

/// <summary>Kinds of load that are made up: bursts, steady and changing rates. Rates are scaled so that a kind loads any machine alike.</summary>
public static class SyntheticTraces
{
    private const string Burst = "burst";
    private const int MostBurst = 1_000_000;
    private const double DaySeconds = 86_400;

    // Of the rate at noon.
    private const double NightShare = 0.05;

    /// <summary>The kinds; <c>burst</c> takes any number of jobs behind it.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["burst110", "burst150", "poisson", "onoff", "diurnal", "flash", "trickle", "cron"];

    /// <summary>True if a kind has that name.</summary>
    public static bool Has(string name) => Kinds.Contains(name, StringComparer.Ordinal) || BurstSize(name) is not null;

    /// <summary>The trace of that kind and seed.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: there is no such kind.</exception>
    public static ArrivalTrace Create(string name, MachineKind machine, int seed)
    {
        var draws = Draws.For($"{name}/{machine.Name}", seed);
        var unit = 6 / machine.ServiceSeconds * machine.MaxWorkers * machine.Lanes / 20; // jobs per second, 1 on ec2
        var (arrivals, horizon) = name switch
        {
            _ when BurstSize(name) is { } jobs => (AllAtOnce(jobs, draws), 1800.0),
            "poisson" => (ByRate(draws, unit, 5400, _ => unit), 5400),
            "onoff" => (OnAndOff(draws, 2 * unit, 14_400), 14_400),
            "diurnal" => (ByRate(draws, 2.3 * unit, 14_400, t => unit * (0.02 + (1.1 * (1 - Math.Cos(2 * Math.PI * t / 14_400))))), 14_400),
            "flash" => (ByRate(draws, 2 * unit, 5400, t => unit * (t is >= 1800 and < 2100 ? 2 : 0.1)), 5400),
            "trickle" => (ByRate(draws, 1 / 180.0, 21_600, _ => 1 / 180.0), 21_600),
            "cron" => (Timetable(draws, every: 180, count: 120), 21_600),
            _ => throw new SpotterException(
                ErrorCodes.InvalidSettings, $"There is no kind of load named {name}; choose one of {string.Join(", ", Kinds)}, or give a file."),
        };
        return ArrivalTrace.Create(name, arrivals, horizon, machine, draws);
    }

    /// <summary>A day with so many jobs, give or take what chance does: few at night, most at noon.</summary>
    public static ArrivalTrace Day(int jobs, MachineKind machine, int seed)
    {
        var draws = Draws.For($"day/{jobs}/{machine.Name}", seed);
        var peak = DayPeak(jobs);
        var arrivals = jobs == 0 ? [] : ByRate(draws, peak, DaySeconds, t => peak * (NightShare + ((1 - NightShare) * (1 - Math.Cos(2 * Math.PI * t / DaySeconds)) / 2)));
        return ArrivalTrace.Create("day", arrivals, DaySeconds, machine, draws);
    }

    /// <summary>Jobs a second at the busiest time of such a day.</summary>
    public static double DayPeak(int jobs) => jobs / DaySeconds / ((1 + NightShare) / 2);

    private static int? BurstSize(string name) =>
        name.StartsWith(Burst, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(Burst.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var jobs) && jobs is > 0 and <= MostBurst
            ? jobs
            : null;

    private static List<double> AllAtOnce(int jobs, Draws draws)
    {
        var arrivals = new List<double>(jobs);
        for (var i = 0; i < jobs; i++)
            arrivals.Add(draws.Share());
        return arrivals;
    }

    // A Poisson process whose rate changes, by thinning one at the peak rate.
    private static List<double> ByRate(Draws draws, double peak, double end, Func<double, double> rate)
    {
        var arrivals = new List<double>();
        for (var t = draws.Exponential(peak); t < end; t += draws.Exponential(peak))
        {
            if (draws.Share() * peak <= rate(t))
                arrivals.Add(t);
        }
        return arrivals;
    }

    private static List<double> OnAndOff(Draws draws, double rate, double end)
    {
        var arrivals = new List<double>();
        var t = 0.0;
        while (t < end)
        {
            var off = t + draws.Between(60, 180);
            for (t += draws.Exponential(rate); t < Math.Min(off, end); t += draws.Exponential(rate))
                arrivals.Add(t);
            t = off + draws.Between(300, 660);
        }
        return arrivals;
    }

    private static List<double> Timetable(Draws draws, double every, int count)
    {
        var arrivals = new List<double>(count);
        for (var i = 0; i < count; i++)
            arrivals.Add((every / 2) + (every * i) + draws.Between(-5, 5));
        return arrivals;
    }
}
