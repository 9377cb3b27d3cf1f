using NetVips;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

/// <summary>A map that a model made of a picture, as it lies in its file.</summary>
internal sealed record MapPicture(string Name, string MediaType, int Width, int Height, int Bits, ushort[] Numbers)
{
    public ushort this[int x, int y] => Numbers[(y * Width) + x];

    /// <summary>Runs a model whose result has a map.</summary>
    public static (VisionResult Result, MapPicture Map) Of(VisionModel model, byte[] picture, VisionParameters? options = null)
    {
        MapPicture? map = null;
        using var found = model.Run(picture, options ?? new VisionParameters(), new RunExtras { OnFile = (name, type, bytes) => map = Read(name, type, bytes.ToArray()) });
        return (found.Result, map.ShouldNotBeNull());
    }

    public static MapPicture Read(string name, string type, byte[] png)
    {
        using var image = Image.NewFromBuffer(png);
        image.Bands.ShouldBe(1);
        using var numbers = image.Cast(Enums.BandFormat.Ushort);
        return new(name, type, image.Width, image.Height, image.Format == Enums.BandFormat.Uchar ? 8 : 16, numbers.WriteToMemory<ushort>());
    }
}
