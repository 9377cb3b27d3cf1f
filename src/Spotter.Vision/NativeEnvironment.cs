using System.Runtime.InteropServices;

namespace Spotter.Vision;

/// <summary>
/// What native libraries read from the environment of the process. On Unix .NET keeps a copy of it, so that what is set there is
/// never seen by native code.
/// </summary>
public static partial class NativeEnvironment
{
    /// <summary>
    /// Keeps ONNX Runtime from reporting to its maker when it is <see cref="TelemetryOff"/>. Its builds for Linux and macOS post
    /// what machine and program they run in, and keep a database in the home folder, unless it is set before the library is
    /// loaded: it is read once, so that the library's own DisableTelemetryEvents comes too late.
    /// </summary>
    public const string TelemetryVariable = "ORT_DISABLE_TELEMETRY";

    /// <summary>The value that silences it.</summary>
    public const string TelemetryOff = "1";

    /// <summary>Silences ONNX Runtime in this process, and in those that this one starts.</summary>
    internal static void RefuseTelemetry() => Set(TelemetryVariable, TelemetryOff);

    /// <summary>Sets a variable for .NET and for native code.</summary>
    internal static void Set(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        if (!OperatingSystem.IsWindows() && SetNative(name, value, overwrite: 1) != 0)
            throw new InvalidOperationException($"{name} can't be set: error {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int SetNative(string name, string value, int overwrite);
}
