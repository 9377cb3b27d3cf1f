using System.Numerics.Tensors;
using Spotter.Vision.Images;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>
/// One output of a run. Float32 is read where the library put it; other numbers are converted when they are first asked
/// for. Valid until disposed.
/// </summary>
internal sealed unsafe class OrtOutput : IDisposable
{
    private readonly OrtHandle value;
    private readonly void* data;
    private readonly int type;
    private readonly int length;
    private NativeBuffer? converted;

    internal OrtOutput(OrtHandle value)
    {
        this.value = value;
        nint shapeInfo;
        OrtApi.Check(((delegate* unmanaged<nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.GetTensorTypeAndShape))(value.Pointer, &shapeInfo));
        using var info = new OrtHandle(OrtApi.Slot.ReleaseTensorTypeAndShapeInfo, shapeInfo);
        Shape = OrtSession.ReadShape(shapeInfo);
        int element;
        OrtApi.Check(((delegate* unmanaged<nint, int*, nint>)OrtApi.Function(OrtApi.Slot.GetTensorElementType))(shapeInfo, &element));
        type = element;
        length = 1;
        foreach (var dimension in Shape)
            length = checked(length * (int)dimension);
        void* memory;
        OrtApi.Check(((delegate* unmanaged<nint, void**, nint>)OrtApi.Function(OrtApi.Slot.GetTensorMutableData))(value.Pointer, &memory));
        data = memory;
    }

    public long[] Shape { get; }

    /// <summary>The numbers, row by row; do not keep it past <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(value.IsClosed, this);
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
            ObjectDisposedException.ThrowIf(value.IsClosed, this);
            return new(data, checked(length * OrtPort.SizeOf(type)));
        }
    }

    public void Dispose()
    {
        value.Dispose();
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
                throw new OrtException(OrtErrorCode.NotImplemented, $"an output of {OrtPort.NameOf(type)} can't be read as numbers");
        }
        return memory;
    }
}

/// <summary>What one run gave: the outputs that were asked for, in that order.</summary>
internal sealed class OrtOutputs(OrtOutput[] outputs) : IDisposable
{
    public OrtOutput this[int index] => outputs[index];

    public int Count => outputs.Length;

    public void Dispose()
    {
        foreach (var output in outputs)
            output.Dispose();
    }
}
