using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Spotter.Engines;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Hosting;

/// <summary>
/// The OpenAPI document of the gateway's calls. It is the same for everybody, so it is written once; and anew when a worker has brought
/// another engine.
/// </summary>
internal sealed class ApiDocument([FromKeyedServices(ApiDocument.Name)] IOpenApiDocumentProvider documents, EngineCatalogue engines)
{
    /// <summary>Its name.</summary>
    public const string Name = "v1";

    private const string Address = $"/openapi/{Name}.json";

    private readonly Lock gate = new();
    private IReadOnlyList<IOfferedEngine>? described;
    private Task<Written>? written;

    /// <summary>Offers it to everybody.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(Address, (ApiDocument document, HttpContext http) => document.AnswerAsync(http)).AllowAnonymous().ExcludeFromDescription();

    private async Task<IResult> AnswerAsync(HttpContext http)
    {
        var document = await CurrentAsync();
        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(document.Bytes, "application/json", entityTag: document.Tag);
    }

    private Task<Written> CurrentAsync()
    {
        lock (gate)
        {
            // The list is another one after each change.
            if (written is null || described != engines.Offered)
                (described, written) = (engines.Offered, Task.Run(() => WriteAsync(documents)));
            return written;
        }
    }

    private static async Task<Written> WriteAsync(IOpenApiDocumentProvider documents)
    {
        var document = await documents.GetOpenApiDocumentAsync();
        using var stream = new MemoryStream();
        await document.SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_1);
        var bytes = stream.ToArray();
        return new Written(bytes, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\""));
    }

    private sealed record Written(byte[] Bytes, EntityTagHeaderValue Tag);
}
