namespace Spotter.Core.Images;

/// <summary>The kinds of picture that are let in, told by their first bytes and never by their name.</summary>
public enum ImageFormat
{
    /// <summary>JPEG, baseline or progressive.</summary>
    Jpeg,

    /// <summary>PNG.</summary>
    Png,

    /// <summary>WebP; of an animation the first frame.</summary>
    WebP,

    /// <summary>GIF; of an animation the first frame.</summary>
    Gif,
}

/// <summary>A picture as it lies in the blob store.</summary>
/// <param name="Key">Its key, made by the server.</param>
/// <param name="Format">What its first bytes say it is.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes, 64 lower-case hexadecimal digits; a worker that reads other bytes refuses them.</param>
public sealed record ImageRef(string Key, ImageFormat Format, long Bytes, string Sha256);
