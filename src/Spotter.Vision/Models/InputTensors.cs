using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Spotter.Vision.Images;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>The input tensors of a model, for one picture or for as many at once as it was made for.</summary>
internal sealed unsafe class InputTensors : IDisposable
{
    // Two numbers of the widest type.
    private const long PairBytes = 16;

    private readonly InputSpec input;
    private readonly SizeInput? size;
    private readonly IReadOnlyList<FixedInput> constant;
    private readonly NativeBuffer pictures = new();
    private readonly NativeBuffer sizes = new();
    private readonly OrtValue[]?[] tensors;
    private readonly int pictureBytes;

    public InputTensors(InputSpec input, SizeInput? size, IReadOnlyList<FixedInput> constant, int capacity)
    {
        (this.input, this.size, this.constant) = (input, size, constant);
        tensors = new OrtValue[capacity][];
        pictureBytes = OrtPort.BytesOf(input.Type, input.Shape(1));
        new Span<byte>(pictures.Ensure((long)pictureBytes * capacity), checked(pictureBytes * capacity)).Clear();
        new Span<byte>(sizes.Ensure(SizeBytes), (int)SizeBytes).Clear();
        for (var i = 0; i < constant.Count; i++)
        {
            for (var item = 0; item < capacity; item++)
                Write(constant[i].Type, Sizes(i + 1, constant[i].Type, item), constant[i].First, constant[i].Second);
        }
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
        Write(size.Type, Sizes(0, size.Type, item), first, second);
    }

    private long SizeBytes => PairBytes * (1 + constant.Count) * Capacity;

    /// <summary>The two numbers of a picture in one of the inputs besides it.</summary>
    private Span<byte> Sizes(int which, int type, int item)
    {
        var bytes = 2 * OrtPort.SizeOf(type);
        return new(sizes.Ensure(SizeBytes) + (PairBytes * which * Capacity) + (item * bytes), bytes);
    }

    private static void Write(int type, Span<byte> place, float first, float second)
    {
        switch (type)
        {
            case OrtPort.Int64:
                (MemoryMarshal.Cast<byte, long>(place)[0], MemoryMarshal.Cast<byte, long>(place)[1]) = ((long)first, (long)second);
                break;
            case OrtPort.Int32:
                (MemoryMarshal.Cast<byte, int>(place)[0], MemoryMarshal.Cast<byte, int>(place)[1]) = ((int)first, (int)second);
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
        var made = new OrtValue[(size is null ? 1 : 2) + constant.Count];
        made[input.Index] = OrtPort.Tensor(input.Type, input.Shape(count), pictures.Ensure((long)pictureBytes * Capacity));
        if (size is not null)
            made[size.Index] = OrtPort.Tensor(size.Type, [count, 2], sizes.Ensure(SizeBytes));
        for (var i = 0; i < constant.Count; i++)
            made[constant[i].Index] = OrtPort.Tensor(constant[i].Type, [count, 2], sizes.Ensure(SizeBytes) + (PairBytes * (i + 1) * Capacity));
        return made;
    }
}
