namespace Spotter.Vision.OnnxRuntime;

/// <summary>A tensor over memory that is filled again and again without the library copying it.</summary>
internal sealed unsafe class OrtTensor : IDisposable
{
    private readonly OrtHandle value;

    /// <param name="type">Element type, as <see cref="OrtPort.Type"/>.</param>
    /// <param name="shape">Its dimensions, all of them known.</param>
    /// <param name="memory">Its elements, row by row; must outlive the tensor.</param>
    public OrtTensor(int type, ReadOnlySpan<long> shape, void* memory) => value = Wrap(type, shape, memory);

    public nint Pointer => value.Pointer;

    /// <summary>Bytes of a tensor.</summary>
    public static int Bytes(int type, ReadOnlySpan<long> shape)
    {
        var bytes = OrtPort.SizeOf(type);
        foreach (var dimension in shape)
            bytes = checked(bytes * (int)dimension);
        return bytes;
    }

    public void Dispose() => value.Dispose();

    private static OrtHandle Wrap(int type, ReadOnlySpan<long> shape, void* memory)
    {
        const int arenaAllocator = 1, defaultMemory = 0;
        nint info, tensor;
        OrtApi.Check(((delegate* unmanaged<int, int, nint*, nint>)OrtApi.Function(OrtApi.Slot.CreateCpuMemoryInfo))(arenaAllocator, defaultMemory, &info));
        using var memoryInfo = new OrtHandle(OrtApi.Slot.ReleaseMemoryInfo, info);
        fixed (long* dimensions = shape)
        {
            OrtApi.Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)OrtApi.Function(OrtApi.Slot.CreateTensorWithDataAsOrtValue))(
                info, memory, (nuint)Bytes(type, shape), dimensions, (nuint)shape.Length, type, &tensor));
        }
        return new OrtHandle(OrtApi.Slot.ReleaseValue, tensor);
    }
}
