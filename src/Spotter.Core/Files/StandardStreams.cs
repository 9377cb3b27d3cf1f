using System.Runtime.InteropServices;

namespace Spotter.Core.Files;

/// <summary>
/// Standard output and standard error where nobody has given any (<c>spotter serve >&amp;-</c>): what is written there goes
/// nowhere, as with /dev/null. Otherwise the system gives their numbers to files that the program opens, and what is printed would go into those.
/// </summary>
public static partial class StandardStreams
{
    private const int Output = 1;
    private const int Error = 2;
    private const int GetFlags = 1; // F_GETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    /// <summary>To be called before anything is written.</summary>
    public static void Settle()
    {
        if (OperatingSystem.IsWindows())
            return;
        if (IsMissing(Output))
            Console.SetOut(TextWriter.Null);
        if (IsMissing(Error))
            Console.SetError(TextWriter.Null);
    }

    /// <summary>Closed, or opened by this process itself: what came from its parent is not closed at a program's start, and all that the runtime opens is.</summary>
    private static bool IsMissing(int stream) => Control(stream, GetFlags) is var flags && (flags < 0 || (flags & CloseOnExec) != 0);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int stream, int command);
}
