using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>How a picture is brought to the shape of a model's input.</summary>
internal enum Fit
{
    /// <summary>Scaled to fit, in the middle, the rest filled (Ultralytics).</summary>
    Letterbox,

    /// <summary>Scaled to fit, at the top left, the rest filled (YOLOX).</summary>
    LetterboxTopLeft,

    /// <summary>Scaled to the input's width and height, whatever that does to its shape (DETR, SSD, NanoDet).</summary>
    Stretch,

    /// <summary>Scaled until its shorter edge fits, then the middle is cut out (classifiers).</summary>
    Crop,

    /// <summary>Scaled to the input's height and, at most, to its width, at the left, the rest filled (lines of text).</summary>
    Line,
}

/// <summary>The picture that a model takes.</summary>
internal sealed record InputSpec
{
    /// <summary>Its place among the inputs.</summary>
    public required int Index { get; init; }

    /// <summary>Element type: float32, float16, uint8 or int32.</summary>
    public required int Type { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>The model leaves its width free, and nothing says which to take.</summary>
    public bool HasFreeWidth { get; init; }

    /// <summary>The same of its height.</summary>
    public bool HasFreeHeight { get; init; }

    /// <summary>How the size follows the picture; null when it is always the same.</summary>
    public FreeSize? Free { get; init; }

    /// <summary>3, or 1 for a model that takes grey.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>True for <c>[1, height, width, 3]</c>, false for <c>[1, 3, height, width]</c>.</summary>
    public bool ChannelsLast { get; init; }

    /// <summary>True for three dimensions: no batch.</summary>
    public bool Single { get; init; }

    /// <summary>True when several pictures can go in at once.</summary>
    public bool Batches { get; init; }

    public bool Bgr { get; init; }

    /// <summary>What an 8-bit value is multiplied by first.</summary>
    public float Scale { get; init; } = 1 / 255f;

    /// <summary>Then this is taken off, per channel in the model's order.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0, 0, 0];

    /// <summary>Then it is divided by this, per channel in the model's order.</summary>
    public IReadOnlyList<float> Deviation { get; init; } = [1, 1, 1];

    public Fit Fit { get; init; }

    /// <summary>The 8-bit value around a letterboxed picture.</summary>
    public float Fill { get; init; } = 114;

    /// <summary>For <see cref="Models.Fit.Crop"/>: length of the shorter edge before the middle is cut out; 0 for the input's own.</summary>
    public int ResizeTo { get; init; }

    /// <summary>Shape of a tensor for so many pictures.</summary>
    public long[] Shape(int batch) => (ChannelsLast, Single) switch
    {
        (false, false) => [batch, Channels, Height, Width],
        (true, false) => [batch, Height, Width, Channels],
        (false, true) => [Channels, Height, Width],
        (true, true) => [Height, Width, Channels],
    };

    /// <summary>True when the planes of floats that are resampled to are the tensor itself.</summary>
    public bool IsPlanes => Type == OrtPort.Float32 && !ChannelsLast && Channels == 3;

    /// <summary>The input for a picture of a size: of another size itself, where that is free.</summary>
    public InputSpec For(int width, int height)
    {
        if (Free is null)
            return this;
        var (inputWidth, inputHeight) = Free.For(width, height, Height);
        return this with { Width = inputWidth, Height = inputHeight };
    }

    /// <summary>What an 8-bit value of a channel is multiplied by to become the model's number.</summary>
    public float Factor(int channel) => Scale / Deviation[channel];

    /// <summary>What is added after that.</summary>
    public float Offset(int channel) => -Mean[channel] / Deviation[channel];
}
