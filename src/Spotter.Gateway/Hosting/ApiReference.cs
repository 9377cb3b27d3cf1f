using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Scalar.AspNetCore;

namespace Spotter.Gateway.Hosting;

/// <summary>The API reference: a page made of the OpenAPI document, which comes from this service with all that it needs.</summary>
internal static class ApiReference
{
    /// <summary>Its address.</summary>
    public const string Address = "/docs";

    /// <summary>Offers it to everybody, as the document is.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapScalarApiReference(Address, options => options
            .WithTitle("Spotter API")
            .WithOpenApiRoutePattern("/openapi/{documentName}.json")
            .AddDocument(ApiDocument.Name)
            .AddPreferredSecuritySchemes("bearer")
            .WithDefaultHttpClient(ScalarTarget.Shell, ScalarClient.Curl)
            // Nothing comes from other hosts, and nothing goes to any.
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideClientButton()
            .HideDeveloperTools()
            .WithNonce())
        .AllowAnonymous().ExcludeFromDescription();

    /// <summary>The policy for an answer that is this page; null for others. It styles itself as it is drawn, which needs leave.</summary>
    public static string? PolicyOf(HttpContext http) => http.Items[ScalarOptions.NonceHttpContextItemKey] is string nonce
        ? $"default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        : null;
}
