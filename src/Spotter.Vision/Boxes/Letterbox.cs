using Spotter.Core.Vision;
using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>Where a picture lies in a model's input: scaled to fit, the rest filled with grey.</summary>
/// <param name="Scale">Input pixels per picture pixel.</param>
/// <param name="Width">Width of the picture within the input.</param>
/// <param name="Height">Height of the picture within the input.</param>
/// <param name="Left">Its left edge.</param>
/// <param name="Top">Its top edge.</param>
internal readonly record struct Letterbox(double Scale, int Width, int Height, int Left, int Top)
{
    /// <summary>The value of the pixels around the picture, of 255.</summary>
    public const float Fill = 114;

    /// <summary>
    /// As the model's family was trained: Ultralytics puts the picture in the middle and rounds, YOLOX puts it at the top
    /// left and rounds down.
    /// </summary>
    public static Letterbox Create(DetectorFamily family, int inputWidth, int inputHeight, int width, int height)
    {
        var scale = Math.Min((double)inputWidth / width, (double)inputHeight / height);
        if (family == DetectorFamily.YoloX)
            return new(scale, Math.Max(1, (int)(width * scale)), Math.Max(1, (int)(height * scale)), 0, 0);

        var (w, h) = (Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
        // An odd pixel of padding goes to the right and to the bottom.
        return new(scale, w, h, (int)Math.Round(((inputWidth - w) / 2.0) - 0.1), (int)Math.Round(((inputHeight - h) / 2.0) - 0.1));
    }

    /// <summary>From input pixels to pixels of the picture.</summary>
    public Box ToPicture(double x1, double y1, double x2, double y2) =>
        new((x1 - Left) / Scale, (y1 - Top) / Scale, (x2 - Left) / Scale, (y2 - Top) / Scale);

    /// <summary>From pixels of the picture to input pixels.</summary>
    public Box ToInput(Box box) =>
        new((box.X1 * Scale) + Left, (box.Y1 * Scale) + Top, (box.X2 * Scale) + Left, (box.Y2 * Scale) + Top);
}
