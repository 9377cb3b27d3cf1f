namespace Spotter.Vision.Filters;

/// <summary>What a filter makes of a picture.</summary>
public enum FilterKind
{
    /// <summary>Every pixel becomes the mean of a square of pixels, rounded down; the picture loses the square's edge less one.</summary>
    Blur,

    /// <summary>Every pixel becomes its difference to its left neighbour; the picture loses one column.</summary>
    Contour,

    /// <summary>Turned by a quarter, a half or three quarters.</summary>
    Rotate,

    /// <summary>Pixels here and there become white or black.</summary>
    Salt,

    /// <summary>What is brighter than the threshold becomes white, the rest black.</summary>
    Segment,

    /// <summary>Several pictures side by side.</summary>
    Concat,
}

/// <summary>In what a filter works.</summary>
public enum FilterMode
{
    /// <summary>Each of red, green and blue by itself.</summary>
    Colour,

    /// <summary>In grey: 0.2989 red, 0.5870 green and 0.1140 blue.</summary>
    Grey,
}

/// <summary>Which edges of pictures touch when they are put side by side.</summary>
public enum ConcatSides
{
    /// <summary>The first one's right edge touches the second one's left: A B C.</summary>
    RightToLeft,

    /// <summary>The first one's left edge touches the second one's right: C B A.</summary>
    LeftToRight,

    /// <summary>The first one's top edge touches the second one's bottom: the second is above the first.</summary>
    TopToBottom,

    /// <summary>The first one's bottom edge touches the second one's top: the second is below the first.</summary>
    BottomToTop,
}

/// <summary>A filter and its settings; those of other filters are not looked at.</summary>
public sealed record FilterRequest
{
    /// <summary>Which filter.</summary>
    public required FilterKind Kind { get; init; }

    /// <summary>In colour or in grey.</summary>
    public FilterMode Mode { get; init; }

    /// <summary>For <see cref="FilterKind.Blur"/>: edge of the square in pixels.</summary>
    public int Level { get; init; } = 16;

    /// <summary>For <see cref="FilterKind.Rotate"/>: 90, 180 or 270.</summary>
    public int Degrees { get; init; } = 90;

    /// <summary>For <see cref="FilterKind.Rotate"/>: against the clock.</summary>
    public bool AntiClockwise { get; init; }

    /// <summary>For <see cref="FilterKind.Salt"/>: how many pixels are drawn, as a share of all; some are drawn twice. 0 to 1.</summary>
    public double Amount { get; init; } = 0.05;

    /// <summary>For <see cref="FilterKind.Salt"/>: makes the same draw again; null for another one each time.</summary>
    public int? Seed { get; init; }

    /// <summary>For <see cref="FilterKind.Segment"/>: 0 to 255.</summary>
    public int Threshold { get; init; } = 100;

    /// <summary>For <see cref="FilterKind.Concat"/>: which edges touch.</summary>
    public ConcatSides Sides { get; init; }

    /// <summary>For <see cref="FilterKind.Concat"/>: refuse pictures whose touching edges differ, instead of scaling them.</summary>
    public bool Strict { get; init; }

    /// <summary>In grey: spread what is between the darkest and the brightest pixel over 0 to 255.</summary>
    public bool Stretch { get; init; }

    /// <summary>True when pictures are put one above the other.</summary>
    public bool IsVertical => Sides is ConcatSides.TopToBottom or ConcatSides.BottomToTop;
}
