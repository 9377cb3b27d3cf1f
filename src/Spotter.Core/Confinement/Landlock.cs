using System.Runtime.InteropServices;

namespace Spotter.Core.Confinement;

/// <summary>
/// Landlock, by which a Linux process gives up the files and ports that it doesn't need, without being root. It counts for the
/// calling thread and whatever that starts later. https://docs.kernel.org/userspace-api/landlock.html
/// </summary>
internal static unsafe partial class Landlock
{
    // The same numbers on all machines.
    private const nint CreateRuleset = 444;
    private const nint AddRule = 445;
    private const nint RestrictSelf = 446;
    private const int VersionFlag = 1;
    private const int PathBeneath = 1;
    private const int NetPort = 2;
    private const ulong ConnectTcp = 1 << 1;
    private const ulong BindTcp = 1 << 0;
    private const ulong ScopeSignals = 1 << 1;
    private const ulong ScopeAbstractSockets = 1 << 0;
    private const int OpenPath = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC
    private const int NotThere = 2; // ENOENT

    private const ulong Execute = 1 << 0;
    private const ulong WriteFile = 1 << 1;
    private const ulong ReadFile = 1 << 2;
    private const ulong ReadFolder = 1 << 3;
    private const ulong RemoveFolder = 1 << 4;
    private const ulong RemoveFile = 1 << 5;
    private const ulong MakeFolder = 1 << 7;
    private const ulong MakeFile = 1 << 8;
    private const ulong Truncate = 1 << 14;
    private const ulong OfFiles = Execute | WriteFile | ReadFile | Truncate;

    /// <summary>The version of its interface in this kernel; 0 when there is none, or it may not be used.</summary>
    public static int Version { get; } = OperatingSystem.IsLinux() ? (int)Math.Max(0, SysCall(CreateRuleset, 0, 0, VersionFlag)) : 0;

    /// <summary>The first version that can refuse connections.</summary>
    public const int FirstWithNetwork = 4;

    /// <summary>Restricts the calling thread, and all that it starts, to the rules.</summary>
    /// <param name="rules">What is left.</param>
    /// <param name="execute">The only files that may be executed: the program itself, and what loads it.</param>
    /// <exception cref="InvalidOperationException">The kernel refuses.</exception>
    public static void Restrict(SandboxRules rules, IEnumerable<string> execute)
    {
        Span<ulong> handled = [FilesOf(Version), ConnectTcp | BindTcp, ScopeSignals | ScopeAbstractSockets];
        var size = sizeof(ulong) * (Version < FirstWithNetwork ? 1 : Version < 6 ? 2 : 3);
        int ruleset;
        fixed (ulong* attributes = handled)
            ruleset = (int)Check(SysCall(CreateRuleset, (nint)attributes, size, 0), "make rules");
        try
        {
            foreach (var path in rules.Read)
                Allow(ruleset, path, ReadFile | ReadFolder);
            foreach (var path in rules.Write)
                Allow(ruleset, path, ReadFile | ReadFolder | WriteFile | Truncate | RemoveFile | RemoveFolder | MakeFile | MakeFolder);
            foreach (var path in rules.Lent)
                Allow(ruleset, path, ReadFile | RemoveFile);
            foreach (var path in execute)
                Allow(ruleset, path, Execute | ReadFile);
            if (Version >= FirstWithNetwork && rules.Port is { } port)
            {
                Span<ulong> rule = [ConnectTcp, (ulong)port];
                fixed (ulong* attributes = rule)
                    Check(SysCall(AddRule, ruleset, NetPort, (nint)attributes), "allow a port");
            }
            Check(SysCall(RestrictSelf, ruleset, 0, 0), "take the rules on");
        }
        finally
        {
            _ = Close(ruleset);
        }
    }

    private static ulong FilesOf(int version) => version switch { 1 => 0x1FFF, 2 => 0x3FFF, 3 or 4 => 0x7FFF, _ => 0xFFFF };

    /// <summary>What is not there needs no rule.</summary>
    private static void Allow(int ruleset, string path, ulong access)
    {
        var file = Open(path, OpenPath);
        if (file < 0)
        {
            if (Marshal.GetLastPInvokeError() == NotThere)
                return;
            throw Failure($"look at {path}");
        }
        try
        {
            access &= FilesOf(Version) & (Directory.Exists(path) ? ulong.MaxValue : OfFiles);
            // struct landlock_path_beneath_attr is packed: eight bytes and four.
            var rule = stackalloc byte[sizeof(ulong) + sizeof(int)];
            *(ulong*)rule = access;
            *(int*)(rule + sizeof(ulong)) = file;
            Check(SysCall(AddRule, ruleset, PathBeneath, (nint)rule), $"allow {path}");
        }
        finally
        {
            _ = Close(file);
        }
    }

    private static nint Check(nint result, string what) => result >= 0 ? result : throw Failure(what);

    private static InvalidOperationException Failure(string what) =>
        new($"Landlock could not {what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SysCall(nint number, nint first, nint second, nint third, nint fourth = 0);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
