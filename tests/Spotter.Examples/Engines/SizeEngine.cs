using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Options;
using Spotter.Examples.Options;
using Spotter.Jobs;

namespace Spotter.Examples.Engines;

/// <summary>The smallest engine that does something: it says how large a picture is, and needs no model for that.</summary>
internal sealed class SizeEngine : IOfferedEngine
{
    public string Name => "size";

    public string Help => "Says how large a picture is";

    public bool NeedsModel => false;

    public EngineLimits Limits { get; } = new() { InputBytes = 8 << 20 };

    public IReadOnlyList<JobOption> Options => SizeOptions.Declared;

    public string OutputMediaType => "application/octet-stream";

    public JsonTypeInfo ResultType => SizeJson.Default.SizeResult;

    public bool CanBeDrawn => false;

    public bool Takes(ModelInfo model) => false;

    public EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs) =>
        new(RawJson.Of(SizeOptions.Declared.Read(fields), SizeParametersJson.Default.SizeParameters), CacheParameters: null);

    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var header = ImageHeader.Read(job.Inputs[0].Bytes.Span, complete: true);
        if (header.Status != ImageHeaderStatus.Known)
            throw new SpotterException(ErrorCodes.UnsupportedImage, "The size of the picture can't be read; send another one.");
        var megapixels = job.Spec.Parameters.Read(SizeParametersJson.Default.SizeParameters).Unit == SizeUnit.Megapixels
            ? Math.Round(header.Width * (double)header.Height / 1e6, 3)
            : (double?)null;
        return new EngineResult(RawJson.Of(new SizeResult(header.Width, header.Height, megapixels), SizeJson.Default.SizeResult), new JobTimings());
    }

    public string? Describe(RawJson result)
    {
        var size = result.Read(SizeJson.Default.SizeResult);
        return size.Megapixels is { } megapixels
            ? string.Create(CultureInfo.InvariantCulture, $"{megapixels} megapixels")
            : $"{size.Width} x {size.Height}";
    }
}

/// <summary>How large a picture is.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Megapixels">Both in one number, where that was asked for.</param>
internal sealed record SizeResult(int Width, int Height, double? Megapixels);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SizeResult))]
internal sealed partial class SizeJson : JsonSerializerContext;
