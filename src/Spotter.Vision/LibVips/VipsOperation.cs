using System.Globalization;

namespace Spotter.Vision.LibVips;

/// <summary>
/// One call of a libvips operation by its name: set its arguments, run it, take its outputs, dispose. The references it
/// took to its arguments are given back on disposal.
/// </summary>
internal sealed unsafe class VipsOperation : IDisposable
{
    private readonly string name;
    private nint operation;
    private bool built;

    public VipsOperation(string name)
    {
        Vips.Start();
        this.name = name;
        operation = VipsApi.NewOperation(name);
        if (operation == 0)
            throw VipsException.Take(name);
    }

    /// <summary>Sets a number, a flag, an enumeration or a text, as libvips' command line spells it.</summary>
    public VipsOperation Set(string argument, string value) =>
        VipsApi.SetArgument(operation, argument, value) == 0 ? this : throw VipsException.Take(name);

    public VipsOperation Set(string argument, int value) => Set(argument, value.ToString(CultureInfo.InvariantCulture));

    public VipsOperation Set(string argument, bool value) => Set(argument, value ? "true" : "false");

    /// <summary>Lends an image to the operation.</summary>
    public VipsOperation Set(string argument, VipsImage image)
    {
        VipsApi.GValue value = default;
        VipsApi.InitValue(&value, VipsApi.TypeByName("VipsImage"));
        VipsApi.SetObject(&value, image.Pointer);
        VipsApi.SetProperty(operation, argument, &value);
        VipsApi.UnsetValue(&value);
        GC.KeepAlive(image);
        return this;
    }

    /// <summary>Lends memory to the operation and to what it makes; it must outlive both.</summary>
    public VipsOperation Set(string argument, void* memory, int length)
    {
        var blob = VipsApi.NewBlob(0, memory, (nuint)length);
        VipsApi.GValue value = default;
        VipsApi.InitValue(&value, VipsApi.BlobType());
        VipsApi.SetBoxed(&value, blob);
        VipsApi.SetProperty(operation, argument, &value);
        VipsApi.UnsetValue(&value);
        VipsApi.UnrefArea(blob);
        return this;
    }

    /// <exception cref="VipsException">The operation failed.</exception>
    public VipsOperation Run()
    {
        var ran = VipsApi.Build(operation);
        if (ran == 0)
            throw VipsException.Take(name);
        // The build gives back its own reference, perhaps to another instance.
        VipsApi.Unref(operation);
        operation = ran;
        built = true;
        return this;
    }

    /// <summary>A reference to the image that the operation made.</summary>
    public VipsImage Image(string argument = "out")
    {
        VipsApi.GValue value = default;
        VipsApi.InitValue(&value, VipsApi.TypeByName("VipsImage"));
        VipsApi.GetProperty(operation, argument, &value);
        var image = VipsApi.Ref(VipsApi.GetObject(&value));
        VipsApi.UnsetValue(&value);
        return new VipsImage(image);
    }

    /// <summary>The bytes that the operation made.</summary>
    public VipsBlob Blob(string argument = "buffer")
    {
        VipsApi.GValue value = default;
        VipsApi.InitValue(&value, VipsApi.BlobType());
        VipsApi.GetProperty(operation, argument, &value);
        var area = VipsApi.CopyArea(VipsApi.GetBoxed(&value));
        VipsApi.UnsetValue(&value);
        return new VipsBlob(area);
    }

    public void Dispose()
    {
        if (operation == 0)
            return;
        if (built)
            VipsApi.UnrefOutputs(operation);
        VipsApi.Unref(operation);
        operation = 0;
    }
}
