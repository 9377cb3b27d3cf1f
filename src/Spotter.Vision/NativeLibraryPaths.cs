namespace Spotter.Vision;

/// <summary>Where the native libraries and the font may come from, for whoever decides what a process may read.</summary>
public static class NativeLibraryPaths
{
    /// <summary>Names the file of ONNX Runtime.</summary>
    public const string OnnxRuntimeVariable = "SPOTTER__NATIVE__ONNXRUNTIME";

    /// <summary>Names the file of libvips.</summary>
    public const string LibVipsVariable = "SPOTTER__NATIVE__LIBVIPS";

    /// <summary>All folders that are there.</summary>
    public static IEnumerable<string> All
    {
        get
        {
            foreach (var variable in (string[])[OnnxRuntimeVariable, LibVipsVariable])
            {
                // A library loads others that lie beside it.
                if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file && File.Exists(file))
                    yield return Path.GetDirectoryName(new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file))!;
            }
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                var native = Path.Combine(folder.FullName, "native");
                if (Directory.Exists(native))
                    yield return native;
            }
        }
    }
}
