using Spotter.Core;

namespace Spotter.Scaling.Simulation;

/// <summary>Random numbers of a simulation: the same name and seed give the same ones.</summary>
public sealed class Draws(RandomSource source)
{
    /// <summary>Numbers for one purpose, independent of those for others.</summary>
    public static Draws For(string purpose, int seed)
    {
        // FNV-1a: string.GetHashCode differs from run to run.
        var hash = 2166136261u;
        foreach (var c in purpose)
            hash = (hash ^ c) * 16777619u;
        return new Draws(RandomSource.Seeded((int)((hash ^ (uint)seed) * 16777619u & int.MaxValue)));
    }

    /// <summary>Between 0 and 1, without 1.</summary>
    public double Share() => source.NextDouble();

    /// <summary>Evenly between two numbers.</summary>
    public double Between(double least, double most) => least + ((most - least) * source.NextDouble());

    /// <summary>A place in a list of that length.</summary>
    public int Index(int count) => (int)(source.NextDouble() * count);

    /// <summary>The time to the next event of a stream that has <paramref name="rate"/> of them per second.</summary>
    public double Exponential(double rate) => -Math.Log(1 - source.NextDouble()) / rate;

    /// <summary>Log-normal, by its mean and its standard deviation over the mean.</summary>
    public double LogNormal(double mean, double variation)
    {
        var variance = Math.Log(1 + (variation * variation));
        var normal = Math.Sqrt(-2 * Math.Log(1 - source.NextDouble())) * Math.Cos(2 * Math.PI * source.NextDouble());
        return mean * Math.Exp((normal * Math.Sqrt(variance)) - (variance / 2));
    }
}
