using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Options;

namespace Spotter.Gateway.Intake;

/// <summary>
/// What OpenAPI says about the body of <c>POST /v1/jobs</c>, which is read as a stream and so has no type to tell it: what
/// the options themselves say.
/// </summary>
internal static class SubmitDocument
{
    public static Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var engines = context.ApplicationServices.GetRequiredService<EngineCatalogue>();
        var file = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" };
        var options = engines.Options.ToDictionary(o => o.Name, o => (IOpenApiSchema)SchemasOf(o, engines), StringComparer.Ordinal);
        var form = Body(new OpenApiSchema { Type = JsonSchemaType.Array, Items = file, Description = "One or more pictures, or what the engine takes. The part may be called `file` as well." }, options);
        var json = Body(new OpenApiSchema { Type = JsonSchemaType.String, Format = "byte", Description = "The picture, or what the engine takes, in Base64." }, options);
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["multipart/form-data"] = new() { Schema = form },
                ["application/json"] = new() { Schema = json },
                ["image/*"] = new() { Schema = file },
                ["application/octet-stream"] = new() { Schema = file },
            },
        };
        foreach (var type in engines.Offered.SelectMany(e => e.Limits.MediaTypes).Where(t => !t.StartsWith("image/", StringComparison.Ordinal)))
            operation.RequestBody.Content!.TryAdd(type, new OpenApiMediaType { Schema = file });
        operation.Parameters =
        [
            Header("Prefer", "`wait=SECONDS`: answer when the result is there, or after that time."),
            Header("Idempotency-Key", "1 to 255 printable ASCII characters: the same request sent again gives the same jobs."),
        ];
        return Task.CompletedTask;
    }

    /// <summary>As <see cref="DescribeAsync"/>, of <c>POST /v1/uploads</c>.</summary>
    public static Task DescribeUploadAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var engines = context.ApplicationServices.GetRequiredService<EngineCatalogue>();
        var fields = engines.Options.ToDictionary(o => o.Name, o => (IOpenApiSchema)SchemasOf(o, engines), StringComparer.Ordinal);
        fields[UploadRequestReader.ContentType] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The media type of what is uploaded, as `image/jpeg`." };
        fields[UploadRequestReader.Size] = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1", Description = "Its length in bytes; any that is let in by default." };
        fields[UploadRequestReader.Name] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "What you call it." };
        var schema = new OpenApiSchema { Type = JsonSchemaType.Object, Required = new HashSet<string>(StringComparer.Ordinal) { UploadRequestReader.ContentType }, Properties = fields };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["application/json"] = new() { Schema = schema },
                ["multipart/form-data"] = new() { Schema = schema },
            },
        };
        return Task.CompletedTask;
    }

    private static OpenApiSchema Body(OpenApiSchema image, Dictionary<string, IOpenApiSchema> options) => new()
    {
        Type = JsonSchemaType.Object,
        AnyOf = [Requires("image"), Requires("url")],
        Properties = new Dictionary<string, IOpenApiSchema>(options.Prepend(new("url", Urls())).Prepend(new("image", image)), StringComparer.Ordinal),
    };

    private static OpenApiSchema Requires(string name) => new() { Required = new HashSet<string>(StringComparer.Ordinal) { name } };

    private static OpenApiSchema Urls() => new()
    {
        Type = JsonSchemaType.String | JsonSchemaType.Array,
        Items = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uri" },
        Description = "URL of a picture that Spotter fetches, or several.",
    };

    /// <summary>An engine that a worker brings may mean something of its own by a name that others have.</summary>
    private static OpenApiSchema SchemasOf(JobOption option, EngineCatalogue catalogue)
    {
        List<JobOption> all = [option, .. catalogue.Offered.SelectMany(e => e.Options).Where(o => o.Name == option.Name && o != option).Distinct()];
        return all is [var only] ? SchemaOf(only, catalogue) : new OpenApiSchema { AnyOf = [.. all.Select(o => SchemaOf(o, catalogue))] };
    }

    private static OpenApiSchema SchemaOf(JobOption option, EngineCatalogue catalogue)
    {
        var engines = catalogue.Offered.Where(e => e.Options.Contains(option)).ToList();
        return new OpenApiSchema
        {
            Type = option.Values.Type switch
            {
                OptionType.Whole => JsonSchemaType.Integer,
                OptionType.Number => JsonSchemaType.Number,
                OptionType.Flag => JsonSchemaType.Boolean,
                OptionType.Structure => JsonSchemaType.String | JsonSchemaType.Array | JsonSchemaType.Object,
                _ => JsonSchemaType.String,
            },
            Minimum = option.Values.Least?.ToString(CultureInfo.InvariantCulture),
            Maximum = option.Values.Most?.ToString(CultureInfo.InvariantCulture),
            Enum = option.Values.Choices is { } choices ? [.. choices.Select(c => JsonValue.Create(c))] : null,
            WriteOnly = option.Is(OptionTraits.Secret),
            Description = engines is [var only] ? $"Engine `{only.Name}`. {option.Description}" : option.Description,
        };
    }

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
