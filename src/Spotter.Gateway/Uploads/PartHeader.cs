using Microsoft.Net.Http.Headers;

namespace Spotter.Gateway.Uploads;

/// <summary>
/// The <c>Content-Disposition</c> of a part (RFC 7578), as clients really write it: also with names that hold spaces and
/// have no quotes.
/// </summary>
internal static class PartHeader
{
    /// <summary>The part's name, and the name of its file; null for what it doesn't say.</summary>
    public static (string? Name, string? FileName) Read(string? header)
    {
        if (header is null)
            return default;
        if (ContentDispositionHeaderValue.TryParse(header, out var parsed))
        {
            var file = parsed.FileNameStar.HasValue ? parsed.FileNameStar : HeaderUtilities.RemoveQuotes(parsed.FileName);
            // Some clients put a backslash before a quote within the name; others send whole paths with backslashes.
            return (HeaderUtilities.RemoveQuotes(parsed.Name).Value, file.Value?.Replace("\\\"", "\"", StringComparison.Ordinal));
        }
        string? name = null, fileName = null;
        foreach (var part in header.Split(';', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("name=", StringComparison.OrdinalIgnoreCase))
                name ??= part[5..].Trim('"');
            else if (part.StartsWith("filename=", StringComparison.OrdinalIgnoreCase))
                fileName ??= part[9..].Trim('"');
        }
        return (name, fileName);
    }
}
