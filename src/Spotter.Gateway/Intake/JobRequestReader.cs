using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>Takes an input as it streams in.</summary>
/// <param name="content">Its bytes.</param>
/// <param name="name">What the client calls it; null for nothing.</param>
/// <param name="contentType">The media type that the client gives; null for none.</param>
internal delegate Task OnInput(Stream content, string? name, string? contentType);

/// <summary>Reads a request as it streams in: fields into the form, inputs to whoever takes them.</summary>
internal static class JobRequestReader
{
    private const int LongestIdempotencyKey = 255;
    private const int MostFields = 64;
    private const string Multipart = "multipart/form-data";
    private const string Json = "application/json";

    /// <summary>Reads the fields that are there before the body.</summary>
    public static void ReadQuery(HttpRequest request, JobForm form)
    {
        foreach (var (name, values) in request.Query)
        {
            foreach (var value in values)
                form.SetFromAddress(name, value ?? "");
        }
    }

    /// <summary>True when the body itself is the input, so that all fields are in the address.</summary>
    public static bool IsBare(HttpRequest request) => TypeOf(request) is not { } type || !(Is(type, Multipart) || Is(type, Json));

    /// <summary>How many bytes of the body so many bytes of an input take.</summary>
    public static long Encoded(HttpRequest request, long bytes) =>
        TypeOf(request) is { } type && Is(type, Json) ? (bytes + 2) / 3 * 4 : bytes;

    /// <summary>Reads the body.</summary>
    /// <param name="request">The request.</param>
    /// <param name="form">Told of each field.</param>
    /// <param name="terms">What is taken, by the fields so far.</param>
    /// <param name="onInput">Takes each input as it comes: its bytes, its name, its media type.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task ReadAsync(HttpRequest request, JobForm form, Func<InputTerms> terms, OnInput onInput, CancellationToken cancel)
    {
        if (TypeOf(request) is not { } type)
        {
            if (request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
                throw new SpotterException(ErrorCodes.EmptyBody, "The request has no body; send a picture.");
            await onInput(request.Body, null, null);
        }
        else if (Is(type, Multipart))
            await ReadMultipartAsync(request, type, form, onInput, cancel);
        else if (Is(type, Json))
            await JsonRequestReader.ReadAsync(request.BodyReader, form, onInput, cancel);
        else if (type.MediaType.StartsWith("image/", StringComparison.OrdinalIgnoreCase) || Is(type, InputTerms.AnyBytes) || terms().TakeDeclared(type.MediaType.Value) is not null)
            await onInput(request.Body, null, type.MediaType.Value);
        else if (terms() is { Engine: not null, TakesPictures: false } others)
            throw others.NotTaken(type.MediaType.Value);
        else
            throw new SpotterException(ErrorCodes.UnsupportedImage, $"'{type.MediaType}' is not taken; send multipart/form-data or a picture.");
    }

    /// <summary>How long the request asks to wait (RFC 7240), at most <paramref name="longest"/>; null if it doesn't.</summary>
    public static TimeSpan? ReadWait(HttpRequest request, TimeSpan longest)
    {
        foreach (var line in request.Headers["Prefer"])
        {
            foreach (var preference in (line ?? "").Split([',', ';'], StringSplitOptions.TrimEntries))
            {
                if (!preference.StartsWith("wait=", StringComparison.OrdinalIgnoreCase))
                    continue;
                if (!uint.TryParse(preference.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                    throw new SpotterException(ErrorCodes.InvalidRequest, $"'Prefer: {preference}' does not say a number of seconds.");
                return TimeSpan.FromSeconds(Math.Min(seconds, longest.TotalSeconds));
            }
        }
        return null;
    }

    public static string? ReadIdempotencyKey(HttpRequest request)
    {
        var header = request.Headers["Idempotency-Key"];
        if (header.Count == 0)
            return null;
        var key = header.ToString();
        return key.Length is > 0 and <= LongestIdempotencyKey && key.All(c => c is > ' ' and < (char)127)
            ? key
            : throw new SpotterException(ErrorCodes.InvalidRequest,
                $"The Idempotency-Key has to be 1 to {LongestIdempotencyKey} printable ASCII characters without spaces.");
    }

    private static async Task ReadMultipartAsync(
        HttpRequest request, MediaTypeHeaderValue type, JobForm form, OnInput onInput, CancellationToken cancel)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (boundary.Length is 0 or > 200)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The multipart request names no usable boundary.");
        var fields = 0;
        try
        {
            var reader = new MultipartReader(boundary.Value!, request.Body);
            while (await reader.ReadNextSectionAsync(cancel) is { } section)
            {
                var (name, fileName) = PartHeader.Read(section.ContentDisposition);
                if (string.IsNullOrEmpty(name))
                    throw new SpotterException(ErrorCodes.InvalidRequest, "A part of the request has no name; send each picture as a part named 'image'.");
                if (name is "image" or "file")
                {
                    await onInput(section.Body, PictureName.Of(fileName), section.ContentType);
                    continue;
                }
                if (fileName is not null && !form.Knows(name))
                    throw new SpotterException(ErrorCodes.InvalidRequest, $"The part '{Shown(name)}' brings a file; send each picture as a part named 'image', as in curl -F image=@photo.jpg.");
                if (++fields > MostFields)
                    throw new SpotterException(ErrorCodes.InvalidRequest, $"The request has more than {MostFields} fields.");
                form.Set(name, await ReadFieldAsync(name, section.Body, cancel));
            }
        }
        catch (InvalidDataException broken)
        {
            throw new SpotterException(
                ErrorCodes.InvalidRequest, "The multipart request is malformed: its parts don't begin with the boundary that its Content-Type names, or have too many or too long headers.", broken);
        }
        catch (IOException broken) when (broken is not (BadHttpRequestException or ConnectionResetException))
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, "The multipart request ends before its last boundary.", broken);
        }
    }

    /// <summary>What the client says of the body; null for nothing, or for what tools say of any bytes (curl's --data-binary a form): then the bytes tell.</summary>
    private static MediaTypeHeaderValue? TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && !Is(type, "application/x-www-form-urlencoded") && !Is(type, "binary/octet-stream") ? type : null;

    private static bool Is(MediaTypeHeaderValue type, string name) => type.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";

    private static async Task<string> ReadFieldAsync(string name, Stream body, CancellationToken cancel)
    {
        var bytes = new byte[JobForm.LongestField + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return length <= JobForm.LongestField
            ? Encoding.UTF8.GetString(bytes, 0, length).Trim()
            : throw new SpotterException(ErrorCodes.InvalidRequest, $"The field '{name}' is longer than {JobForm.LongestField} bytes.");
    }
}
