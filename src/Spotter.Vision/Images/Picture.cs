using NetVips;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Images;

/// <summary>
/// An encoded picture whose header has been read and found within limits. Its pixels are decoded when rows are read:
/// 8 bits per band, one band (grey) or three (sRGB), whatever was stored (<see cref="OneForm"/>).
/// </summary>
/// <remarks>Belongs to one thread.</remarks>
internal sealed class Picture : IDisposable
{
    private readonly ReadOnlyMemory<byte> encoded;
    private readonly ImageFormat format;
    private readonly ReadOnlyMemory<byte> content;
    private Image image;
    private StoredColours? colours;

    private Picture(ReadOnlyMemory<byte> encoded, ImageFormat format, bool lacksEnd)
    {
        this.encoded = encoded;
        this.format = format;
        RunStage.BeginDecoding();
        try
        {
            Failpoint.At("worker-decoding");
            content = lacksEnd && UnendedJpeg.Mend(encoded.Span) is { } mended ? mended : encoded;
            image = Load(shrink: 1);
        }
        catch
        {
            RunStage.EndDecoding();
            throw;
        }
    }

    /// <summary>How it has to be turned.</summary>
    public Orientation Orientation { get; private set; }

    /// <summary>Width of the upright picture, whatever it is decoded at.</summary>
    public int Width { get; private set; }

    /// <summary>Height of the upright picture, whatever it is decoded at.</summary>
    public int Height { get; private set; }

    /// <summary>Width of the rows that <see cref="Rows"/> gives.</summary>
    public int StoredWidth => image.Width;

    /// <summary>Number of rows that <see cref="Rows"/> gives.</summary>
    public int StoredHeight => image.Height;

    /// <summary>Bytes per pixel of these rows.</summary>
    public int Bands => image.Bands;

    /// <summary>1, 2, 4 or 8: stored width is full width divided by this, give or take a pixel.</summary>
    public int Shrink { get; private set; } = 1;

    /// <summary>Reads the header.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.EmptyBody"/>, <see cref="ErrorCodes.UnsupportedImage"/>, <see cref="ErrorCodes.HeicDisabled"/>,
    /// <see cref="ErrorCodes.TooManyPixels"/>, <see cref="ErrorCodes.ImageTruncated"/>, <see cref="ErrorCodes.ImageInvalid"/>,
    /// <see cref="ErrorCodes.ImageTooComplex"/>, <see cref="ErrorCodes.NativeMissing"/>.
    /// </exception>
    public static Picture Open(ReadOnlyMemory<byte> encoded, ImageLimits limits)
    {
        if (encoded.IsEmpty)
            throw new SpotterException(ErrorCodes.EmptyBody, "The picture has no bytes; send a JPEG, PNG, WebP or GIF.");
        var (claimed, structure) = CheckHeader(encoded.Span, limits);
        Vips.Start();
        Vips.ForgetErrors();
        try
        {
            var picture = new Picture(encoded, claimed, structure.LacksEnd);
            try
            {
                picture.ReadHeader(limits);
                return picture;
            }
            catch
            {
                picture.Dispose();
                throw;
            }
        }
        catch (VipsException e)
        {
            throw Refuse(claimed, encoded.Span, e);
        }
    }

    /// <summary>
    /// Lets the decoder itself make the picture smaller, to no less than the given upright size, where the format can.
    /// Only JPEG gains time by it.
    /// </summary>
    public void ShrinkTo(int width, int height)
    {
        if (format != ImageFormat.Jpeg)
            return;
        var shrink = 1;
        while (shrink < 8 && Width / (shrink * 2) >= width && Height / (shrink * 2) >= height)
            shrink *= 2;
        if (shrink == 1)
            return;
        try
        {
            var smaller = Load(shrink);
            image.Dispose();
            image = smaller;
            Shrink = shrink;
        }
        catch (VipsException e)
        {
            throw Refuse(format, encoded.Span, e);
        }
    }

    /// <summary>The rows as stored, from top to bottom.</summary>
    public PictureRows Rows() => new(this, new VipsRows(image), colours!.Table);

    public void Dispose()
    {
        RunStage.EndDecoding();
        image.Dispose();
    }

    internal SpotterException Refuse(VipsException cause) => Refuse(format, encoded.Span, cause);

