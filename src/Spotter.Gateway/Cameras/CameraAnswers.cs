using System.Text.Json.Serialization;

namespace Spotter.Gateway.Cameras;

/// <summary>An object as DeepStack shows it: whole pixels of the upright picture, origin top left.</summary>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Label">What it is.</param>
/// <param name="YMin">Top edge.</param>
/// <param name="XMin">Left edge.</param>
/// <param name="YMax">Bottom edge.</param>
/// <param name="XMax">Right edge.</param>
internal sealed record CameraPrediction(
    double Confidence, string Label,
    [property: JsonPropertyName("y_min")] int YMin, [property: JsonPropertyName("x_min")] int XMin,
    [property: JsonPropertyName("y_max")] int YMax, [property: JsonPropertyName("x_max")] int XMax);

/// <summary>What CodeProject.AI adds to every answer.</summary>
internal abstract record ModuleAnswer
{
    [JsonPropertyOrder(-2)]
    public bool Success => true;

    [JsonPropertyOrder(1)]
    public required string Command { get; init; }

    [JsonPropertyOrder(1)]
    public string ModuleId => "Spotter";

    [JsonPropertyOrder(1)]
    public required string ModuleName { get; init; }

    [JsonPropertyOrder(1)]
    public int Code => 200;

    /// <summary>From bytes to boxes, the model alone: milliseconds.</summary>
    [JsonPropertyOrder(1)]
    public int InferenceMs { get; init; }

    /// <summary>With decoding and all else that a worker does.</summary>
    [JsonPropertyOrder(1)]
    public int ProcessMs { get; init; }

    /// <summary>From the request to the answer.</summary>
    [JsonPropertyOrder(1)]
    public required int AnalysisRoundTripMs { get; init; }

    [JsonPropertyOrder(1)]
    public string InferenceDevice => "CPU";

    /// <summary>Its name in older versions.</summary>
    [JsonPropertyOrder(1)]
    public string ExecutionProvider => InferenceDevice;

    [JsonPropertyOrder(1)]
    public bool CanUseGPU => false;

    [JsonPropertyOrder(1)]
    public string ProcessedBy => "localhost";

    /// <summary>As RFC 1123 writes it.</summary>
    [JsonPropertyOrder(1)]
    public required string TimestampUTC { get; init; }
}

/// <summary>The answer to <c>/v1/vision/detection</c> and <c>/v1/vision/custom/{name}</c>.</summary>
internal sealed record DetectionAnswer : ModuleAnswer
{
    [JsonPropertyOrder(-1)]
    public required IReadOnlyList<CameraPrediction> Predictions { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyOrder(-1)]
    public required double Duration { get; init; }

    public required string Message { get; init; }

    public int Count => Predictions.Count;
}

/// <summary>The answer to <c>/v1/vision/scene</c>.</summary>
internal sealed record SceneAnswer : ModuleAnswer
{
    [JsonPropertyOrder(-1)]
    public required double Confidence { get; init; }

    [JsonPropertyOrder(-1)]
    public required string Label { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyOrder(-1)]
    public required double Duration { get; init; }
}

/// <summary>The answer to <c>/v1/vision/custom/list</c>.</summary>
internal sealed record ModelListAnswer : ModuleAnswer
{
    [JsonPropertyOrder(-1)]
    public required IReadOnlyList<string> Models { get; init; }
}

/// <summary>A version in its parts.</summary>
internal sealed record VersionParts(int Major, int Minor, int Patch)
{
    public string? PreRelease { get; }

    public bool SecurityUpdate { get; }

    public int Build { get; }

    public string File { get; } = "";

    public string ReleaseNotes { get; } = "";
}

/// <summary>The answer to <c>/v1/status/ping</c>, <c>version</c> and <c>updateavailable</c>: nothing asks the internet whether there is a newer one.</summary>
internal sealed record StatusAnswer(string Message, VersionParts Version, string Hostname)
{
    [JsonPropertyOrder(-1)]
    public bool Success => true;

    public VersionParts Current => Version;

    public VersionParts Latest => Version;

    public bool UpdateAvailable { get; }

    public int Code { get; } = 200;
}

/// <summary>A failure as DeepStack tells it.</summary>
internal sealed record DeepStackError(string Error)
{
    [JsonPropertyOrder(-1)]
    public bool Success => false;

    public double Duration { get; }
}

/// <summary>A failure as CodeProject.AI tells it.</summary>
internal sealed record CodeProjectError(string Error, string Hostname)
{
    [JsonPropertyOrder(-2)]
    public bool Success => false;

    [JsonPropertyOrder(-1)]
    public int Code => 500;
}

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DetectionAnswer))]
[JsonSerializable(typeof(SceneAnswer))]
[JsonSerializable(typeof(ModelListAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(DeepStackError))]
[JsonSerializable(typeof(CodeProjectError))]
internal sealed partial class CameraJson : JsonSerializerContext;
