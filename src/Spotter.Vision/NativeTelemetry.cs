using System.Runtime.InteropServices;

namespace Spotter.Vision;

/// <summary>
/// Keeps ONNX Runtime from reporting to its maker. Its builds for Linux and macOS post what machine and program they run in, and
/// keep a database in the home folder, unless this variable is set before the library is loaded: it is read once, when the
/// library's environment is made, so that its own DisableTelemetryEvents comes too late.
/// </summary>
public static partial class NativeTelemetry
{
    /// <summary>The variable that the library reads.</summary>
    public const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>The value that silences it.</summary>
    public const string Off = "1";

    /// <summary>Silences it in this process, and in those that this one starts.</summary>
    internal static void Refuse()
    {
        Environment.SetEnvironmentVariable(Variable, Off);
        // On Unix .NET keeps a copy of the environment, which native code never sees.
        if (!OperatingSystem.IsWindows() && SetNative(Variable, Off, overwrite: 1) != 0)
            throw new InvalidOperationException($"{Variable} can't be set: error {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int SetNative(string name, string value, int overwrite);
}
