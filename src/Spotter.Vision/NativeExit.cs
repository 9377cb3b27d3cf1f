using System.Runtime.InteropServices;

namespace Spotter.Vision;

/// <summary>
/// Ends the process while native code runs in it. An orderly end would run the libraries' own exit handlers, which free what
/// that code still uses, and the process would die of it (SIGSEGV) in place of the status that it was to have.
/// </summary>
public static partial class NativeExit
{
    /// <summary>Ends the process at once.</summary>
    /// <param name="status">Its exit status.</param>
    public static void Now(int status)
    {
        Console.Out.Flush();
        Console.Error.Flush();
        if (!OperatingSystem.IsWindows())
            Exit(status);
        Environment.Exit(status);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int status);
}
