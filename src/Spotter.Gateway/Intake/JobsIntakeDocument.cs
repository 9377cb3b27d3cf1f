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
                ["top"] = Text("How many labels a classifier gives; default 5."),
                ["tile"] = Text("Look at the picture in overlapping squares with this edge in pixels."),
                ["overlap"] = Fraction("The share of a tile that the next one covers again; default 0.2."),
                ["roi"] = Text("Look at this part of the picture only: x,y,width,height in pixels."),
                ["filter"] = Text("For the engine filter: blur, contour, rotate, salt-and-pepper, segment or concat."),
                ["caption"] = Text("For the engine filter, instead of `filter` and its settings: the same in words, as `rotate anti-clockwise 180`."),
                ["level"] = Text("For blur: edge of the square in pixels; default 16."),
                ["degrees"] = Text("For rotate: 90, 180 or 270; default 90."),
                ["direction"] = Text("For rotate: clockwise (default) or anti-clockwise. For concat: horizontal (default) or vertical."),
                ["amount"] = Fraction("For salt-and-pepper: share of pixels that are drawn; default 0.05."),
                ["seed"] = Text("For salt-and-pepper: the same number gives the same draw."),
                ["threshold"] = Text("For segment: what is brighter becomes white, 0 to 255; default 100."),
                ["sides"] = Text("For concat, which edges touch: right-to-left (default), left-to-right, top-to-bottom or bottom-to-top."),
                ["mode"] = Text("For filters: colour (default) or grey."),
                ["strict"] = Flag("For concat: refuse pictures whose touching edges differ, instead of scaling them."),
                ["stretch"] = Flag("For filters in grey: spread the values over 0 to 255."),
                ["priority"] = Text("high, normal (default) or low."),
                ["delay"] = Text("Seconds before which the job is not started."),
                ["expires"] = Text("Seconds after which the job is no longer started and fails with `expired`."),
                ["callback"] = Text("URL that is sent a signed webhook when the job has ended."),
                ["callback_secret"] = Text("What signs the webhook: `whsec_` and 24 to 64 bytes in Base64; default: the service's own for this endpoint."),
                ["reuse"] = Flag("false: run the job even if the result of the same picture, model and options is stored."),
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

    private static OpenApiSchema Flag(string description) => new() { Type = JsonSchemaType.Boolean, Description = description };

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
