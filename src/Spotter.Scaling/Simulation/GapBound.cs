namespace Spotter.Scaling.Simulation;

/// <summary>
/// A bound for sparse traces: whenever a job runs, at least one whole worker is there. The time that any worker is active
/// falls into connected pieces. Each needs a boot, and between two starts in a piece the time beyond the longest service
/// is idle for somebody. So there is the work, and for the best split of the jobs into consecutive pieces the boots, the
/// idle time, and the waiting for each piece to begin. Serving in parallel costs nothing here, which keeps it a bound.
/// </summary>
internal static class GapBound
{
    private const int MostJobs = 600;

    public static double Of(MachineKind machine, ArrivalTrace trace, double price, CancellationToken cancel)
    {
        var arrivals = trace.Arrivals;
        if (arrivals.Count > MostJobs)
            return 0;
        var (boot, longest) = (machine.BootSeconds, trace.Services.Max());
        var best = new double[arrivals.Count + 1]; // best[j]: the first j jobs are in pieces
        Array.Fill(best, double.PositiveInfinity, 1, arrivals.Count);
        for (var i = 0; i < arrivals.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var first = Math.Max(arrivals[i], boot);
            var pieces = new List<Piece> { new(first) };
            var alone = boot; // a piece for each job, and a boot to spare
            for (var j = i; j < arrivals.Count; j++)
            {
                foreach (var piece in pieces)
                    piece.Add(arrivals[j], longest);
                // A piece that begins late saves idle time, which only pays while waiting is cheap, and not for long.
                if (price < 1 && arrivals[j] - arrivals[i] < 2 * boot / price)
                {
                    AddPiece(Math.Max(first, arrivals[j]), j);
                    AddPiece(Math.Max(first, arrivals[j] - longest), j);
                }
                alone += boot + (price * Math.Max(0, boot - arrivals[j]));
                var cost = boot + pieces.Min(piece => piece.Cost(price));
                best[j + 1] = Math.Min(best[j + 1], best[i] + cost);
                if (cost > alone)
                    break;
            }

            void AddPiece(double begin, int last)
            {
                if (pieces.Exists(p => p.Begin == begin))
                    return;
                var piece = new Piece(begin);
                for (var k = i; k <= last; k++)
                    piece.Add(arrivals[k], longest);
                pieces.Add(piece);
            }
        }
        return (trace.Services.Sum() / machine.Lanes) + best[^1];
    }

    /// <summary>A run of jobs that are all served from the same beginning on.</summary>
    private sealed class Piece(double begin)
    {
        private double latest = double.NaN, idle, waited;

        public double Begin => begin;

        public void Add(double arrival, double longest)
        {
            var start = Math.Max(begin, arrival);
            if (!double.IsNaN(latest))
                idle += Math.Max(0, start - latest - longest);
            waited += start - arrival;
            latest = start;
        }

        public double Cost(double price) => idle + (price * waited);
    }
}
