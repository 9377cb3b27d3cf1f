using Spotter.Core.Images;
using Telegram.Bot.Types;

namespace Spotter.Gateway.Telegram;

/// <summary>How a picture can be sent.</summary>
internal enum PictureForm
{
    /// <summary>As a photo, which Telegram shows in the chat.</summary>
    Photo,

    /// <summary>As a file, which is kept as it is.</summary>
    File,
}

/// <summary>A picture to be sent to a chat, in memory: it may have to be sent again in another form.</summary>
/// <param name="Bytes">The picture.</param>
internal sealed record AnswerPicture(byte[] Bytes)
{
    // As the methods sendPhoto and sendDocument of the Bot API have it.
    private const int LongestSides = 10_000;
    private const int MostRatio = 20;
    private const long LargestPhoto = 10L << 20;

    /// <summary>Largest file that a bot may send; and all pictures of an album together have no more.</summary>
    public const long LargestFile = 50L << 20;

    /// <summary>In which form Telegram takes it.</summary>
    public PictureForm Form { get; } = ImageHeader.Read(Bytes, complete: true) is var header ? FormOf(header.Width, header.Height, Bytes.LongLength) : default;

    /// <summary>In which form Telegram takes a picture of this size.</summary>
    public static PictureForm FormOf(int width, int height, long bytes)
    {
        var fits = bytes <= LargestPhoto && width > 0 && height > 0 && (long)width + height <= LongestSides
            && Math.Max(width, height) <= (long)MostRatio * Math.Min(width, height);
        return fits ? PictureForm.Photo : PictureForm.File;
    }

    /// <summary>Reads a picture; null when it has more bytes than that.</summary>
    public static async Task<AnswerPicture?> ReadAsync(Stream content, long most, CancellationToken cancel)
    {
        if (content.Length > most)
            return null;
        var bytes = new byte[content.Length];
        await content.ReadExactlyAsync(bytes, cancel);
        return new AnswerPicture(bytes);
    }

    /// <summary>Its bytes, to be sent.</summary>
    public InputFileStream Open() => new(new MemoryStream(Bytes, writable: false), Bytes is [0x89, ..] ? "result.png" : "result.jpg");

    /// <summary>It as an item of a message.</summary>
    public InputMedia AsMedia(PictureForm form, string? caption) => form == PictureForm.Photo
        ? new InputMediaPhoto(Open()) { Caption = caption }
        : new InputMediaDocument(Open()) { Caption = caption, DisableContentTypeDetection = true };
}
