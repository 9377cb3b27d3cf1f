using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Spotter.Gateway.Intake;

/// <summary>
/// What OpenAPI says about the body of <c>POST /v1/jobs</c>, which is read as a stream and so has no type to tell it.
/// </summary>
internal static class JobsIntakeDocument
{
    public static Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var file = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" };
        var form = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string>(StringComparer.Ordinal) { "image" },
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
            {
                ["image"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = file, Description = "One or more pictures." },
                ["engine"] = Text("The engine; default: the model's."),
                ["model"] = Text("The model's id, as in GET /v1/models; default: the first."),
                ["confidence"] = Fraction("Least confidence of a detection; default 0.25."),
                ["iou"] = Fraction("Overlap above which the less confident of two boxes of one label is left out; default 0.45."),
                ["labels"] = Text("Only these labels, separated by commas."),
                ["annotate"] = new OpenApiSchema { Type = JsonSchemaType.Boolean, Description = "Draw the picture at once, not on first request." },
            },
        };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                ["multipart/form-data"] = new() { Schema = form },
                ["image/*"] = new() { Schema = file },
                ["application/octet-stream"] = new() { Schema = file },
            },
        };
        operation.Parameters =
        [
            Header("Prefer", "`wait=SECONDS`: answer when the result is there, or after that time."),
            Header("Idempotency-Key", "1 to 255 printable ASCII characters: the same request sent again gives the same jobs."),
        ];
        return Task.CompletedTask;
    }

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiSchema Fraction(string description) =>
        new() { Type = JsonSchemaType.Number, Minimum = "0", Maximum = "1", Description = description };

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
