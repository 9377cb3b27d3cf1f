using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>Pictures on which a model is tried before it serves: what it says about them shows whether its outputs are read rightly.</summary>
internal enum TrialPicture
{
    /// <summary>One grey all over: there is nothing to be found.</summary>
    Grey,

    /// <summary>Random pixels, the same each time: there is nothing to be found either.</summary>
    Noise,

    /// <summary>Discs and rectangles of several colours on a ground that grows brighter downwards.</summary>
    Shapes,
}

/// <summary>Writes them into a model's input.</summary>
internal static class TrialPictures
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<TrialPicture> All { get; } = Enum.GetValues<TrialPicture>();

    /// <summary>Fills the tensor of one picture, prepared as the input wants it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(TrialPicture picture, InputSpec input, Span<byte> tensor)
    {
        var random = 0x9E3779B9u;
        for (var y = 0; y < input.Height; y++)
        {
            for (var x = 0; x < input.Width; x++)
            {
                for (var channel = 0; channel < input.Channels; channel++)
                {
                    // Marsaglia's xorshift: the same on every machine, whatever the library's own generator becomes.
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    var value = picture switch
                    {
                        TrialPicture.Grey => 127,
                        TrialPicture.Noise => (byte)(random >> 24),
                        _ => Shape(x / (double)input.Width, y / (double)input.Height, input.Bgr ? 2 - channel : channel),
                    };
                    var at = input.ChannelsLast ? (((y * input.Width) + x) * input.Channels) + channel : (((channel * input.Height) + y) * input.Width) + x;
                    Put(tensor, input.Type, at, (value * input.Factor(channel)) + input.Offset(channel));
                }
            }
        }
    }

    /// <summary>The value of a colour (0 red, 1 green, 2 blue) at a place in shares of the picture.</summary>
    private static int Shape(double x, double y, int colour)
    {
        if (x is > 0.1 and < 0.35 && y is > 0.2 and < 0.8)
            return colour == 0 ? 210 : 35;
        if (x is > 0.55 and < 0.9 && y is > 0.6 and < 0.9)
            return colour == 2 ? 220 : 60;
        var (fromX, fromY) = (x - 0.7, y - 0.3);
        if ((fromX * fromX) + (fromY * fromY) < 0.03)
            return colour == 2 ? 20 : 235;
        return 70 + (int)(100 * y);
    }

    private static void Put(Span<byte> tensor, int type, int at, float value)
    {
        switch (type)
        {
            case OrtPort.UInt8:
                tensor[at] = (byte)Math.Clamp(value, 0, 255);
                break;
            case OrtPort.Int32:
                MemoryMarshal.Cast<byte, int>(tensor)[at] = (int)Math.Clamp(value, 0, 255);
                break;
            case OrtPort.Float16:
                MemoryMarshal.Cast<byte, Half>(tensor)[at] = (Half)value;
                break;
            default:
                MemoryMarshal.Cast<byte, float>(tensor)[at] = value;
                break;
        }
    }
}
