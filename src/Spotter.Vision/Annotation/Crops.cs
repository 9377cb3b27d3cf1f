using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Takes a file that was made of a picture.</summary>
/// <param name="name">What results call it.</param>
/// <param name="mediaType">What it is, as <c>image/png</c>.</param>
/// <param name="bytes">Its bytes, which may not be kept.</param>
public delegate void FileAction(string name, string mediaType, ReadOnlyMemory<byte> bytes);

/// <summary>Cuts the boxes of detections out of their picture, each as a picture of its own.</summary>
public static unsafe class Crops
{
    /// <summary>Most of one picture: the most confident. A job has room for a few files besides.</summary>
    public const int Most = 50;

    /// <summary>Cuts them out; the result with the name of each.</summary>
    internal static VisionResult Cut(Canvas canvas, VisionResult result, FileAction onFile, CancellationToken cancel)
    {
        if (result.Detections is not { } all)
            return result;
        var detections = all.ToList();
        for (var i = 0; i < Math.Min(Most, detections.Count); i++)
        {
            cancel.ThrowIfCancellationRequested();
            var name = $"crop-{i + 1}.jpg";
            using var part = Copy(canvas, Region.Around(detections[i].Box, 0, canvas.Width, canvas.Height));
            using var encoded = Encoder.Encode(part);
            onFile(name, "image/jpeg", encoded.Bytes);
            detections[i] = detections[i] with { Crop = name };
        }
        return result with { Detections = detections };
    }

    private static Canvas Copy(Canvas canvas, Region area)
    {
        var part = new Canvas(area.Width, area.Height);
        for (var y = 0; y < area.Height; y++)
            new Span<byte>(canvas.Row(area.Y + y) + (area.X * 3), part.Stride).CopyTo(new Span<byte>(part.Row(y), part.Stride));
        return part;
    }
}
