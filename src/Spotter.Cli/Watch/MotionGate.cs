namespace Spotter.Cli.Watch;

/// <summary>
/// Lets a picture through when enough of it differs from the last one that was let through. It compares cells of brightness, so
/// noise and compression count for nothing, and what moves slowly is seen as soon as it has moved far enough.
/// </summary>
/// <param name="threshold">The share of cells that have to differ, from 0 to 1.</param>
internal sealed class MotionGate(double threshold)
{
    /// <summary>Levels of 256 by which a cell has to differ: above the noise of cameras at night, below what a person changes.</summary>
    public const int Levels = 20;

    private byte[]? last;

    /// <summary>True for the first picture, and for one that differs; that one is compared with from then on.</summary>
    /// <param name="cells">The brightness of each cell.</param>
    public bool Passes(byte[] cells)
    {
        if (last is not null && last.Length == cells.Length && ShareOf(last, cells) < threshold)
            return false;
        last = cells;
        return true;
    }

    /// <summary>Lets the next picture through whatever it shows: another one than was let through has been looked at.</summary>
    public void Forget() => last = null;

    /// <summary>The share of cells that differ.</summary>
    internal static double ShareOf(byte[] one, byte[] other)
    {
        var differ = 0;
        for (var i = 0; i < one.Length; i++)
        {
            if (Math.Abs(one[i] - other[i]) > Levels)
                differ++;
        }
        return (double)differ / one.Length;
    }
}
