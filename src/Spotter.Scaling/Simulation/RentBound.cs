namespace Spotter.Scaling.Simulation;

/// <summary>
/// A Lagrangian bound. Let y(t) be piecewise linear, between 0 and a boot B and with a slope of at most 1, and 1 - y'(t)
/// the rent of a worker at t. A worker that is active over [u, v] is billed at least B + (v - u), which is no less than
/// the rent of that time, since y(u) is at most B and y(v) at least 0. So the bill is at least the rent of all services, and
/// each job may choose its cheapest start by itself: s + min over x of price·(x - a) + y(x) - y(x + s). That holds for any
/// such y; a good one is searched by subgradient ascent. A lane of several pays its share of the rent.
/// </summary>
internal sealed class RentBound
{
    private const int Rounds = 150;
    private const int MostCells = 2400;
    private const int MostSteps = 24;

    // Jobs times rounds: longer traces are searched less.
    private const double Effort = 5e6;

    private readonly ArrivalTrace trace;
    private readonly double boot, price, laneShare, step, work;
    private readonly int cells;
    private readonly double[] starts;
    private readonly double[] beyond; // y, and what it stays at after the last cell

    private RentBound(MachineKind machine, ArrivalTrace trace, double price)
    {
        this.trace = trace;
        this.price = price;
        boot = machine.BootSeconds;
        laneShare = 1.0 / machine.Lanes;
        work = trace.Services.Sum() * laneShare;
        var span = trace.Arrivals[^1] + trace.Services.Max() + (4 * boot);
        step = Math.Max(boot / 12, span / MostCells);
        cells = (int)(span / step) + 2;
        starts = new double[trace.Arrivals.Count];
        beyond = new double[cells + (int)(trace.Services.Max() / step) + 3];
    }

    public static double Of(MachineKind machine, ArrivalTrace trace, double price, ClairvoyantPlan plan, CancellationToken cancel) =>
        new RentBound(machine, trace, price).Ascend(plan, cancel);

    private double Ascend(ClairvoyantPlan plan, CancellationToken cancel)
    {
        var y = Project(BestAnswer(Slope(plan.Starts)));
        var goal = 0.8 * plan.Figures.Cost(price); // only for the length of a step
        var (best, bestY, reach, stall) = (work, y, 1.0, 0);
        double[]? direction = null;
        var rounds = (int)Math.Clamp(Effort / trace.Arrivals.Count, 20, Rounds);
        for (var round = 0; round < rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            var value = Evaluate(y);
            stall++;
            if (value > best * 1.00001)
                (best, bestY, stall) = (value, y, 0);
            if (stall >= 8)
            {
                (reach, stall, direction, y) = (0.6 * reach, 0, null, bestY);
                value = Evaluate(y);
            }
            var slope = Slope(starts);
            direction ??= slope;
            double norm = 0;
            for (var i = 0; i < cells; i++)
            {
                direction[i] = (0.7 * direction[i]) + (0.3 * slope[i]);
                norm += direction[i] * direction[i];
            }
            var length = reach * Math.Max(goal - value, 0.001 * best) / Math.Max(norm, 1e-9);
            var moved = new double[cells];
            for (var i = 0; i < cells; i++)
                moved[i] = y[i] + (length * direction[i]);
            y = Project(moved);
        }
        return Math.Max(best, work + boot);
    }

