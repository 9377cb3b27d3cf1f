using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Spotter.Gateway.Hosting;

/// <summary>What OpenAPI says about answers: what is in them, not what would be read as the same.</summary>
internal static class AnswerDocument
{
    /// <summary>Describes a type.</summary>
    public static Task DescribeAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        // A number is read from a string too, and never written as one.
        if (schema.Type is { } type && type.HasFlag(JsonSchemaType.String) && (type.HasFlag(JsonSchemaType.Integer) || type.HasFlag(JsonSchemaType.Number)))
            (schema.Type, schema.Pattern) = (type & ~JsonSchemaType.String, null);
        // Of a request, what has a default can be left out; an answer has it.
        if (context.ParameterDescription is null && schema.Properties is { Count: > 0 } properties)
            schema.Required = new HashSet<string>(properties.Keys.Except(context.JsonTypeInfo.Properties.Where(IsLeftOut).Select(p => p.Name), StringComparer.Ordinal), StringComparer.Ordinal);
        return Task.CompletedTask;
    }

    private static bool IsLeftOut(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: true) is [JsonIgnoreAttribute { Condition: not JsonIgnoreCondition.Never }, ..];
}
