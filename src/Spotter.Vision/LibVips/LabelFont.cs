using Spotter.Core;

namespace Spotter.Vision.LibVips;

/// <summary>The font of labels, and the settings of the font library: both lie beside the program.</summary>
internal static class LabelFont
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "fonts");

    /// <summary>The font's file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static string File => Find("DejaVuSans-Bold.ttf") ?? throw new SpotterException(
        ErrorCodes.NativeMissing, $"The font for labels is not in {Folder}; run `npm ci` in web/, then build Spotter anew.");

    /// <summary>The settings' file; null if it is not there, and then the font library uses the machine's own.</summary>
    public static string? Settings => Find("fonts.conf");

    private static string? Find(string name) => Path.Combine(Folder, name) is var file && System.IO.File.Exists(file) ? file : null;
}
