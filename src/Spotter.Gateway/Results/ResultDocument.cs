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

    // What the generator notes of a schema that it has not yet replaced by a reference.
    private const string TypeName = "x-schema-id";
    private const string Description = "x-ref-description";
    private const string MayBeNull = "x-is-nullable-property";

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
            NameParts(result, document);
            any.Add(result);
        }
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas[Name] = new OpenApiSchema { Type = JsonSchemaType.Object, AnyOf = any };
    }

    /// <summary>The types within a result stand under their names, as all others: some hold themselves, which can't be written otherwise.</summary>
    private static void NameParts(OpenApiSchema schema, OpenApiDocument document)
    {
        foreach (var (name, property) in schema.Properties?.ToList() ?? [])
            schema.Properties![name] = NamePart(property, document);
        schema.Items = schema.Items is { } items ? NamePart(items, document) : null;
        schema.AdditionalProperties = schema.AdditionalProperties is { } values ? NamePart(values, document) : null;
    }

    private static IOpenApiSchema NamePart(IOpenApiSchema part, OpenApiDocument document)
    {
        if (part is not OpenApiSchema schema)
            return part;
        NameParts(schema, document);
        if (Noted(schema, TypeName) is not string { Length: > 0 } name)
            return schema;
        // Within itself a type has only its name.
        if (schema.Type is not null)
            document.AddComponent(name, schema);
        var reference = new OpenApiSchemaReference(name, document) { Description = Noted(schema, Description) as string };
        return Noted(schema, MayBeNull) is true ? new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, reference] } : reference;
    }

    private static object? Noted(OpenApiSchema schema, string name) => schema.Metadata?.TryGetValue(name, out var noted) == true ? noted : null;
}