    /// <summary>Refuses what need not be shown to a decoder at all.</summary>
    private static (ImageFormat Format, PictureStructure Structure) CheckHeader(ReadOnlySpan<byte> bytes, ImageLimits limits)
    {
        var header = ImageHeader.ReadWhole(bytes);
        switch (header)
        {
            case { Status: ImageHeaderStatus.Known, Format: { } known }:
                CheckSize(header.Width, header.Height, limits);
                var structure = PictureStructure.Read(known, bytes);
                CheckStructure(structure, known, (long)header.Width * header.Height);
                return (known, structure);
            case { Status: ImageHeaderStatus.Truncated, Format: { } cut }:
                throw new SpotterException(ErrorCodes.ImageTruncated, $"The {Name(cut)} ends within its header; send it again, whole.");
            case { Status: ImageHeaderStatus.Heif }:
                throw new SpotterException(ErrorCodes.HeicDisabled, "HEIC and AVIF are not read here; send a JPEG, PNG, WebP or GIF.");
            case { Format: { } damaged }:
                throw new SpotterException(ErrorCodes.ImageInvalid, $"The {Name(damaged)}'s header is damaged; send another copy.");
            default:
                throw new SpotterException(ErrorCodes.UnsupportedImage, "These bytes are not a JPEG, PNG, WebP or GIF; send one of those.");
        }
    }

    private static void CheckSize(int width, int height, ImageLimits limits)
    {
        if (Math.Max(width, height) > limits.MaxEdge || (long)width * height > limits.MaxPixels)
        {
            throw new SpotterException(
                ErrorCodes.TooManyPixels,
                $"The picture is {width} x {height} pixels; the most is {limits.MaxPixels / 1e6:0.#} million and {limits.MaxEdge} along an edge, so send a smaller one.");
        }
    }

    /// <summary>
    /// A small file can ask for hours of work. Each scan of a progressive JPEG goes over the whole picture again and may be
    /// a few bytes long; cameras and programs write about ten. Of an animation all frames are listed, and what is packed
    /// beside a PNG's pixels is unpacked, before the first row.
    /// </summary>
    private static void CheckStructure(PictureStructure structure, ImageFormat format, long pixels)
    {
        const int mostScans = 1_000, mostFrames = 10_000;
        const long mostWork = 2_500_000_000, mostPacked = 2 << 20;
        // One without an end mark is gone over twice to see whether it is whole.
        var times = structure.LacksEnd ? 3 : 1;
        if (structure.Scans is > 1 and var scans && (scans > mostScans || times * scans * pixels > mostWork))
            throw TooComplex($"The JPEG is cut into {scans} scans; save it anew with fewer, or not as a progressive one.");
        if (structure.Frames > mostFrames)
            throw TooComplex($"The {Name(format)} is an animation of {structure.Frames} frames, of which at most {mostFrames} are read; send a shorter one, or a still picture.");
        if (structure.PackedNotes > mostPacked)
            throw TooComplex($"The PNG has {structure.PackedNotes} bytes of compressed text and profiles, of which at most {mostPacked} are read; save it without metadata.");
    }

    private static SpotterException TooComplex(string message) => new(ErrorCodes.ImageTooComplex, message);

    private static SpotterException Refuse(ImageFormat format, ReadOnlySpan<byte> bytes, VipsException cause) =>
        PictureEnd.IsMissing(format, bytes)
            ? new SpotterException(ErrorCodes.ImageTruncated, $"The {Name(format)} ends before it should ({Vips.Reason(cause)}); send it again, whole.", cause)
            : new SpotterException(ErrorCodes.ImageInvalid, $"The {Name(format)} is damaged ({Vips.Reason(cause)}); send another copy.", cause);

    private static string Name(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "JPEG",
        ImageFormat.Png => "PNG",
        ImageFormat.WebP => "WebP",
        _ => "GIF",
    };

    private Image Load(int shrink) => OneForm.Of(
        Image.NewFromBuffer(
            content.Span, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error, kwargs: shrink > 1 ? new VOption { ["shrink"] = shrink } : null),
        ref colours);

    private void ReadHeader(ImageLimits limits)
    {
        CheckSize(image.Width, image.Height, limits);
        Orientation = new Orientation(image.Contains("orientation") && image.Get("orientation") is int and >= 1 and <= 8 and var exif ? exif : 1);
        (Width, Height) = Orientation.Turn(image.Width, image.Height);
    }
}

/// <summary>Reads a picture's rows once, from top to bottom, a strip at a time.</summary>
internal readonly struct PictureRows(Picture picture, VipsRows rows, ColourTable? colours) : IDisposable
{
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ImageTruncated"/>, <see cref="ErrorCodes.ImageInvalid"/>.</exception>
    public VipsStrip Read(int top, int count)
    {
        try
        {
            var strip = rows.Read(top, count);
            colours?.Convert(strip.Rows(count));
            return strip;
        }
        catch (VipsException e)
        {
            throw picture.Refuse(e);
        }
    }

    public void Dispose() => rows.Dispose();
}
