namespace Spotter.Scaling.Hindsight;

/// <summary>
/// What is believed of the arrival rate: a probability for each of a range of rates, brought up to date by Bayes' rule
/// with every observation. A rate holds for hours, drifts a little, and jumps now and then, so a flash crowd is
/// believed within seconds while a steady rate is known ever better. Arrivals that come all at once are explained as
/// a batch, the more readily the more batches there have been, rather than as a rate.
/// </summary>
internal sealed class ArrivalBelief
{
    private const double LowestRate = 1e-3;
    private const double HighestRate = 1e4;
    private const double Step = 1.2;

    // Seconds between two jumps, and steps per second that a rate drifts.
    private const double Calm = 7200;
    private const double Drift = 1e-3;

    // How often arrivals are a batch: a share of 0.01 that counts like 50 observations, against the last 200.
    private const double BatchShare = 0.01;
    private const double BatchWeight = 50;
    private const double BatchMemory = 200;
    private const double Certain = 0.9;

    private static readonly double[] Rates = CreateRates();
    private static readonly double[] Logs = [.. Rates.Select(rate => Math.Log(rate))];
    private static readonly double[] Prior = CreatePrior();

    private readonly double[] moved = new double[Rates.Length];
    private double[] shares = [.. Prior];
    private double batches;
    private double looks;

    /// <summary>Learns that <paramref name="count"/> jobs have arrived within <paramref name="seconds"/>.</summary>
    public void Note(double seconds, long count)
    {
        if (seconds <= 0 && count == 0)
            return;
        seconds = Math.Max(seconds, 1e-3);
        Move(seconds);

        var share = count > 0 ? (BatchShare * BatchWeight + batches) / (BatchWeight + looks) : 0;
        var batch = count > 1 ? share / (count * (count - 1.0)) : 0; // batches of n are as frequent as 1/(n (n - 1))
        var (logSeconds, logFactorial) = (Math.Log(seconds), LogFactorial(count));
        double sum = 0, byBatch = 0;
        for (var i = 0; i < shares.Length; i++)
        {
            var poisson = Math.Exp(count * (Logs[i] + logSeconds) - Rates[i] * seconds - logFactorial);
            sum += shares[i] = moved[i] * ((1 - share) * poisson + batch);
            byBatch += moved[i] * batch;
        }
        if (!(sum > 1e-300))
        {
            Prior.CopyTo(shares, 0); // nothing explains it: begin anew
            return;
        }
        for (var i = 0; i < shares.Length; i++)
            shares[i] /= sum;
        if (count > 0)
        {
            batches += (byBatch > Certain * sum ? 1 : 0) - batches / BatchMemory;
            looks += 1 - looks / BatchMemory;
        }
    }

    /// <summary>The rate, in arrivals per second, that the true one exceeds with a probability of 1 - <paramref name="share"/>.</summary>
    public double Quantile(double share)
    {
        var sum = 0.0;
        for (var i = 0; i < shares.Length; i++)
        {
            sum += shares[i];
            if (sum >= share && shares[i] > 0)
                return Rates[i] * Math.Pow(Step, (share - sum) / shares[i] + 0.5);
        }
        return Rates[^1];
    }

    /// <summary>What has been learned.</summary>
    public BeliefMemory Save() => new([.. shares], batches, looks);

    /// <summary>Takes up what another run has learned.</summary>
    public void Restore(BeliefMemory memory)
    {
        if (memory.Shares.Count != shares.Length)
            return;
        shares = [.. memory.Shares];
        (batches, looks) = (memory.Batches, memory.Looks);
    }

    private void Move(double seconds)
    {
        var jump = 1 - Math.Exp(-seconds / Calm);
        var drift = (1 - Math.Exp(-seconds * Drift)) / 2;
        for (var i = 0; i < shares.Length; i++)
        {
            var from = shares[Math.Max(0, i - 1)] + shares[Math.Min(shares.Length - 1, i + 1)];
            moved[i] = (1 - jump) * ((1 - 2 * drift) * shares[i] + drift * from) + jump * Prior[i];
        }
    }

    private static double[] CreateRates() =>
        [.. Enumerable.Range(0, (int)(Math.Log(HighestRate / LowestRate) / Math.Log(Step)) + 1).Select(i => LowestRate * Math.Pow(Step, i))];

    // Lower rates are the likelier: a first arrival says little more than that there are some.
    private static double[] CreatePrior()
    {
        double[] weights = [.. Rates.Select(rate => Math.Pow(rate, -0.75))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double LogFactorial(long n) =>
        n < 2 ? 0 : n * Math.Log(n) - n + Math.Log(2 * Math.PI * n) / 2; // Stirling
}
