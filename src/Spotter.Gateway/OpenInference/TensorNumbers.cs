using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spotter.Core;

namespace Spotter.Gateway.OpenInference;

/// <summary>Elements of tensors, between JSON and the little-endian bytes of the binary extension.</summary>
internal static class TensorNumbers
{
    /// <summary>The bytes of the numbers of a tensor, flat or in lists within lists, row by row.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: they are others than its type and shape say.</exception>
    public static byte[] Read(TensorPort port, JsonElement data)
    {
        var bytes = new byte[port.Bytes ?? throw Invalid(port, "has a type or a shape that can't be read")];
        var size = TensorTypes.SizeOf(port.Datatype)!.Value;
        var at = 0;
        Read(port, data, bytes, size, ref at);
        return at == bytes.Length ? bytes : throw Invalid(port, $"has {bytes.Length / size} numbers by its shape, and {at / size} were sent");
    }

    /// <summary>Writes numbers as the elements of a JSON list.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: one can't be written so.</exception>
    public static void Write(Utf8JsonWriter json, TensorPort port, ReadOnlySpan<byte> bytes)
    {
        var size = TensorTypes.SizeOf(port.Datatype) ?? throw Invalid(port, "has a type that can't be written");
        for (; bytes.Length >= size; bytes = bytes[size..])
        {
            switch (port.Datatype)
            {
                case "BOOL": json.WriteBooleanValue(bytes[0] != 0); break;
                case "UINT8": json.WriteNumberValue(bytes[0]); break;
                case "INT8": json.WriteNumberValue((sbyte)bytes[0]); break;
                case "UINT16": json.WriteNumberValue(BinaryPrimitives.ReadUInt16LittleEndian(bytes)); break;
                case "INT16": json.WriteNumberValue(BinaryPrimitives.ReadInt16LittleEndian(bytes)); break;
                case "UINT32": json.WriteNumberValue(BinaryPrimitives.ReadUInt32LittleEndian(bytes)); break;
                case "INT32": json.WriteNumberValue(BinaryPrimitives.ReadInt32LittleEndian(bytes)); break;
                case "UINT64": json.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(bytes)); break;
                case "INT64": json.WriteNumberValue(BinaryPrimitives.ReadInt64LittleEndian(bytes)); break;
                case "FP16": json.WriteNumberValue((float)Finite(port, BinaryPrimitives.ReadHalfLittleEndian(bytes))); break;
                case "FP32": json.WriteNumberValue(Finite(port, BinaryPrimitives.ReadSingleLittleEndian(bytes))); break;
                default: json.WriteNumberValue(Finite(port, BinaryPrimitives.ReadDoubleLittleEndian(bytes))); break;
            }
        }
    }

    private static void Read(TensorPort port, JsonElement data, byte[] bytes, int size, ref int at)
    {
        if (data.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in data.EnumerateArray())
                Read(port, element, bytes, size, ref at);
            return;
        }
        if (at + size > bytes.Length)
            throw Invalid(port, $"has {bytes.Length / size} numbers by its shape, and more were sent");
        if (!TryWrite(port.Datatype, data, bytes.AsSpan(at, size)))
            throw Invalid(port, $"has an element {(data.ValueKind == JsonValueKind.Undefined ? "missing" : data.GetRawText() is { Length: < 30 } text ? text : "")} that is no {port.Datatype}");
        at += size;
    }

    private static bool TryWrite(string type, JsonElement element, Span<byte> to) => type switch
    {
        "BOOL" => element.ValueKind is JsonValueKind.True or JsonValueKind.False ? Put(to, element.GetBoolean() ? (byte)1 : (byte)0) : Is(element) && element.TryGetByte(out var v) && v <= 1 && Put(to, v),
        "UINT8" => Is(element) && element.TryGetByte(out var v) && Put(to, v),
        "INT8" => Is(element) && element.TryGetSByte(out var v) && Put(to, v),
        "UINT16" => Is(element) && element.TryGetUInt16(out var v) && Put(to, v),
        "INT16" => Is(element) && element.TryGetInt16(out var v) && Put(to, v),
        "UINT32" => Is(element) && element.TryGetUInt32(out var v) && Put(to, v),
        "INT32" => Is(element) && element.TryGetInt32(out var v) && Put(to, v),
        "UINT64" => Is(element) && element.TryGetUInt64(out var v) && Put(to, v),
        "INT64" => Is(element) && element.TryGetInt64(out var v) && Put(to, v),
        "FP16" => Is(element) && element.TryGetSingle(out var v) && Half.IsFinite((Half)v) && Put(to, (Half)v),
        "FP32" => Is(element) && element.TryGetSingle(out var v) && float.IsFinite(v) && Put(to, v),
        "FP64" => Is(element) && element.TryGetDouble(out var v) && double.IsFinite(v) && Put(to, v),
        _ => false,
    };

    private static bool Is(JsonElement element) => element.ValueKind == JsonValueKind.Number;

    // Every machine that runs .NET is little-endian, as the protocol is.
    private static bool Put<T>(Span<byte> to, T value)
        where T : struct
    {
        MemoryMarshal.Write(to, in value);
        return true;
    }

    private static T Finite<T>(TensorPort port, T number)
        where T : System.Numerics.INumberBase<T> =>
        T.IsFinite(number) ? number : throw Invalid(port, "has numbers that are infinite or none at all, which JSON can't say; ask for it with 'binary_data'");

    private static SpotterException Invalid(TensorPort port, string what) => new(ErrorCodes.InvalidRequest, $"The tensor '{port.Name}' {what}.");
}
