using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Inference;

namespace Spotter.Engines.Tensor;

/// <summary>What a job of <see cref="TensorEngine"/> is told.</summary>
/// <param name="Inputs">The tensors in its one input, which has their bytes one behind the other.</param>
/// <param name="Outputs">The names of those that are wanted; none for all.</param>
public sealed record TensorParameters(IReadOnlyList<TensorPort> Inputs, IReadOnlyList<string> Outputs)
{
    /// <summary>As JSON.</summary>
    public RawJson ToJson() => RawJson.Of(this, TensorJson.Default.TensorParameters);
}

/// <summary>What a job of <see cref="TensorEngine"/> gave.</summary>
/// <param name="Outputs">The tensors; the bytes of each are a file of the job (<see cref="FileOf"/>).</param>
public sealed record TensorResult(IReadOnlyList<TensorPort> Outputs)
{
    /// <summary>The file of an output, by its place.</summary>
    public static string FileOf(int output) => $"{output}.bin";

    /// <summary>From the result of a job.</summary>
    public static TensorResult Of(RawJson json) => json.Read(TensorJson.Default.TensorResult);
}

/// <summary>Runs a model on tensors as they are, for clients that bring their own. Doors that speak of tensors ask for it; no form does.</summary>
public sealed class TensorEngine : IEngine
{
    /// <summary>Its name.</summary>
    public const string EngineName = "tensor";

    /// <summary>Most bytes of all inputs, and of all outputs.</summary>
    public const int MostBytes = 32 << 20;

    /// <inheritdoc/>
    public string Name => EngineName;

    /// <inheritdoc/>
    public bool NeedsModel => true;

    /// <inheritdoc/>
    public EngineLimits Limits { get; } = new() { MediaTypes = [InputTerms.AnyBytes], InputBytes = MostBytes, MostInputs = 1, OutputBytes = MostBytes };

    /// <inheritdoc/>
    public bool Takes(ModelInfo model) => model.Tensors is not null;

    /// <summary>What the tensors take again as they go through the model; what the model takes of itself is not known.</summary>
    public long MemoryOf(EngineJob job) => job.Spec.Inputs.Sum(i => i.Bytes);

    /// <inheritdoc/>
    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var parameters = job.Spec.Parameters.Read(TensorJson.Default.TensorParameters);
        using var use = job.Host.Use(job.Spec);
        var made = new List<TensorPort>();
        var start = Stopwatch.GetTimestamp();
        use.Model.Run(
            Split(parameters.Inputs, job.Inputs[0].Bytes), parameters.Outputs,
            (port, bytes) =>
            {
                using var file = job.Outputs.Create(TensorResult.FileOf(made.Count), InputTerms.AnyBytes);
                file.Write(bytes);
                made.Add(port);
            },
            cancel);
        var timings = new JobTimings { InferMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds };
        return new EngineResult(RawJson.Of(new TensorResult(made), TensorJson.Default.TensorResult), timings) { ModelVersion = use.Version };
    }

    private static List<RawTensor> Split(IReadOnlyList<TensorPort> ports, ReadOnlyMemory<byte> all)
    {
        var tensors = new List<RawTensor>(ports.Count);
        foreach (var port in ports)
        {
            if (port.Bytes is not { } bytes || bytes > all.Length)
                throw new SpotterException(ErrorCodes.InvalidRequest, $"The bytes of {port} are not all there.");
            tensors.Add(new RawTensor(port, all[..(int)bytes]));
            all = all[(int)bytes..];
        }
        return tensors;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TensorParameters))]
[JsonSerializable(typeof(TensorResult))]
internal sealed partial class TensorJson : JsonSerializerContext;
