namespace Spotter.Vision;

/// <summary>Where another build of a native library may come from, for whoever decides what a process may read. Loads none.</summary>
public static class NativeLibraryPaths
{
    /// <summary>The variable that names the file of another build of ONNX Runtime.</summary>
    public const string OnnxRuntimeVariable = "SPOTTER__NATIVE__ONNXRUNTIME";

    /// <summary>The folders of libraries that the environment names and that are there: a library loads others that lie beside it.</summary>
    public static IEnumerable<string> Folders => OnnxRuntime is { } file && File.Exists(file)
        ? [Path.GetDirectoryName(new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file))!]
        : [];

    /// <summary>The file that the environment names; null when it names none.</summary>
    internal static string? OnnxRuntime => Environment.GetEnvironmentVariable(OnnxRuntimeVariable) is { Length: > 0 } file ? file : null;
}
