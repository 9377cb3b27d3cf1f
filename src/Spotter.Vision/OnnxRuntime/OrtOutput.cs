namespace Spotter.Vision.OnnxRuntime;

/// <summary>What a run gave, read where the library put it. Valid until disposed.</summary>
internal sealed unsafe class OrtOutput : IDisposable
{
    private readonly OrtHandle value;
    private readonly float* data;
    private readonly int length;

    internal OrtOutput(OrtHandle value)
    {
        this.value = value;
        nint shapeInfo;
        OrtApi.Check(((delegate* unmanaged<nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.GetTensorTypeAndShape))(value.Pointer, &shapeInfo));
        using var info = new OrtHandle(OrtApi.Slot.ReleaseTensorTypeAndShapeInfo, shapeInfo);
        Shape = OrtSession.ReadShape(shapeInfo);
        length = 1;
        foreach (var dimension in Shape)
            length = checked(length * (int)dimension);
        void* memory;
        OrtApi.Check(((delegate* unmanaged<nint, void**, nint>)OrtApi.Function(OrtApi.Slot.GetTensorMutableData))(value.Pointer, &memory));
        data = (float*)memory;
    }

    public long[] Shape { get; }

    /// <summary>The numbers, row by row; do not keep it past <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(value.IsClosed, this);
            return new(data, length);
        }
    }

    public void Dispose() => value.Dispose();
}
