using Spotter.Core.Vision;

namespace Spotter.Vision.Models;

/// <summary>How a detector's output is laid out, and with it how its input has to be prepared.</summary>
internal enum DetectorFamily
{
    /// <summary><c>[1, 4 + classes, anchors]</c>, no objectness.</summary>
    YoloV8,

    /// <summary><c>[1, anchors, 5 + classes]</c>, boxes in input pixels.</summary>
    YoloV5,

    /// <summary><c>[1, anchors, 5 + classes]</c>, mostly straight from the heads; input as BGR 0..255 from the top left.</summary>
    YoloX,
}

/// <summary>Everything that has to be known to run a detector and read its output.</summary>
internal sealed record DetectorModel
{
    public required ModelInfo Info { get; init; }

    public required DetectorFamily Family { get; init; }

    /// <summary>Index of the output that holds the boxes.</summary>
    public required int Output { get; init; }

    public required int Classes { get; init; }

    public required int Anchors { get; init; }

    /// <summary>True when boxes count from their cell, in cells, and have yet to be decoded.</summary>
    public bool BoxesInCells { get; init; }

    public int InputWidth => Info.InputWidth;

    public int InputHeight => Info.InputHeight;

    /// <summary>Numbers in the output.</summary>
    public int OutputLength => Anchors * (Classes + (Family == DetectorFamily.YoloV8 ? 4 : 5));

    public bool BgrInput => Family == DetectorFamily.YoloX;

    /// <summary>What an 8-bit value is multiplied by.</summary>
    public float PixelScale => Family == DetectorFamily.YoloX ? 1 : 1 / 255f;
}
