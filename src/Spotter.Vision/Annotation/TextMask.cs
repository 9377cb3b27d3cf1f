using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using NetVips;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Annotation;

/// <summary>A piece of text as a map of how much of each pixel is ink, 0 to 255.</summary>
/// <param name="Width">Width of the inked part.</param>
/// <param name="Height">Height of the inked part.</param>
/// <param name="Left">From where the text begins to its first ink.</param>
/// <param name="Top">From the top of the line to the highest ink.</param>
/// <param name="Ink">The map, row by row.</param>
internal sealed record TextMask(int Width, int Height, int Left, int Top, byte[] Ink)
{
    private const int LongestText = 60;
    private const long CacheBytes = 16 << 20;

    private static readonly Lazy<string> Font = new(() => LabelFont.File);
    private static readonly ConcurrentDictionary<(string Text, int Size), TextMask> Cache = new();
    private static long cachedBytes;

    private static TextMask Empty { get; } = new(0, 0, 0, 0, []);

    /// <summary>Where the text's last ink ends, counted from where the text begins.</summary>
    public int Right => Left + Width;

    /// <summary>Renders a text, or takes it from the cache: a detector says the same few words again and again.</summary>
    /// <param name="text">Any text; it is cut when long and never read as markup.</param>
    /// <param name="size">Height of the font in pixels.</param>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.NativeMissing"/>: the font.</exception>
    public static TextMask Of(string text, int size)
    {
        if (Cache.TryGetValue((text, size), out var cached))
            return cached;
        var mask = Render(Plain(text), size);
        if (Interlocked.Add(ref cachedBytes, mask.Ink.Length + 100) > CacheBytes)
        {
            Cache.Clear();
            Interlocked.Exchange(ref cachedBytes, 0);
        }
        Cache[(text, size)] = mask;
        return mask;
    }

    private static TextMask Render(string text, int size)
    {
        if (string.IsNullOrWhiteSpace(text))
            return Empty;
        try
        {
            Vips.Start();
            using var image = Image.Text(
                Escape(text),
                font: string.Create(CultureInfo.InvariantCulture, $"DejaVu Sans Bold {size}"),
                dpi: 72, // at which a point is a pixel
                fontfile: Font.Value);
            int width = image.Width, height = image.Height;
            using var rows = new VipsRows(image);
            using var strip = rows.Read(0, height);
            var ink = new byte[width * height];
            for (var y = 0; y < height; y++)
                strip.Row(y).CopyTo(ink.AsSpan(y * width));
            return new TextMask(width, height, image.Xoffset, image.Yoffset, ink);
        }
        catch (VipsException)
        {
            // Text of invisible signs only is refused; a box without words is still a box.
            return Empty;
        }
    }

    private static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length >= LongestText)
                return plain.Append('…').ToString();
            if (!Rune.IsControl(rune))
                plain.Append(rune.ToString());
        }
        return plain.ToString();
    }

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);
}
