using System.Runtime.InteropServices;

namespace Spotter.Vision.LibVips;

/// <summary>
/// The functions of libvips that NetVips has not, or not without a managed copy of all pixels. The error text is one per
/// process, so that of another lane may be mixed in: it is told to people, and nothing is decided by it.
/// </summary>
internal static unsafe partial class VipsApi
{
    [LibraryImport(NativeLibraries.LibVipsName, EntryPoint = "vips_error_clear")]
    public static partial void ClearErrors();

    /// <summary>Computes a part of an image; the memory is the caller's, to be given back with <see cref="Free"/>.</summary>
    [LibraryImport(NativeLibraries.LibVipsName, EntryPoint = "vips_region_fetch")]
    public static partial byte* Fetch(NetVips.Region region, int left, int top, int width, int height, nuint* length);

    [LibraryImport(NativeLibraries.LibVipsName, EntryPoint = "g_free")]
    public static partial void Free(nint memory);
}
