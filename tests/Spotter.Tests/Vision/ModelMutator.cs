using Spotter.Core;
using Spotter.EndToEnd.Harness;

namespace Spotter.Tests.Vision;

/// <summary>Damages model files, from a single bit to files that are only of the form of one.</summary>
internal sealed class ModelMutator(RandomSource random)
{
    // What a model file uses, and a few that it does not.
    private static readonly int[] Fields = [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15, 20, 999, 536_870_911];

    private static readonly long[] Odd = [0, 1, -1, 127, 128, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40];

    private static readonly string[] Texts =
        ["", "images", "output0", "Conv", "Identity", "names", "{0: 'a'", "../../../etc/passwd", "\0", new('x', 70_000), "/dev/zero", "{999999999: 'a'}", "task"];

    /// <summary>A damaged copy, or a file of its own.</summary>
    public byte[] Mutate(byte[] original)
    {
        var bytes = (byte[])original.Clone();
        switch (Below(9))
        {
            case 0: // bits anywhere
                for (var i = Below(20); i >= 0; i--)
                    bytes[Below(bytes.Length)] ^= (byte)(1 << Below(8));
                return bytes;
            case 1: // bytes where the form of the file is: its beginning or its end
                for (var i = Below(6); i >= 0; i--)
                {
                    var near = Below(Math.Min(400, bytes.Length));
                    bytes[Below(2) == 0 ? near : bytes.Length - 1 - near] = (byte)Below(256);
                }
                return bytes;
            case 2: // cut off
                return bytes[..Below(bytes.Length)];
            case 3: // a piece left out
                var from = Below(bytes.Length);
                return [.. bytes[..from], .. bytes[(from + Below(bytes.Length - from))..]];
            case 4: // a piece twice
                var at = Below(bytes.Length);
                return [.. bytes[..at], .. bytes[Below(at + 1)..]];
            case 5: // two pieces change places
                int a = Below(bytes.Length / 2), b = (bytes.Length / 2) + Below(bytes.Length / 2), length = Below(Math.Min(bytes.Length / 2 - a, bytes.Length - b));
                original.AsSpan(a, length).CopyTo(bytes.AsSpan(b));
                original.AsSpan(b, length).CopyTo(bytes.AsSpan(a));
                return bytes;
            case 6: // a length or a number that lies
                var place = Below(bytes.Length);
                return [.. bytes[..place], .. new ProtoWriter().Number(1, Odd[Below(Odd.Length)]).ToArray()[1..], .. bytes[Math.Min(bytes.Length, place + 1)..]];
            case 7: // more of the same message: its fields are merged with those that are there
                return [.. bytes, .. Random(depth: 4).ToArray()];
            default: // of the form of a model, and nothing else
                return Random(depth: 6).ToArray();
        }
    }

    private ProtoWriter Random(int depth)
    {
        var message = new ProtoWriter();
        for (var i = Below(6); i >= 0; i--)
        {
            var field = Fields[Below(Fields.Length)];
            switch (Below(depth > 0 ? 4 : 3))
            {
                case 0:
                    message.Number(field, Below(2) == 0 ? Below(64) : Odd[Below(Odd.Length)]);
                    break;
                case 1:
                    message.Text(field, Texts[Below(Texts.Length)]);
                    break;
                case 2:
                    var noise = new byte[Below(40)];
                    random.Fill(noise);
                    message.Bytes(field, noise);
                    break;
                default:
                    message.Message(field, Random(depth - 1));
                    break;
            }
        }
        return message;
    }

    private int Below(int limit) => (int)(random.NextDouble() * limit);
}
