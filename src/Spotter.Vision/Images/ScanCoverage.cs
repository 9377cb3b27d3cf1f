using System.Runtime.CompilerServices;

namespace Spotter.Vision.Images;

/// <summary>Which coefficients of a JPEG its scans have brought to full precision.</summary>
internal struct ScanCoverage
{
    private const int MostComponents = 4;

    // A bit for each of a block's 64 coefficients.
    private PerComponent<ulong> done;
    private PerComponent<byte> ids;

    /// <summary>Components of the picture, at most four.</summary>
    public int Components { get; private set; }

    /// <summary>True when a scan need not bring all of a component.</summary>
    public bool IsProgressive { get; private set; }

    /// <summary>True when nothing is left for another scan to bring.</summary>
    public readonly bool IsComplete
    {
        get
        {
            for (var i = 0; i < Components; i++)
            {
                if (done[i] != ulong.MaxValue)
                    return false;
            }
            return Components > 0;
        }
    }

    /// <summary>Takes in the header of a frame.</summary>
    /// <param name="segment">Precision, height and width, and what each component is.</param>
    /// <param name="isProgressive">True for a progressive one.</param>
    public void AddFrame(ReadOnlySpan<byte> segment, bool isProgressive)
    {
        IsProgressive |= isProgressive;
        if (segment.Length < 6)
            return;
        Components = Math.Max(Components, Math.Min((int)segment[5], MostComponents));
        for (var i = 0; i < Components && 6 + (3 * i) < segment.Length; i++)
            ids[i] = segment[6 + (3 * i)];
    }

    /// <summary>Takes in the header of a scan.</summary>
    /// <param name="segment">The components, the first and last coefficient, and the bit that they are brought to.</param>
    public void AddScan(ReadOnlySpan<byte> segment)
    {
        if (segment.IsEmpty || segment.Length < 4 + (2 * segment[0]))
            return;
        var range = segment[(1 + (2 * segment[0]))..];
        var (first, last, lowBit) = IsProgressive ? (range[0], range[1], range[2] & 15) : (0, 63, 0);
        if (first > last || last > 63 || lowBit != 0)
            return;
        var brought = (ulong.MaxValue << first) & (ulong.MaxValue >> (63 - last));
        for (var i = 0; i < segment[0]; i++)
        {
            for (var component = 0; component < Components; component++)
            {
                if (ids[component] == segment[1 + (2 * i)])
                    done[component] |= brought;
            }
        }
    }

    [InlineArray(MostComponents)]
    private struct PerComponent<T>
    {
        private T first;
    }
}
