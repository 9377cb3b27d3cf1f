using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>The input tensors of a model for so many pictures at once.</summary>
internal sealed class ModelFeed : IDisposable
{
    private readonly OrtTensor[] tensors;
    private readonly InputSpec input;
    private readonly SizeInput? size;

    public ModelFeed(OrtSession session, InputSpec input, SizeInput? size, int batch)
    {
        (this.input, this.size) = (input, size);
        Batch = batch;
        tensors = new OrtTensor[session.Inputs.Count];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = i == input.Index ? new OrtTensor(input.Type, input.Shape(batch)) : new OrtTensor(size!.Type, [batch, 2]);
    }

    /// <summary>Pictures at once.</summary>
    public int Batch { get; }

    public ReadOnlySpan<OrtTensor> Tensors => tensors;

    /// <summary>The part of the picture tensor that belongs to one picture, as bytes.</summary>
    public Span<byte> Picture(int item)
    {
        var all = tensors[input.Index].As<byte>();
        var each = all.Length / Batch;
        return all.Slice(item * each, each);
    }

    /// <summary>Tells the model how large a picture is, if it wants to know.</summary>
    public void TellSize(int item, int width, int height)
    {
        if (size is null)
            return;
        var (first, second) = size.HeightFirst ? (height, width) : (width, height);
        switch (size.Type)
        {
            case OrtPort.Int64:
                (tensors[size.Index].As<long>()[item * 2], tensors[size.Index].As<long>()[(item * 2) + 1]) = (first, second);
                break;
            case OrtPort.Int32:
                (tensors[size.Index].As<int>()[item * 2], tensors[size.Index].As<int>()[(item * 2) + 1]) = (first, second);
                break;
            default:
                (tensors[size.Index].As<float>()[item * 2], tensors[size.Index].As<float>()[(item * 2) + 1]) = (first, second);
                break;
        }
    }

    public void Dispose()
    {
        foreach (var tensor in tensors)
            tensor.Dispose();
    }
}
