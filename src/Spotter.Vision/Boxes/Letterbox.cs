using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>Where a picture, or a part of it, lies in a model's input: scaled, and perhaps with its edges cut off.</summary>
/// <param name="ScaleX">Input pixels per picture pixel along the width.</param>
/// <param name="ScaleY">Input pixels per picture pixel along the height.</param>
/// <param name="Width">Width of the scaled picture, which may be more than the input's.</param>
/// <param name="Height">Height of the scaled picture.</param>
/// <param name="Left">Its left edge in the input; below 0 when its edges are cut off.</param>
/// <param name="Top">Its top edge.</param>
internal readonly record struct Letterbox(double ScaleX, double ScaleY, int Width, int Height, int Left, int Top)
{
    /// <summary>For a part of a picture: where its left edge is in the picture.</summary>
    public int FromX { get; init; }

    /// <summary>For a part of a picture: where its top edge is in the picture.</summary>
    public int FromY { get; init; }

    /// <summary>
    /// As the model was trained: Ultralytics puts the picture in the middle and rounds, YOLOX puts it at the top left and
    /// rounds down, classifiers see the middle, and others the picture out of shape.
    /// </summary>
    /// <param name="input">The model's input.</param>
    /// <param name="width">Width of the upright picture, or of its part.</param>
    /// <param name="height">Its height.</param>
    public static Letterbox Create(InputSpec input, int width, int height)
    {
        switch (input.Fit)
        {
            case Fit.Stretch:
                return new((double)input.Width / width, (double)input.Height / height, input.Width, input.Height, 0, 0);
            case Fit.Line:
                var line = Math.Clamp((int)Math.Ceiling((double)width * input.Height / height), 1, input.Width);
                return new((double)line / width, (double)input.Height / height, line, input.Height, 0, 0);
            case Fit.Crop:
                return Crop(input, width, height);
        }
        var scale = Math.Min((double)input.Width / width, (double)input.Height / height);
        if (input.Fit == Fit.LetterboxTopLeft)
            return new(scale, scale, Math.Max(1, (int)(width * scale)), Math.Max(1, (int)(height * scale)), 0, 0);

        var (w, h) = (Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
        // An odd pixel of padding goes to the right and to the bottom.
        return new(scale, scale, w, h, (int)Math.Round(((input.Width - w) / 2.0) - 0.1), (int)Math.Round(((input.Height - h) / 2.0) - 0.1));
    }

    /// <summary>From input pixels to pixels of the picture.</summary>
    public Box ToPicture(double x1, double y1, double x2, double y2)
    {
        var (left, top) = ToPicture(x1, y1);
        var (right, bottom) = ToPicture(x2, y2);
        return new(left, top, right, bottom);
    }

    /// <summary>From input pixels to pixels of the picture.</summary>
    public Point ToPicture(double x, double y) => new(((x - Left) / ScaleX) + FromX, ((y - Top) / ScaleY) + FromY);

    /// <summary>From pixels of the picture to input pixels.</summary>
    public Box ToInput(Box box) => new(
        ((box.X1 - FromX) * ScaleX) + Left, ((box.Y1 - FromY) * ScaleY) + Top,
        ((box.X2 - FromX) * ScaleX) + Left, ((box.Y2 - FromY) * ScaleY) + Top);

    private static Letterbox Crop(InputSpec input, int width, int height)
    {
        // The input is covered, whatever the shorter edge is brought to first.
        var edge = (double)Math.Max(input.ResizeTo, Math.Min(input.Width, input.Height));
        var scale = Math.Max(edge / Math.Min(width, height), Math.Max((double)input.Width / width, (double)input.Height / height));
        var (w, h) = (Math.Max(input.Width, (int)Math.Round(width * scale)), Math.Max(input.Height, (int)Math.Round(height * scale)));
        return new((double)w / width, (double)h / height, w, h, -((w - input.Width) / 2), -((h - input.Height) / 2));
    }
}
