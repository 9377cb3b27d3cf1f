using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Uploads;

/// <summary>A part of a multipart form, to be read before the next one.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FileName">The name of its file, as it was sent; null when it brings none.</param>
/// <param name="ContentType">The media type that the client gives; null for none.</param>
/// <param name="Body">Its bytes.</param>
internal sealed record FormPart(string Name, string? FileName, string? ContentType, Stream Body)
{
    private const int LongestField = JobForm.LongestField;

    /// <summary>Its bytes as the text of a field.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: they are too many.</exception>
    public async Task<string> ReadTextAsync(CancellationToken cancel)
    {
        var bytes = new byte[LongestField + 1];
        var length = await Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return length <= LongestField
            ? Encoding.UTF8.GetString(bytes, 0, length).Trim()
            : throw new SpotterException(ErrorCodes.InvalidRequest, $"The field '{Name}' is longer than {LongestField} bytes.");
    }
}

/// <summary>Reads multipart forms (RFC 7578) as they stream in.</summary>
internal static class MultipartParts
{
    private const string FormData = "multipart/form-data";
    private const int MostFields = 64;

    /// <summary>True for a request whose body is such a form.</summary>
    public static bool Are(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals(FormData, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all parts.</summary>
    /// <param name="request">The request.</param>
    /// <param name="onPart">Takes each part as it comes; true when it was a field, of which there may be some only.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is no such form.</exception>
    public static async Task ReadAsync(HttpRequest request, Func<FormPart, Task<bool>> onPart, CancellationToken cancel)
    {
        var boundary = MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Boundary) : default;
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
                if (await onPart(new FormPart(name, fileName, section.ContentType, section.Body)) && ++fields > MostFields)
                    throw new SpotterException(ErrorCodes.InvalidRequest, $"The request has more than {MostFields} fields.");
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
}
