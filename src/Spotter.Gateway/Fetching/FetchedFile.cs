namespace Spotter.Gateway.Fetching;

/// <summary>What a URL leads to, while it is read.</summary>
/// <param name="Content">Its bytes, as they come; what breaks off is told as a refusal.</param>
/// <param name="Name">The last part of its path; null when it ends with a slash.</param>
/// <param name="ContentType">The media type that its server gives; null for none.</param>
internal sealed record FetchedFile(Stream Content, string? Name, string? ContentType) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}
