using System.Security.Cryptography;

namespace Spotter.Core;

/// <summary>Where randomness comes from, so that a test can repeat what happened.</summary>
public abstract class RandomSource
{
    /// <summary>The operating system's generator: ids and tokens that cannot be guessed.</summary>
    public static RandomSource System { get; } = new SystemRandom();

    /// <summary>A repeatable sequence for tests and simulations; never for ids or secrets.</summary>
    public static RandomSource Seeded(int seed) => new SeededRandom(seed);

    /// <summary>Fills <paramref name="bytes"/>.</summary>
    public abstract void Fill(Span<byte> bytes);

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble()
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes);
        return (BitConverter.ToUInt64(bytes) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary><paramref name="byteCount"/> random bytes as lower-case hexadecimal.</summary>
    public string NextHex(int byteCount)
    {
        Span<byte> bytes = stackalloc byte[byteCount];
        Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }

#pragma warning disable RS0030 // The one place where the banned generators are wrapped.
    private sealed class SystemRandom : RandomSource
    {
        public override void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
    }

    private sealed class SeededRandom(int seed) : RandomSource
    {
        private readonly Random random = new(seed);
        private readonly Lock gate = new();

        public override void Fill(Span<byte> bytes)
        {
            lock (gate)
                random.NextBytes(bytes);
        }
    }
#pragma warning restore RS0030
}
