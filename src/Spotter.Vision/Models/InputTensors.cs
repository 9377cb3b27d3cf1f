using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Spotter.Vision.Images;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>The input tensors of a model, for one picture or for as many at once as it was made for.</summary>
internal sealed unsafe class InputTensors : IDisposable
{
    private readonly InputSpec input;
    private readonly SizeInput? size;
    private readonly NativeBuffer pictures = new();
    private readonly NativeBuffer sizes = new();
    private readonly OrtValue[]?[] tensors;
    private readonly int pictureBytes;

    public InputTensors(InputSpec input, SizeInput? size, int capacity)
    {
        (this.input, this.size) = (input, size);
        tensors = new OrtValue[capacity][];
        pictureBytes = OrtPort.BytesOf(input.Type, input.Shape(1));
        new Span<byte>(pictures.Ensure((long)pictureBytes * capacity), checked(pictureBytes * capacity)).Clear();
        new Span<byte>(sizes.Ensure(16L * capacity), 16 * capacity).Clear();
    }

    /// <summary>Pictures that fit in.</summary>
    public int Capacity => tensors.Length;

    /// <summary>The tensors for the first so many pictures, in the order of the model's inputs.</summary>
    public IReadOnlyCollection<OrtValue> Tensors(int count) => tensors[count - 1] ??= Make(count);

    /// <summary>The part of the picture tensor that belongs to one picture, as bytes.</summary>
    public Span<byte> Picture(int item) => new(pictures.Ensure((long)pictureBytes * Capacity) + ((long)item * pictureBytes), pictureBytes);

    /// <summary>Tells the model how large a picture is, if it wants to know.</summary>
    public void TellSize(int item, int width, int height)
    {
        if (size is null)
            return;
        var (first, second) = size.HeightFirst ? (height, width) : (width, height);
        var bytes = 2 * OrtPort.SizeOf(size.Type);
        var place = new Span<byte>(sizes.Ensure(16L * Capacity) + (item * bytes), bytes);
        switch (size.Type)
        {
            case OrtPort.Int64:
                (MemoryMarshal.Cast<byte, long>(place)[0], MemoryMarshal.Cast<byte, long>(place)[1]) = (first, second);
                break;
            case OrtPort.Int32:
                (MemoryMarshal.Cast<byte, int>(place)[0], MemoryMarshal.Cast<byte, int>(place)[1]) = (first, second);
                break;
            default:
                (MemoryMarshal.Cast<byte, float>(place)[0], MemoryMarshal.Cast<byte, float>(place)[1]) = (first, second);
                break;
        }
    }

    public void Dispose()
    {
        foreach (var made in tensors)
        {
            foreach (var tensor in made ?? [])
                tensor.Dispose();
        }
        pictures.Dispose();
        sizes.Dispose();
    }

    private OrtValue[] Make(int count)
    {
        var made = new OrtValue[size is null ? 1 : 2];
        made[input.Index] = OrtPort.Tensor(input.Type, input.Shape(count), pictures.Ensure((long)pictureBytes * Capacity));
        if (size is not null)
            made[size.Index] = OrtPort.Tensor(size.Type, [count, 2], sizes.Ensure(16L * Capacity));
        return made;
    }
}
