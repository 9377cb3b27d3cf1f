using System.Buffers;
using System.Security.Cryptography;
using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Jobs;

/// <summary>
/// Takes one input into the blob store. The first bytes of a picture are judged before anything is stored, by
/// a managed parser: nothing is decoded here. The rest is streamed, so a large input costs no memory.
/// </summary>
public sealed class InputReader(IBlobStore blobs, JobSettings settings, RandomSource random, TimeProvider time)
{
    private const int FirstPrefix = 64 * 1024;

    /// <summary>Bytes of a picture in a bucket that are fetched first: its size mostly takes no more.</summary>
    public const int UploadPrefix = 16 * 1024;

    /// <summary>Returns once the input is durable.</summary>
    /// <param name="body">Its bytes.</param>
    /// <param name="contentType">What the client calls it; null for nothing.</param>
    /// <param name="terms">What may come in.</param>
    /// <param name="before">How many bytes have come in with the same submission.</param>
    /// <param name="judged">Told the pixels of a picture before it is stored; what it throws refuses it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException">It is not let in; nothing is stored then.</exception>
    public async Task<InputRef> StoreAsync(Stream body, string? contentType, InputTerms terms, long before, Action<long> judged, CancellationToken cancel)
    {
        var prefix = ArrayPool<byte>.Shared.Rent(FirstPrefix);
        try
        {
            var length = 0;
            ImageHeader header;
            while (true)
            {
                var read = await body.ReadAtLeastAsync(prefix.AsMemory(length), prefix.Length - length, throwOnEndOfStream: false, cancel);
                length += read;
                if (length == 0)
                    throw Empty(terms);
                header = terms.TakesPictures ? ImageHeader.Read(prefix.AsSpan(0, length), complete: length < prefix.Length) : default;
                if (header.Status != ImageHeaderStatus.NeedMore || length >= ImageHeader.LongestPrefix)
                    break;
                var larger = ArrayPool<byte>.Shared.Rent(prefix.Length * 4);
                prefix.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(prefix);
                prefix = larger;
            }

            var type = Judge(header, contentType, terms, judged);
            var key = BlobKey.NewInput(random, time);
            await using var content = new JudgedStream(
                prefix.AsMemory(0, length), body, (terms.MaxBytes ?? settings.MaxInputBytes) - before, () => terms.TooLarge(settings.MaxInputBytes));
            await blobs.PutAsync(key, content, cancel);
            return new InputRef(key, type, content.BytesRead, content.Sha256());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(prefix);
        }
    }

    /// <summary>
    /// Takes over an input that its client has written into the blob store by itself. Only its beginning is read. The copy is out of
    /// its client's reach, so what was judged and hashed is what is run.
    /// </summary>
    /// <param name="links">The blob store's.</param>
    /// <param name="upload">Its key.</param>
    /// <param name="start">Its beginning, <see cref="UploadPrefix"/> bytes of it or all.</param>
    /// <param name="contentType">What the client calls it.</param>
    /// <param name="terms">What may come in.</param>
    /// <param name="judged">Told the pixels of a picture before it is taken; what it throws refuses it.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>Null when it is there no longer.</returns>
    /// <exception cref="SpotterException">It is not let in; nothing is taken then.</exception>
    public async Task<InputRef?> TakeAsync(IBlobLinks links, string upload, BlobStart start, string contentType, InputTerms terms, Action<long> judged, CancellationToken cancel)
    {
        ImageHeader header;
        while (true)
        {
            if (start.Length == 0)
                throw Empty(terms);
            if (start.Length > (terms.MaxBytes ?? settings.MaxInputBytes))
                throw terms.TooLarge(settings.MaxInputBytes);
            header = terms.TakesPictures ? ImageHeader.Read(start.Bytes.Span, complete: start.Bytes.Length == start.Length) : default;
            if (header.Status != ImageHeaderStatus.NeedMore || start.Bytes.Length == start.Length || start.Bytes.Length >= ImageHeader.LongestPrefix)
                break;
            if (await links.ReadStartAsync(upload, start.Bytes.Length < FirstPrefix ? FirstPrefix * 2 : ImageHeader.LongestPrefix, cancel) is not { } longer)
                return null;
            start = longer;
        }
        var type = Judge(header, contentType, terms, judged);
        var key = BlobKey.NewInput(random, time);
        return new InputRef(key, type, start.Length, await links.CopyAsync(upload, start.Version, key, cancel));
    }

    private static SpotterException Empty(InputTerms terms) =>
        new(ErrorCodes.EmptyBody, terms.TakesPictures ? "The picture has no bytes; send the file itself." : "The file has no bytes; send the file itself.");

    private string Judge(in ImageHeader header, string? contentType, InputTerms terms, Action<long> judged)
    {
        var type = Judge(header, contentType, terms);
        if (header.Format is not null)
            judged(PixelsOf(header));
        return type;
    }

    /// <summary>A picture whose size lies behind a megabyte of metadata is let in by its signature; the worker will see.</summary>
    private string Judge(ImageHeader header, string? contentType, InputTerms terms)
    {
        if (header.Format is { } format && terms.Take(MediaTypeOf(format)) is { } picture)
            return header.Refusal(settings.ImageLimits) is { } refusal ? throw refusal : picture;
        if (terms.TakeDeclared(contentType) is { } declared)
            return declared;
        if (header.Format is null && terms.MediaTypes.All(t => InputTerms.Pictures.Contains(t, StringComparer.Ordinal)))
        {
            throw header.Refusal(settings.ImageLimits)
                ?? new SpotterException(ErrorCodes.UnsupportedImage, "What was sent is not a JPEG, PNG, WebP or GIF picture.");
        }
        throw terms.NotTaken(header.Format is { } other ? MediaTypeOf(other) : contentType);
    }

    /// <summary>One that hides its size is taken for the largest.</summary>
    private long PixelsOf(in ImageHeader header) =>
        header.Status == ImageHeaderStatus.Known ? (long)header.Width * header.Height : settings.ImageLimits.MaxPixels;

    private static string MediaTypeOf(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "image/jpeg",
        ImageFormat.Png => "image/png",
        ImageFormat.WebP => "image/webp",
        _ => "image/gif",
    };

    /// <summary>The bytes read already, then the rest; counts, limits and hashes what passes.</summary>
    private sealed class JudgedStream(ReadOnlyMemory<byte> prefix, Stream rest, long limit, Func<SpotterException> tooLarge) : ForwardStream
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private ReadOnlyMemory<byte> ahead = prefix;

        public long BytesRead { get; private set; }

        public string Sha256() => Convert.ToHexStringLower(hash.GetHashAndReset());

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read;
            if (ahead.Length > 0)
            {
                read = Math.Min(ahead.Length, buffer.Length);
                ahead[..read].CopyTo(buffer);
                ahead = ahead[read..];
            }
            else
            {
                read = await rest.ReadAsync(buffer, cancellationToken);
            }
            BytesRead += read;
            if (BytesRead > limit)
                throw tooLarge();
            hash.AppendData(buffer.Span[..read]);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
