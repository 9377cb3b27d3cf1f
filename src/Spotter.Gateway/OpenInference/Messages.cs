using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Gateway.OpenInference;

/// <summary>What the server is.</summary>
internal sealed record ServerMetadata(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>Whether the server works; the protocol has <c>live</c> in both answers.</summary>
internal sealed record ServerHealth(bool Live, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Ready);

/// <summary>Whether a model can be used.</summary>
internal sealed record ModelReadiness(string Name, bool Ready);

/// <summary>A refusal.</summary>
internal sealed record InferError(string Error);

/// <summary>
/// What a model takes and gives: a picture and what is found in it, unless that is a file, or tensors as they are. A request has inputs of one
/// of the two.
/// </summary>
internal sealed record ModelDescription(string Name, IReadOnlyList<string> Versions, string Platform, IReadOnlyList<TensorPort> Inputs, IReadOnlyList<TensorPort> Outputs)
{
    public static ModelDescription Of(ModelInfo model) => new(
        model.Id, [model.Version], "onnx_onnxv1",
        [.. PictureOutputs.PortsOf(model) is [] ? Array.Empty<TensorPort>() : [PictureOutputs.Input], .. model.Tensors?.Inputs ?? []],
        [.. PictureOutputs.PortsOf(model), .. model.Tensors?.Outputs ?? []]);
}

/// <summary>An inference request, without what lies in binary behind it.</summary>
internal sealed record InferRequest(
    IReadOnlyList<RequestedInput>? Inputs, string? Id = null, IReadOnlyList<RequestedOutput>? Outputs = null, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

/// <summary>An input of a request.</summary>
internal sealed record RequestedInput(string? Name, IReadOnlyList<long>? Shape, string? Datatype, JsonElement Data = default, IReadOnlyDictionary<string, JsonElement>? Parameters = null)
{
    /// <summary>How many of the bytes behind the JSON are this input's; null when its data is in the JSON.</summary>
    [JsonIgnore]
    public long? BinaryBytes => Parameters?.TryGetValue("binary_data_size", out var size) == true && size.TryGetInt64(out var bytes) ? bytes : null;
}

/// <summary>An output that a request wants.</summary>
internal sealed record RequestedOutput(string? Name, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, MaxDepth = 16)]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerHealth))]
[JsonSerializable(typeof(ModelReadiness))]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(InferError))]
[JsonSerializable(typeof(InferRequest))]
internal sealed partial class OpenInferenceJson : JsonSerializerContext;
