using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Spotter.Core;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>An input or output as the model declares it; -1 stands for a dimension that is free.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Type">The library's number of its element type; 0 is no tensor at all.</param>
/// <param name="Shape">Its dimensions.</param>
internal sealed record OrtPort(string Name, int Type, long[] Shape)
{
    public const int Float32 = 1;
    public const int UInt8 = 2;
    public const int Int32 = 6;
    public const int Int64 = 7;
    public const int Float16 = 10;
    public const int Double = 11;

    /// <summary>True for the types whose numbers can be read as results.</summary>
    public bool IsNumeric => Type is Float32 or UInt8 or Int32 or Int64 or Float16 or Double;

    /// <summary>True when its name has one of these words, in any case of letters.</summary>
    public bool Says(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (Name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>What the library says of an input or output.</summary>
    public static OrtPort Of(string name, NodeMetadata declared) => declared.OnnxValueType == OnnxValueType.ONNX_TYPE_TENSOR
        ? new(name, (int)declared.ElementDataType, Array.ConvertAll(declared.Dimensions, dimension => (long)dimension))
        : new(name, Type: 0, []);

    /// <summary>Bytes of a tensor.</summary>
    public static int BytesOf(int type, ReadOnlySpan<long> shape)
    {
        var bytes = SizeOf(type);
        foreach (var dimension in shape)
            bytes = checked(bytes * (int)dimension);
        return bytes;
    }

    /// <summary>A tensor over memory that is filled again and again without the library copying it.</summary>
    /// <param name="type">Element type, as <see cref="Type"/>.</param>
    /// <param name="shape">Its dimensions, all of them known.</param>
    /// <param name="memory">Its elements, row by row; must outlive the tensor.</param>
    public static unsafe OrtValue Tensor(int type, long[] shape, void* memory) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, (TensorElementType)type, shape, (nint)memory, BytesOf(type, shape));

    /// <summary>Bytes per element.</summary>
    public static int SizeOf(int type) => type switch
    {
        UInt8 or 3 or 9 => 1,
        4 or 5 or Float16 or 16 => 2,
        Int64 or Double or 13 => 8,
        _ => 4,
    };

    /// <summary>The type as Open Inference calls it (<see cref="TensorTypes"/>); null for one that is no plain number.</summary>
    public static string? DatatypeOf(int type) => type switch
    {
        Float32 => "FP32",
        UInt8 => "UINT8",
        3 => "INT8",
        4 => "UINT16",
        5 => "INT16",
        Int32 => "INT32",
        Int64 => "INT64",
        9 => "BOOL",
        Float16 => "FP16",
        Double => "FP64",
        12 => "UINT32",
        13 => "UINT64",
        _ => null,
    };

    public static string NameOf(int type) => type switch
    {
        0 => "no tensor",
        Float32 => "float32",
        UInt8 => "uint8",
        3 => "int8",
        Int32 => "int32",
        Int64 => "int64",
        8 => "string",
        9 => "bool",
        Float16 => "float16",
        Double => "float64",
        16 => "bfloat16",
        _ => $"type {type}",
    };

    public override string ToString() =>
        $"{Name} {(Type == Float32 ? "" : NameOf(Type) + " ")}[{string.Join(',', Shape.Select(d => d < 0 ? "?" : d.ToString(CultureInfo.InvariantCulture)))}]";
}
