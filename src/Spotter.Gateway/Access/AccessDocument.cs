using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Spotter.Jobs;

namespace Spotter.Gateway.Access;

/// <summary>What OpenAPI says about keys, and about calls that are turned away: it is the same for all of them.</summary>
internal static class AccessDocument
{
    private const string Bearer = "bearer";
    private const string Header = "apiKey";
    private const string ProblemSchema = "Problem";

    /// <summary>Describes how a key is shown.</summary>
    public static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A key made by `spotter keys add`. Not needed by a service that has no keys.",
            },
            [Header] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-API-Key",
                Description = "The same key, for clients that can't send it as a bearer token.",
            },
        };
        return Task.CompletedTask;
    }

    /// <summary>Describes who may make a call, and how it is turned away.</summary>
    public static Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (NeedsKey.Of(metadata) is { } needed)
        {
            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] },
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Header, context.Document)] = [] },
            ];
            Add(operation, context, 401, "No key was shown, or none that is known here.");
            if (needed.Scope != KeyScopes.None)
                Add(operation, context, 403, $"The key has not the scope `{string.Join(", ", ApiKey.NamesOf(needed.Scope))}`.");
        }
        if (metadata.OfType<CallCost>().LastOrDefault() is { } cost)
        {
            Add(operation, context, 429, "The client asks more often than it may.");
            Add(operation, context, 503, "Too much at once, or the store does not answer.");
            if (cost == CallCost.Submission)
                Add(operation, context, 507, "The disk is full.");
        }
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (status is "429" or "503" or "507" && response is OpenApiResponse { } turnedAway)
                turnedAway.Headers = RetryAfter;
        }
        return Task.CompletedTask;
    }

    private static Dictionary<string, IOpenApiHeader> RetryAfter => new(StringComparer.Ordinal)
    {
        ["Retry-After"] = new OpenApiHeader
        {
            Description = "Seconds until it makes sense to try again.",
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Integer,
                Minimum = "1",
                Maximum = DrainRate.LongestRetrySeconds.ToString(CultureInfo.InvariantCulture),
            },
        },
    };

    private static void Add(OpenApiOperation operation, OpenApiOperationTransformerContext context, int status, string description)
    {
        var key = status.ToString(CultureInfo.InvariantCulture);
        operation.Responses ??= [];
        if (operation.Responses.ContainsKey(key))
            return;
        operation.Responses[key] = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [Problems.MediaType] = new() { Schema = new OpenApiSchemaReference(ProblemSchema, context.Document) },
            },
        };
    }
}
