using System.Runtime.InteropServices;

namespace Spotter.Vision.LibVips;

/// <summary>Starts libvips once per process, with only the loaders that we mean to allow.</summary>
internal static unsafe class Vips
{
    // What may be read is said here and nowhere else; everything libvips learns to read later stays shut.
    private static readonly string[] AllowedLoaders =
        ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer", "VipsForeignLoadNsgifBuffer"];

    private static readonly Lazy<nint> Library = new(NativeLibraries.LoadLibVips);
    private static readonly Lazy<bool> Started = new(StartOnce);

    internal static nint LibraryHandle => Library.Value;

    /// <summary>Call before anything else; cheap after the first time.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.NativeMissing"/>.</exception>
    /// <exception cref="VipsException">libvips can't start.</exception>
    public static void Start() => _ = Started.Value;

    /// <summary>
    /// Forgets errors of calls that went on to succeed; the text has little room, and would fill with them. At worst
    /// another lane's refusal loses its detail.
    /// </summary>
    public static void ForgetErrors() => VipsApi.ClearErrors();

    private static bool StartOnce()
    {
        _ = Library.Value;
        // Damaged files make libvips warn; what matters of it comes as an error of the call.
        const int warningsAndLess = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7;
        foreach (var domain in (string[])["VIPS", "GLib", "GLib-GObject", "Pango"])
            VipsApi.SetLogHandler(domain, warningsAndLess, &Ignore, 0);
        if (NativeLibraries.FindFontSettings() is { } fonts)
            VipsApi.SetEnvironment("FONTCONFIG_FILE", fonts, overwrite: 0);
        if (VipsApi.Init("spotter") != 0)
            throw VipsException.Take("vips_init");
        VipsApi.SetConcurrency(1); // a lane is one thread from decode to encode
        VipsApi.SetCacheMax(0);    // nothing outlives its call
        VipsApi.BlockOperations("VipsForeignLoad", 1);
        foreach (var loader in AllowedLoaders)
            VipsApi.BlockOperations(loader, 0);
        return true;
    }

    [UnmanagedCallersOnly]
    private static void Ignore(nint domain, int level, nint message, nint data)
    {
    }
}

/// <summary>libvips refused a call; the message is its own.</summary>
internal sealed class VipsException(string operation, string message) : Exception(message)
{
    /// <summary>The operation that failed.</summary>
    public string Operation { get; } = operation;

    /// <summary>
    /// Takes the text of the latest error. Earlier lines are left out: they may be of calls that went on to succeed.
    /// </summary>
    public static VipsException Take(string operation)
    {
        var text = VipsApi.TakeErrors();
        try
        {
            var lines = Marshal.PtrToStringUTF8(text)?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return new VipsException(operation, lines is { Length: > 0 } ? lines[^1] : $"{operation} failed");
        }
        finally
        {
            VipsApi.Free(text);
        }
    }
}
