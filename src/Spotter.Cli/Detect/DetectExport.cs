using Spotter.Core;
using Spotter.Vision.Export;

namespace Spotter.Cli.Detect;

/// <summary>What <c>detect --format</c> writes.</summary>
internal static class DetectExport
{
    /// <summary>Writes it to standard output; of YOLO a file for each picture, and <c>classes.txt</c>.</summary>
    /// <param name="format">The format.</param>
    /// <param name="set">The pictures.</param>
    /// <param name="folder">Where the files go; not null for YOLO.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: they can't be written.</exception>
    public static void Write(ResultFormat format, ExportedSet set, string? folder)
    {
        if (format != ResultFormat.Yolo)
        {
            using var output = Console.OpenStandardOutput();
            output.Write(set.Write(format).Bytes);
            return;
        }
        try
        {
            foreach (var (name, text) in set.YoloFiles())
                File.WriteAllText(Path.Combine(folder!, name), text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The labels can't be written: {e.Message} Name another folder with --out.", e);
        }
    }
}
