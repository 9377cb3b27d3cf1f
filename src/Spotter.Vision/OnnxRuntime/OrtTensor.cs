using System.Runtime.InteropServices;
using Spotter.Vision.Images;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>A tensor over memory of its own, filled again and again without the library copying it.</summary>
internal sealed unsafe class OrtTensor : IDisposable
{
    private readonly NativeBuffer buffer = new();
    private readonly byte* memory;
    private readonly int type;
    private readonly int bytes;
    private readonly OrtHandle value;

    /// <param name="type">Element type, as <see cref="OrtPort.Type"/>.</param>
    /// <param name="shape">Its dimensions, all of them known.</param>
    public OrtTensor(int type, ReadOnlySpan<long> shape)
    {
        this.type = type;
        bytes = OrtPort.SizeOf(type);
        foreach (var dimension in shape)
            bytes = checked(bytes * (int)dimension);
        memory = buffer.Ensure(bytes);
        new Span<byte>(memory, bytes).Clear();
        value = Wrap(shape);
    }

    public nint Pointer => value.Pointer;

    /// <summary>Its elements, row by row.</summary>
    public Span<T> As<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(new Span<byte>(memory, bytes));

    public void Dispose()
    {
        value.Dispose();
        buffer.Dispose();
    }

    private OrtHandle Wrap(ReadOnlySpan<long> shape)
    {
        const int arenaAllocator = 1, defaultMemory = 0;
        nint info, tensor;
        OrtApi.Check(((delegate* unmanaged<int, int, nint*, nint>)OrtApi.Function(OrtApi.Slot.CreateCpuMemoryInfo))(arenaAllocator, defaultMemory, &info));
        using var memoryInfo = new OrtHandle(OrtApi.Slot.ReleaseMemoryInfo, info);
        fixed (long* dimensions = shape)
        {
            OrtApi.Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)OrtApi.Function(OrtApi.Slot.CreateTensorWithDataAsOrtValue))(
                info, memory, (nuint)bytes, dimensions, (nuint)shape.Length, type, &tensor));
        }
        return new OrtHandle(OrtApi.Slot.ReleaseValue, tensor);
    }
}
