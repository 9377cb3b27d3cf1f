using Spotter.Core;

namespace Spotter.Tests.Vision;

/// <summary>Damages pictures, the same way for the same seed.</summary>
internal static class PictureMutator
{
    // What a number in a header is when it is to hurt: nothing, one, the borders of signed and unsigned.
    private static readonly byte[][] Extremes =
    [
        [0x00, 0x00], [0x00, 0x01], [0x7F, 0xFF], [0x80, 0x00], [0xFF, 0xFF],
        [0x00, 0x00, 0x00, 0x00], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0x00, 0x00, 0x00], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F],
    ];

    /// <summary>A damaged copy.</summary>
    public static byte[] Mutate(byte[] original, RandomSource random)
    {
        int Below(int limit) => (int)(random.NextDouble() * limit);
        var bytes = (byte[])original.Clone();
        switch (Below(6))
        {
            case 0: // bits anywhere
                for (var i = Below(20); i >= 0; i--)
                    bytes[Below(bytes.Length)] ^= (byte)(1 << Below(8));
                break;
            case 1: // bytes in the header
                for (var i = Below(6); i >= 0; i--)
                    bytes[Below(Math.Min(200, bytes.Length))] = (byte)Below(256);
                break;
            case 2: // cut off
                return bytes[..Below(bytes.Length)];
            case 3: // a piece left out
                var from = Below(bytes.Length);
                return [.. bytes[..from], .. bytes[(from + Below(bytes.Length - from))..]];
            case 4: // a piece twice
                var at = Below(bytes.Length);
                return [.. bytes[..at], .. bytes[Below(at + 1)..]];
            default: // a number of the header at its extreme
                var extreme = Extremes[Below(Extremes.Length)];
                extreme.CopyTo(bytes, Below(Math.Min(100, bytes.Length) - extreme.Length));
                break;
        }
        return bytes;
    }
}
