using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Spotter.Vision.Images;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>
/// One output of a run. Float32 is read where the library put it; other numbers are converted when they are first asked
/// for. Valid until disposed.
/// </summary>
internal sealed unsafe class OrtOutput : IDisposable
{
    private readonly void* data;
    private readonly int type;
    private readonly int length;
    private NativeBuffer? converted;
    private bool disposed;

    /// <param name="value">Whose memory is read; it is another's to release.</param>
    internal OrtOutput(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        Shape = info.Shape;
        type = (int)info.ElementDataType;
        length = checked((int)info.ElementCount);
        // Native memory, which stays where it is.
        data = info.ElementDataType == TensorElementType.String
            ? null
            : Unsafe.AsPointer(ref MemoryMarshal.GetReference(value.GetTensorMutableRawData()));
    }

    public long[] Shape { get; }

    /// <summary>The numbers, row by row; do not keep it past <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return type == OrtPort.Float32 ? new(data, length) : new(Convert(), length);
        }
    }

    /// <summary>Its element type, as <see cref="OrtPort.Type"/>.</summary>
    public int Type => type;

    /// <summary>The numbers as the library put them, little-endian; do not keep it past <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return new(data, checked(length * OrtPort.SizeOf(type)));
        }
    }

    public void Dispose()
    {
        disposed = true;
        converted?.Dispose();
    }

    private float* Convert()
    {
        if (converted is not null)
            return (float*)converted.Ensure((long)length * sizeof(float));
        converted = new NativeBuffer();
        var memory = (float*)converted.Ensure((long)length * sizeof(float));
        var floats = new Span<float>(memory, length);
        switch (type)
        {
            case OrtPort.Float16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(data, length), floats);
                break;
            case OrtPort.Int64:
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<long>(data, length), floats);
                break;
            case OrtPort.Int32:
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<int>(data, length), floats);
                break;
            case OrtPort.UInt8:
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<byte>(data, length), floats);
                break;
            case OrtPort.Double:
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<double>(data, length), floats);
                break;
            default:
                throw new NotSupportedException($"an output of {OrtPort.NameOf(type)} can't be read as numbers");
        }
        return memory;
    }
}

/// <summary>What one run gave: the outputs that were asked for, in that order.</summary>
/// <param name="values">The library's; released with this.</param>
internal sealed class OrtOutputs(IDisposableReadOnlyCollection<OrtValue> values) : IDisposable
{
    private readonly OrtOutput[] outputs = [.. values.Select(value => new OrtOutput(value))];

    public OrtOutput this[int index] => outputs[index];

    public int Count => outputs.Length;

    /// <summary>All of them; do not keep them past <see cref="Dispose"/>.</summary>
    public OrtOutput[] All => outputs;

    public void Dispose()
    {
        foreach (var output in outputs)
            output.Dispose();
        values.Dispose();
    }
}
