using System.Text.Json.Serialization;

namespace Spotter.Core;

/// <summary>Where the time of the attempt that succeeded went, in milliseconds.</summary>
public sealed record JobTimings
{
    /// <summary>From acceptance to the last start.</summary>
    public double QueuedMs { get; init; }

    /// <summary>Reading the picture from the store.</summary>
    public double FetchMs { get; init; }

    /// <summary>From its bytes to the model's input.</summary>
    public double DecodeMs { get; init; }

    /// <summary>The model.</summary>
    public double InferMs { get; init; }

    /// <summary>From the model's output to boxes.</summary>
    public double PostMs { get; init; }

    /// <summary>Drawing and encoding the annotated picture; 0 when none was made.</summary>
    public double EncodeMs { get; init; }

    /// <summary>How long it kept a lane busy: inputs are fetched while the lane runs another job.</summary>
    [JsonIgnore]
    public double BusyMs => DecodeMs + InferMs + PostMs + EncodeMs;

    /// <summary>What a worker did, in its order; what took no time is left out.</summary>
    [JsonIgnore]
    public IEnumerable<(string Stage, double Milliseconds)> Stages =>
        new[] { ("fetch", FetchMs), ("decode", DecodeMs), ("infer", InferMs), ("post", PostMs), ("encode", EncodeMs) }.Where(stage => stage.Item2 > 0);
}
