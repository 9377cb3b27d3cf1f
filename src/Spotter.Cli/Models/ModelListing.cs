using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Core.Vision;
using Spotter.Vision;

namespace Spotter.Cli.Models;

/// <summary>A model file and what it is, or why it cannot be used.</summary>
/// <param name="File">Its path.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Model">What it is; null when it cannot be used.</param>
/// <param name="Error">Why it cannot be used.</param>
internal sealed record ModelListing(string File, long Bytes, ModelInfo? Model, JobError? Error)
{
    /// <summary>Looks at a file; one that is no usable model is a listing with its error.</summary>
    public static ModelListing Of(string file)
    {
        var bytes = new FileInfo(file).Length;
        try
        {
            return new(file, bytes, ModelInspector.Inspect(file), Error: null);
        }
        catch (SpotterException e)
        {
            return new(file, bytes, Model: null, new(e.Code, e.Message));
        }
    }
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ModelListing))]
internal sealed partial class ModelJson : JsonSerializerContext;
