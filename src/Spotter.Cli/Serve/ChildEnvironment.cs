using System.Collections;
using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Cli.Serve;

/// <summary>
/// The environment of the processes that run code on what strangers send. They get what a program needs to run, and nothing
/// that a gateway may have been given: keys of databases, buckets and webhooks stand in environments.
/// </summary>
internal static class ChildEnvironment
{
    private static readonly string[] Passed =
    [
        "PATH", "LANG", "LANGUAGE", "TZ", "TERM", "LD_LIBRARY_PATH", "SSL_CERT_DIR",
        // Windows and macOS start hardly anything without these.
        "SystemRoot", "windir", "SystemDrive", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "ProgramData", "ProgramFiles", "COMPUTERNAME", "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE", "DYLD_LIBRARY_PATH",
        NativeLibraryPaths.OnnxRuntimeVariable,
        Failpoint.Variable, Failpoint.FileVariable, "SPOTTER_DEBUG",
#if PLANTED_BUGS
        "SPOTTER_PLANTED_BUG",
#endif
    ];

    private static readonly string[] PassedPrefixes = ["LC_", "DOTNET_", "OMP_", "MALLOC_", "GLIBC_", "SPOTTER_FAILPOINT_"];

    /// <summary>All that a child has in its environment.</summary>
    /// <param name="scratch">Its folder for temporary files, and its home; null when it has none.</param>
    public static Dictionary<string, string> Create(string? scratch)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry one in Environment.GetEnvironmentVariables())
        {
            if (one is { Key: string name, Value: string value } && IsPassed(name))
                variables[name] = value;
        }
        variables[NativeEnvironment.TelemetryVariable] = NativeEnvironment.TelemetryOff;
        // A debugger's door, and a file in the folder for temporary ones. A dump would hold pictures.
        variables["DOTNET_EnableDiagnostics"] = "0";
        variables["DOTNET_DbgEnableMiniDump"] = "0";
        if (OperatingSystem.IsWindows())
        {
            variables["TEMP"] = variables["TMP"] = scratch ?? Path.GetTempPath();
            return variables;
        }
        variables["TMPDIR"] = scratch ?? Path.GetTempPath();
        variables["HOME"] = scratch ?? Path.GetTempPath();
        return variables;
    }

    private static bool IsPassed(string name) =>
        Passed.Contains(name, OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal)
        || PassedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
