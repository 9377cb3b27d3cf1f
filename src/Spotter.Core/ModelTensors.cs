using System.Text.Json.Serialization;

namespace Spotter.Core;

/// <summary>What a model itself takes and gives, below pictures and boxes.</summary>
/// <param name="Inputs">Its inputs, in their order.</param>
/// <param name="Outputs">Its outputs, in their order.</param>
public sealed record ModelTensors(IReadOnlyList<TensorPort> Inputs, IReadOnlyList<TensorPort> Outputs)
{
    private const int MostPorts = 16;

    /// <summary>False for what no model that is run here has, whoever says it.</summary>
    [JsonIgnore]
    public bool IsSound => Inputs is { Count: > 0 and <= MostPorts } && Outputs is { Count: > 0 and <= MostPorts }
        && Inputs.Concat(Outputs).All(port => port is { Name.Length: > 0 and <= TensorPort.LongestName, Shape.Count: <= TensorPort.MostDimensions, Datatype: not null } && TensorTypes.SizeOf(port.Datatype) is not null);
}

/// <summary>An input or an output of a model.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Datatype">The type of its elements (<see cref="TensorTypes"/>).</param>
/// <param name="Shape">Its dimensions; -1 for one that is free.</param>
public sealed record TensorPort(string Name, string Datatype, IReadOnlyList<long> Shape)
{
    /// <summary>Longest name, in characters.</summary>
    public const int LongestName = 256;

    /// <summary>Most dimensions.</summary>
    public const int MostDimensions = 8;

    /// <summary>Bytes of a tensor of this type and shape; null when a dimension is not known, less than 1, or the product too large for any memory.</summary>
    [JsonIgnore]
    public long? Bytes
    {
        get
        {
            if (TensorTypes.SizeOf(Datatype) is not { } bytes || Shape.Count > MostDimensions)
                return null;
            long sum = bytes;
            foreach (var dimension in Shape)
            {
                if (dimension < 1 || dimension > int.MaxValue / sum)
                    return null;
                sum *= dimension;
            }
            return sum;
        }
    }

    /// <summary>True when a tensor of another shape goes in here.</summary>
    public bool Takes(IReadOnlyList<long> shape) =>
        shape.Count == Shape.Count && shape.Zip(Shape).All(d => d.First > 0 && (d.Second < 0 || d.First == d.Second));

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Datatype}[{string.Join(',', Shape)}]";
}

/// <summary>Types of the elements of tensors, called as Open Inference calls them. In memory they are little-endian.</summary>
public static class TensorTypes
{
    private static readonly Dictionary<string, int> Sizes = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 1, ["UINT8"] = 1, ["INT8"] = 1, ["UINT16"] = 2, ["INT16"] = 2, ["FP16"] = 2,
        ["UINT32"] = 4, ["INT32"] = 4, ["FP32"] = 4, ["UINT64"] = 8, ["INT64"] = 8, ["FP64"] = 8,
    };

    /// <summary>Bytes of an element; null for a type that is not one of these.</summary>
    public static int? SizeOf(string datatype) => Sizes.TryGetValue(datatype, out var size) ? size : null;
}
