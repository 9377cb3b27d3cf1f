using NetVips;

namespace Spotter.Vision.LibVips;

/// <summary>Starts libvips once per process, with only the loaders that we mean to allow.</summary>
internal static class Vips
{
    // What may be read is said here and nowhere else; everything libvips learns to read later stays shut.
    private static readonly string[] AllowedLoaders =
        ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer", "VipsForeignLoadNsgifBuffer"];

    private static readonly Lazy<bool> Started = new(StartOnce);

    /// <summary>Call before anything else of libvips; cheap after the first time.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.NativeMissing"/>.</exception>
    /// <exception cref="VipsException">libvips can't start.</exception>
    public static void Start() => _ = Started.Value;

    /// <summary>
    /// Forgets errors of calls that went on to succeed; the text has little room, and would fill with them. At worst
    /// another lane's refusal loses its detail.
    /// </summary>
    public static void ForgetErrors() => VipsApi.ClearErrors();

    /// <summary>
    /// Why a call failed, in libvips' words. Earlier lines are left out: they are the name of the call, and may be of calls that
    /// went on to succeed.
    /// </summary>
    public static string Reason(VipsException failure) =>
        failure.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last] ? last : "it does not say why";

    /// <summary>An image over 8-bit pixels that the caller keeps alive, unmoved and unchanged until it is disposed.</summary>
    public static unsafe Image Over(byte* pixels, int width, int height, int bands)
    {
        Start();
        return Image.NewFromMemory((nint)pixels, (ulong)((long)width * height * bands), width, height, bands, Enums.BandFormat.Uchar);
    }

    /// <summary>As <see cref="Over(byte*, int, int, int)"/>, for one band of 16 bits.</summary>
    public static unsafe Image Over(ushort* pixels, int width, int height)
    {
        Start();
        return Image.NewFromMemory((nint)pixels, (ulong)((long)width * height * sizeof(ushort)), width, height, 1, Enums.BandFormat.Ushort);
    }

    private static bool StartOnce()
    {
        NativeLibraries.LoadLibVips();
        if (LabelFont.Settings is { } fonts)
            NativeEnvironment.Set("FONTCONFIG_FILE", fonts);
        if (!NetVips.NetVips.Init())
            throw new VipsException("vips_init");
        // Damaged files make libvips warn; what matters of it comes as an error of the call.
        foreach (var domain in (string[])["VIPS", "GLib", "GLib-GObject", "Pango"])
            Log.SetLogHandler(domain, Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Message | Enums.LogLevelFlags.Info | Enums.LogLevelFlags.Debug, static (_, _, _) => { });
        NetVips.NetVips.Concurrency = 1; // a lane is one thread from decode to encode
        Cache.Max = 0;                   // nothing outlives its call
        Operation.Block("VipsForeignLoad", state: true);
        foreach (var loader in AllowedLoaders)
            Operation.Block(loader, state: false);
        return true;
    }
}
