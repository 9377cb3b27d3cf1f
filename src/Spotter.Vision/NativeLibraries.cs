using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using NetVips;
using Spotter.Core;

namespace Spotter.Vision;

/// <summary>
/// Loads the libraries of the engines when they are first needed. They come with the engines' packages; of ONNX Runtime the
/// environment can name another build (<see cref="NativeLibraryPaths"/>).
/// </summary>
internal static class NativeLibraries
{
    /// <summary>The name under which this project imports functions of libvips.</summary>
    public const string LibVipsName = "vips";

    private static readonly Lazy<nint> OnnxRuntime = new(() =>
    {
        NativeEnvironment.RefuseTelemetry();
        return NativeLibraryPaths.OnnxRuntime is { } file ? LoadFile(file) : LoadPackaged("ONNX Runtime", "onnxruntime", typeof(OrtEnv).Assembly);
    });

    private static readonly Lazy<nint> LibVips = new(() => LoadPackaged("libvips", LibVipsFile, typeof(Image).Assembly));

    static NativeLibraries()
    {
        // Before the package does it: whoever comes second has no say.
        OrtEnv.DisableDllImportResolver = true;
        NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, static (_, _, _) => OnnxRuntime.Value);
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, static (name, _, _) => name == LibVipsName ? LibVips.Value : 0);
    }

    // As its package names it; GLib is inside.
    private static string LibVipsFile =>
        OperatingSystem.IsWindows() ? "libvips-42.dll" : OperatingSystem.IsMacOS() ? "libvips.42.dylib" : "libvips.so.42";

    /// <summary>Call before anything of ONNX Runtime is touched; cheap after the first time.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static void LoadOnnxRuntime() => _ = OnnxRuntime.Value;

    /// <summary>Call before anything of libvips is touched; cheap after the first time.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static void LoadLibVips() => _ = LibVips.Value;

    private static nint LoadPackaged(string what, string name, Assembly package) =>
        NativeLibrary.TryLoad(name, package, searchPath: null, out var library) ? library : throw Missing(
            $"{what} is missing beside the program, or is not made for {RuntimeInformation.RuntimeIdentifier}; build Spotter on this machine, with the packages of the repository.");

    private static nint LoadFile(string file)
    {
        if (!File.Exists(file))
            throw Missing($"ONNX Runtime is not at {file}, where {NativeLibraryPaths.OnnxRuntimeVariable} says it is; correct or unset the variable.");
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw Missing($"ONNX Runtime at {file} can't be loaded on this machine ({e.Message}); name another build of it in {NativeLibraryPaths.OnnxRuntimeVariable}, or unset that.", e);
        }
    }

    private static SpotterException Missing(string message, Exception? inner = null) => new(ErrorCodes.NativeMissing, message, inner);
}
