using System.Globalization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What the inputs of one submission may be: pictures, unless the engine takes something else.</summary>
public sealed record InputTerms
{
    /// <summary>In <see cref="MediaTypes"/>: any bytes, whatever the client calls them.</summary>
    public const string AnyBytes = "application/octet-stream";

    private const int LongestType = 100;

    /// <summary>The pictures that are let in. Their first bytes decide what they are, not what the client calls them.</summary>
    public static IReadOnlyList<string> Pictures { get; } = ["image/gif", "image/jpeg", "image/png", "image/webp"];

    /// <summary>Pictures within the limits of the deployment.</summary>
    public static InputTerms Default { get; } = new();

    /// <summary>The engine that says so; null while none is chosen.</summary>
    public string? Engine { get; init; }

    /// <summary>The media types: in full, by their first half (<c>video/*</c>), or <see cref="AnyBytes"/>.</summary>
    public IReadOnlyList<string> MediaTypes { get; init; } = Pictures;

    /// <summary>Most bytes of all inputs together; null for as many as the deployment lets in, which may be less.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Most inputs; null for as many as the deployment lets in.</summary>
    public int? MaxInputs { get; init; }

    /// <summary>What a picture costs its client, compared with one that is looked at once.</summary>
    public double Work { get; init; } = 1;

    /// <summary>True when there may be pictures among the inputs, so that their first bytes have to be looked at.</summary>
    public bool TakesPictures => MediaTypes.Any(type => type.StartsWith("image/", StringComparison.Ordinal));

    /// <summary>What an input of this media type is kept as; null when it is not taken.</summary>
    public string? Take(string mediaType)
    {
        if (MediaTypes.Any(taken => taken == mediaType || (taken.EndsWith("/*", StringComparison.Ordinal) && mediaType.StartsWith(taken[..^1], StringComparison.Ordinal))))
            return mediaType;
        return MediaTypes.Contains(AnyBytes, StringComparer.Ordinal) ? AnyBytes : null;
    }

    /// <summary>As <see cref="Take"/>, for what a client calls its input. Not believed of pictures, whose bytes say what they are.</summary>
    public string? TakeDeclared(string? contentType)
    {
        var type = (contentType ?? AnyBytes).Split(';')[0].Trim().ToLowerInvariant();
        if (Pictures.Contains(type, StringComparer.Ordinal) || type.Length > LongestType || !type.All(c => c is > ' ' and < (char)127))
            type = AnyBytes;
        return Take(type);
    }

    /// <summary>The refusal of an input of another media type.</summary>
    public SpotterException NotTaken(string? mediaType)
    {
        var what = mediaType is null ? "what was sent" : mediaType;
        var taken = string.Join(", ", MediaTypes);
        return new SpotterException(
            MediaTypes.All(t => Pictures.Contains(t, StringComparer.Ordinal)) ? ErrorCodes.UnsupportedImage : ErrorCodes.UnsupportedMedia,
            Engine is { } engine
                ? $"The engine '{engine}' does not take {what}; it takes {taken}."
                : $"No engine takes {what}; send one of {taken}.");
    }

    /// <summary>The refusal of more bytes than are taken.</summary>
    /// <param name="deployment">How many bytes the deployment lets in.</param>
    public SpotterException TooLarge(long deployment) => new(ErrorCodes.BodyTooLarge, Engine is { } engine && MaxBytes is { } own
        ? $"The engine '{engine}' takes at most {Mebibytes(own)} MiB in one request; send less."
        : $"More than {Mebibytes(MaxBytes ?? deployment)} MiB were sent; send a smaller picture, or fewer at once.");

    /// <summary>The refusal of more inputs than are taken.</summary>
    /// <param name="deployment">How many inputs the deployment lets in.</param>
    public SpotterException TooMany(int deployment) => new(ErrorCodes.TooManyImages, Engine is { } engine && MaxInputs is { } own
        ? $"The engine '{engine}' takes at most {own} {(own == 1 ? "file" : "files")} in one request; send {(own == 1 ? "them one by one" : "fewer")}."
        : $"More than {MaxInputs ?? deployment} pictures came in one request; send them in several.");

    private static string Mebibytes(long bytes) => (bytes / (1024.0 * 1024.0)).ToString("0.#", CultureInfo.InvariantCulture);
}
