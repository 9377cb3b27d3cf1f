using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Results;

/// <summary>What OpenAPI says about results, which are passed on unread: what the engines say that is in them.</summary>
internal static class ResultDocument
{
    private const string Name = "JobResult";

    /// <summary>How the engines' results are written.</summary>
    public static IEnumerable<IJsonTypeInfoResolver> TypesOf(EngineCatalogue engines) => engines.Offered.Select(e => e.ResultType.OriginatingResolver).OfType<IJsonTypeInfoResolver>().Distinct();

    /// <summary>The name of a type in the document.</summary>
    public static string? NameOf(JsonTypeInfo type) =>
        (Nullable.GetUnderlyingType(type.Type) ?? type.Type) == typeof(RawJson) ? Name : OpenApiOptions.CreateDefaultSchemaReferenceId(type);

    /// <summary>Describes results.</summary>
    public static async Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        var any = new List<IOpenApiSchema>();
        foreach (var engines in context.ApplicationServices.GetRequiredService<EngineCatalogue>().Offered.GroupBy(e => e.ResultType.Type))
        {
            // What the engines of workers say only they know.
            if (engines.Key == typeof(RawJson))
            {
                any.Add(new OpenApiSchema { Type = JsonSchemaType.Object, Description = $"Of {string.Join(", ", engines.Select(e => $"`{e.Name}`"))}, which workers bring: see there." });
                continue;
            }
            var result = await context.GetOrCreateSchemaAsync(engines.Key, cancellationToken: cancel);
            result.Description = $"Of {string.Join(", ", engines.Select(e => $"`{e.Name}`"))}.";
            any.Add(result);
        }
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas[Name] = new OpenApiSchema { Type = JsonSchemaType.Object, AnyOf = any };
    }
}
