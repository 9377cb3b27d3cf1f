using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>Reads a request as it streams in: fields into the form, inputs to whoever takes them.</summary>
internal static class JobRequestReader
{
    private const int LongestIdempotencyKey = 255;
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
    public static bool IsBare(HttpRequest request) => TypeOf(request) is not { } type || !(MultipartParts.Are(request) || Is(type, Json));

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
        else if (MultipartParts.Are(request))
            await ReadMultipartAsync(request, form, onInput, cancel);
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

    private static Task ReadMultipartAsync(HttpRequest request, JobForm form, OnInput onInput, CancellationToken cancel) => MultipartParts.ReadAsync(
        request,
        async part =>
        {
            if (part.Name is "image" or "file")
            {
                await onInput(part.Body, PictureName.Of(part.FileName), part.ContentType);
                return false;
            }
            if (part.FileName is not null && !form.Knows(part.Name))
                throw new SpotterException(ErrorCodes.InvalidRequest, $"The part '{Shown(part.Name)}' brings a file; send each picture as a part named 'image', as in curl -F image=@photo.jpg.");
            form.Set(part.Name, await part.ReadTextAsync(cancel));
            return true;
        },
        cancel);

    /// <summary>What the client says of the body; null for nothing, or for what tools say of any bytes (curl's --data-binary a form): then the bytes tell.</summary>
    private static MediaTypeHeaderValue? TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && !Is(type, "application/x-www-form-urlencoded") && !Is(type, "binary/octet-stream") ? type : null;

    private static bool Is(MediaTypeHeaderValue type, string name) => type.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";
}
