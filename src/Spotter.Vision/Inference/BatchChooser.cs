namespace Spotter.Vision.Inference;

/// <summary>
/// Decides how many pictures go through a model at once. Together they may take less time than one after the other, or
/// more: it depends on the model and the machine, so it is tried when there is a backlog to try it on, and what is
/// fastest per picture is kept. Any number of threads may ask.
/// </summary>
/// <param name="most">Most pictures at once; 1 when the model takes no more.</param>
internal sealed class BatchChooser(int most)
{
    // Fewer samples than this say more about the moment than about the model.
    private const int Samples = 3;

    // Waiting for company costs the first picture time, so there has to be something in it.
    private const double Gain = 0.95;

    // New samples count for so much, so that a choice follows a machine that becomes busier.
    private const double Weight = 0.2;

    private static readonly int[] Sizes = [1, 2, 4, 8];

    private readonly Lock gate = new();
    private readonly double[] milliseconds = new double[Sizes.Length];
    private readonly int[] runs = new int[Sizes.Length];
    private int mostThatRan = most;

    /// <summary>Most pictures at once that it can choose.</summary>
    public int Most => Volatile.Read(ref mostThatRan);

    /// <summary>How many to run at once.</summary>
    /// <param name="waiting">How many there are.</param>
    public int Choose(int waiting)
    {
        lock (gate)
        {
            var best = 0;
            for (var i = 0; i < Sizes.Length && Sizes[i] <= waiting && Sizes[i] <= mostThatRan; i++)
            {
                if (runs[i] < Samples)
                    return Sizes[i];
                if (milliseconds[i] < milliseconds[best] * Gain)
                    best = i;
            }
            return Sizes[best];
        }
    }

    /// <summary>So many pictures took so long together.</summary>
    public void Ran(int pictures, double milliseconds)
    {
        var i = Array.IndexOf(Sizes, pictures);
        if (i < 0)
            return;
        var each = milliseconds / pictures;
        lock (gate)
        {
            // The fastest of the first samples: others are slow for reasons that have nothing to do with it.
            this.milliseconds[i] = runs[i] == 0 ? each
                : runs[i] < Samples ? Math.Min(this.milliseconds[i], each)
                : this.milliseconds[i] + ((each - this.milliseconds[i]) * Weight);
            runs[i]++;
        }
    }

    /// <summary>The model does not take so many, whatever its input's shape promises.</summary>
    public void Failed(int pictures)
    {
        lock (gate)
            mostThatRan = Math.Min(mostThatRan, Math.Max(1, pictures / 2));
    }
}
