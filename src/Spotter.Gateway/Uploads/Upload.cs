using Microsoft.AspNetCore.Http;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Uploads;

/// <summary>Takes an input as it streams in.</summary>
/// <param name="content">Its bytes.</param>
/// <param name="name">What the client calls it; null for nothing.</param>
/// <param name="contentType">The media type that the client gives; null for none.</param>
internal delegate Task OnInput(Stream content, string? name, string? contentType);

/// <summary>A request that brings inputs, as far as all doors are alike.</summary>
/// <param name="Http">The request.</param>
/// <param name="Form">Its fields so far.</param>
internal sealed record Upload(HttpContext Http, JobForm Form)
{
    /// <summary>How long its sender waits for the result; null when that is fetched later.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>The same key again gives the same jobs; null for new ones each time.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>True when no field can come with the body.</summary>
    public bool HasAllFields { get; init; }

    /// <summary>How many bytes of the body so many bytes of inputs take.</summary>
    public Func<long, long> Encoded { get; init; } = static bytes => bytes;
}
