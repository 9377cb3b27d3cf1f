using Spotter.Vision.Images;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>A float32 tensor over memory of its own, filled again and again without the library copying it.</summary>
internal sealed unsafe class OrtTensor : IDisposable
{
    private readonly NativeBuffer buffer = new();
    private readonly float* memory;
    private readonly int length;
    private readonly OrtHandle value;

    public OrtTensor(ReadOnlySpan<long> shape)
    {
        length = 1;
        foreach (var dimension in shape)
            length = checked(length * (int)dimension);
        memory = (float*)buffer.Ensure((long)length * sizeof(float));
        Span.Clear();
        value = Wrap(shape);
    }

    public Span<float> Span => new(memory, length);

    public nint Pointer => value.Pointer;

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
                info, memory, (nuint)length * sizeof(float), dimensions, (nuint)shape.Length, OrtPort.Float32, &tensor));
        }
        return new OrtHandle(OrtApi.Slot.ReleaseValue, tensor);
    }
}
