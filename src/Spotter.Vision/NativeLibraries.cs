using System.Runtime.InteropServices;
using Spotter.Core;

namespace Spotter.Vision;

/// <summary>
/// Finds the native libraries and the font that come as npm packages: a file named by the environment first, then
/// <c>native/</c> beside the program, then <c>native/node_modules</c> in a folder above it.
/// </summary>
internal static class NativeLibraries
{
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static nint LoadOnnxRuntime()
    {
        NativeTelemetry.Refuse();
        return Load("ONNX Runtime", NativeLibraryPaths.OnnxRuntimeVariable, $"onnxruntime-node/bin/napi-v6/{NodePlatform}/{Architecture}", OnnxRuntimeFile);
    }

    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static nint LoadLibVips() =>
        Load("libvips", NativeLibraryPaths.LibVipsVariable, $"@img/sharp-libvips-{NodePlatform}-{Architecture}/lib", LibVipsFile);

    /// <summary>A font file of the package.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    public static string FindFont(string file) => Find("The font for labels", "dejavu-fonts-ttf/ttf", file);

    /// <summary>The settings of the font library; null if they are not there, and then it uses the machine's own.</summary>
    public static string? FindFontSettings()
    {
        try
        {
            return Find("The font settings", "..", "fonts.conf");
        }
        catch (SpotterException)
        {
            return null;
        }
    }

    private static string NodePlatform =>
        OperatingSystem.IsWindows() ? "win32" : OperatingSystem.IsMacOS() ? "darwin" : "linux";

    private static string Architecture => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString(),
    };

    private static string OnnxRuntimeFile =>
        OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.1.dylib" : "libonnxruntime.so.1";

    private static string LibVipsFile =>
        OperatingSystem.IsWindows() ? "libvips-42.dll" : OperatingSystem.IsMacOS() ? "libvips-cpp.*.dylib" : "libvips-cpp.so.*";

    private static nint Load(string what, string variable, string package, string pattern)
    {
        var file = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(file))
            file = Find(what, package, pattern);
        else if (!File.Exists(file))
            throw Missing($"{what} is not at {file}, where {variable} says it is; correct or unset the variable.");
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw Missing($"{what} at {file} can't be loaded on this machine ({e.Message}); install it anew with `npm ci --ignore-scripts` in native/, or name another build of it in {variable}.", e);
        }
    }

    private static string Find(string what, string package, string pattern) =>
        Find(AppContext.BaseDirectory, what, package, pattern);

    /// <summary>The first file that fits, seen from a program's folder.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>.</exception>
    internal static string Find(string program, string what, string package, string pattern)
    {
        var beside = Path.Combine(program, "native");
        if (FirstIn(beside, pattern) is { } flat)
            return flat;
        for (var folder = new DirectoryInfo(program); folder is not null; folder = folder.Parent)
        {
            var modules = Path.Combine(folder.FullName, "native", "node_modules");
            if (Directory.Exists(modules) && FirstIn(Path.Combine(modules, package), pattern) is { } packaged)
                return packaged;
        }
        throw Missing($"{what} is missing: {pattern} is neither in {beside} nor in native/node_modules/{package} of a folder above; run `npm ci --ignore-scripts` in native/.");
    }

    private static string? FirstIn(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal).FirstOrDefault() : null;

    private static SpotterException Missing(string message, Exception? inner = null) => new(ErrorCodes.NativeMissing, message, inner);
}