    /// <summary>The bound at y; leaves where each job would start.</summary>
    private double Evaluate(double[] y)
    {
        Array.Copy(y, beyond, cells);
        Array.Fill(beyond, y[^1], cells, beyond.Length - cells);
        var total = work;
        for (var j = 0; j < starts.Length; j++)
        {
            var (arrival, service) = (trace.Arrivals[j], trace.Services[j]);
            var first = Math.Max(arrival, boot);
            var where = first;
            var best = (price * (first - arrival)) + (laneShare * (At(first) - At(first + service)));
            var (cellsLong, rest) = Split(service);
            var least = -(boot * laneShare) - (price * arrival); // no value at x is below this and the price of x

            // Between the points where it or its end meets the grid, the value is linear.
            var i = (int)(first / step) + 1;
            for (var x = i * step; i < cells && (price * x) + least < best; x = ++i * step)
            {
                var end = Between(i + cellsLong, rest);
                var value = (price * (x - arrival)) + (laneShare * (beyond[i] - end));
                if (value < best)
                    (best, where) = (value, x);
            }
            i = (int)((first + service) / step) + 1;
            for (var x = (i * step) - service; i < cells && (price * x) + least < best; x = (++i * step) - service)
            {
                var begin = Between(i - cellsLong - 1, 1 - rest);
                var value = (price * (x - arrival)) + (laneShare * (begin - beyond[i]));
                if (value < best)
                    (best, where) = (value, x);
            }
            total += best;
            starts[j] = where;
        }
        return total;
    }

    private (int Cell, double Share) Split(double t)
    {
        var cell = (int)(t / step);
        return (cell, (t / step) - cell);
    }

    private double Between(int cell, double rest) => beyond[cell] + (rest * (beyond[cell + 1] - beyond[cell]));

    private double At(double t)
    {
        var (cell, rest) = Split(t);
        return Between(Math.Min(cell, beyond.Length - 2), rest);
    }

    /// <summary>The supergradient: plus where services start, minus where they end.</summary>
    private double[] Slope(IReadOnlyList<double> from)
    {
        var slope = new double[cells];
        for (var j = 0; j < from.Count; j++)
        {
            Note(from[j], laneShare);
            Note(from[j] + trace.Services[j], -laneShare);
        }
        return slope;

        void Note(double t, double amount)
        {
            var (i, share) = Split(t);
            if (i >= cells - 1)
                (i, share) = (cells - 2, 1);
            slope[i] += amount * (1 - share);
            slope[i + 1] += amount * share;
        }
    }

    /// <summary>The nearest function of slope at most 1, by pooling neighbours, held between 0 and a boot.</summary>
    private double[] Project(double[] y)
    {
        var levels = new double[cells];
        var weights = new int[cells];
        var pools = 0;
        for (var i = 0; i < cells; i++)
        {
            var (level, weight) = (y[i] - (i * step), 1);
            while (pools > 0 && levels[pools - 1] < level)
            {
                pools--;
                level = ((level * weight) + (levels[pools] * weights[pools])) / (weight + weights[pools]);
                weight += weights[pools];
            }
            (levels[pools], weights[pools]) = (level, weight);
            pools++;
        }
        var projected = new double[cells];
        var at = 0;
        for (var pool = 0; pool < pools; pool++)
        {
            for (var n = 0; n < weights[pool]; n++, at++)
                projected[at] = Math.Clamp(levels[pool] + (at * step), 0, boot);
        }
        return projected;
    }

    /// <summary>The y that maximises its product with the slope, on a grid of heights, by dynamic programming from the end.</summary>
    private double[] BestAnswer(double[] slope)
    {
        var heights = (int)Math.Clamp(Math.Round(boot / step), 1, MostSteps);
        var unit = boot / heights;
        var rise = Math.Max(1, (int)((step / unit) + 1e-9));
        var value = new double[heights + 1];
        var next = new byte[cells, heights + 1];
        for (var i = cells - 1; i >= 0; i--)
        {
            var top = new double[heights + 1];
            var arg = new byte[heights + 1];
            for (var q = 0; q <= heights; q++)
            {
                var isTop = q == 0 || value[q] > top[q - 1];
                (top[q], arg[q]) = isTop ? (value[q], (byte)q) : (top[q - 1], arg[q - 1]);
            }
            var here = new double[heights + 1];
            for (var q = 0; q <= heights; q++)
            {
                var reachable = Math.Min(heights, q + rise);
                next[i, q] = arg[reachable];
                here[q] = (slope[i] * q * unit) + top[reachable];
            }
            value = here;
        }
        var y = new double[cells];
        var height = Array.IndexOf(value, value.Max());
        for (var i = 0; i < cells; i++)
        {
            y[i] = height * unit;
            height = next[i, height];
        }
        return y;
    }
}
