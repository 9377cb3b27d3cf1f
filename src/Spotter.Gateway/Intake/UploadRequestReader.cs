using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Intake;

/// <summary>Reads what is said of an upload that goes past the gateway: a form or a JSON object of a job, without the picture.</summary>
internal sealed class UploadRequestReader(JobForm form)
{
    public const string ContentType = "contentType";
    public const string Size = "size";
    public const string Name = "name";

    private const string Inside = "The picture itself does not belong into this request: it goes to the address that the answer names. Leave it out, or send all of it to /v1/jobs.";
    private const int LongestType = 100;

    private readonly Dictionary<string, string> own = new(StringComparer.Ordinal);

    /// <summary>Reads a request.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>, and what the form says.</exception>
    public static async Task<UploadAsk> ReadAsync(HttpRequest request, JobForm form, CancellationToken cancel)
    {
        var reader = new UploadRequestReader(form);
        foreach (var (name, values) in request.Query)
        {
            foreach (var value in values)
                reader.Set(name, value ?? "", form.SetFromAddress);
        }
        if (MultipartParts.Are(request))
            await reader.ReadFormAsync(request, cancel);
        else if (request.HasJsonContentType())
            await reader.ReadJsonAsync(request, cancel);
        else if (request.ContentLength > 0)
            throw Invalid("What is said of an upload is sent as JSON or as multipart/form-data, as in curl -F contentType=image/jpeg; the picture itself follows later.");
        return reader.Ask();
    }

    private Task ReadFormAsync(HttpRequest request, CancellationToken cancel) => MultipartParts.ReadAsync(
        request,
        async part =>
        {
            if (part.FileName is not null || IsPicture(part.Name))
                throw Invalid(Inside);
            Set(part.Name, await part.ReadTextAsync(cancel), form.Set);
            return true;
        },
        cancel);

    private async Task ReadJsonAsync(HttpRequest request, CancellationToken cancel)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, default, cancel);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Invalid("The JSON body is no object; send {\"contentType\": \"image/jpeg\"} and the options beside it.");
            foreach (var field in document.RootElement.EnumerateObject())
            {
                if (IsPicture(field.Name))
                    throw Invalid(Inside);
                if (!IsOwn(field.Name))
                    form.Set(field.Name, field.Value);
                else if (field.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
                    Set(field.Name, field.Value.ToString(), form.Set);
                else if (field.Value.ValueKind != JsonValueKind.Null)
                    throw Invalid($"The field '{field.Name}' is no text and no number.");
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, "The JSON body is malformed; send {\"contentType\": \"image/jpeg\"} and the options beside it.", broken);
        }
    }

    private void Set(string name, string value, Action<string, string> option)
    {
        if (!IsOwn(name))
            option(name, value);
        else if (!own.TryAdd(name, value))
            throw Invalid($"The field '{name}' comes twice.");
    }

    private UploadAsk Ask()
    {
        var type = own.GetValueOrDefault(ContentType)?.Trim().ToLowerInvariant();
        if (string.IsNullOrEmpty(type))
            throw Invalid($"The field '{ContentType}' is missing; it is the media type of what is uploaded, as image/jpeg.");
        if (type.Length > LongestType || !OutputRef.IsMediaType(type))
            throw Invalid($"The field '{ContentType}' is no media type; it is one as image/jpeg, without parameters.");
        long? bytes = null;
        if (own.TryGetValue(Size, out var size))
        {
            bytes = long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw Invalid($"The field '{Size}' is no number of bytes from 1.");
        }
        return new UploadAsk(form, type, bytes, PictureName.Of(own.GetValueOrDefault(Name)));
    }

    private static bool IsOwn(string name) => name is ContentType or Size or Name;

    private static bool IsPicture(string name) => name is "image" or "file";

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
