namespace Spotter.Vision.Annotation;

/// <summary>An opaque 8-bit colour.</summary>
internal readonly record struct Colour(byte Red, byte Green, byte Blue)
{
    public static Colour White { get; } = new(255, 255, 255);

    public static Colour Ink { get; } = new(16, 20, 24);

    /// <summary>White or near black, whichever is easier to read on this colour.</summary>
    public Colour Contrast => (0.299 * Red) + (0.587 * Green) + (0.114 * Blue) > 118 ? Ink : White;
}

/// <summary>The colour of each class: always the same, and neighbours in the class list far apart.</summary>
internal static class Palette
{
    private static readonly Colour[] Colours =
    [
        new(0, 200, 83), new(41, 121, 255), new(255, 145, 0), new(213, 0, 249), new(255, 214, 0),
        new(0, 184, 212), new(255, 23, 68), new(118, 255, 3), new(101, 31, 255), new(255, 109, 165),
        new(0, 150, 136), new(255, 171, 145), new(61, 90, 254), new(198, 255, 0), new(141, 85, 36),
        new(24, 255, 255), new(244, 81, 30), new(156, 39, 176), new(192, 192, 192), new(46, 125, 50),
    ];

    public static int Count => Colours.Length;

    public static Colour Of(int classId) => Colours[(int)((uint)classId % (uint)Colours.Length)];
}
