using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Spotter.Gateway.Hosting;

/// <summary>The OpenAPI document of the gateway's calls. It is the same for everybody, so it is written once.</summary>
internal sealed class ApiDocument([FromKeyedServices(ApiDocument.Name)] IOpenApiDocumentProvider documents)
{
    /// <summary>Its name.</summary>
    public const string Name = "v1";

    private const string Address = $"/openapi/{Name}.json";

    private readonly Lazy<Task<Written>> written = new(() => WriteAsync(documents));

    /// <summary>Offers it to everybody.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(Address, (ApiDocument document, HttpContext http) => document.AnswerAsync(http)).AllowAnonymous().ExcludeFromDescription();

    private async Task<IResult> AnswerAsync(HttpContext http)
    {
        var document = await written.Value;
        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(document.Bytes, "application/json", entityTag: document.Tag);
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
