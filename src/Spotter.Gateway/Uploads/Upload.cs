using Microsoft.AspNetCore.Http;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

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
    public TimeSpan? Wait { get; set; }

    /// <summary>The same key again gives the same jobs; null for new ones each time.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>True when no field can come with the body.</summary>
    public bool HasAllFields { get; init; }

    /// <summary>What is to be done and what may come in for it, where the protocol says that and no form; null where the form does.</summary>
    public UploadWork? Work { get; set; }

    /// <summary>How many bytes of the body so many bytes of inputs take.</summary>
    public Func<long, long> Encoded { get; init; } = static bytes => bytes;
}

/// <summary>What a door asks for by itself.</summary>
/// <param name="Request">What is to be done.</param>
/// <param name="Terms">What may come in.</param>
internal sealed record UploadWork(JobRequest Request, InputTerms Terms);
