using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Spotter.Core.Confinement;

/// <summary>
/// Confines a child process before it reads anything from strangers. It takes two steps, since Landlock counts for the calling
/// thread only and a .NET process has several before its first line: the first start takes the rules on and executes the same
/// program anew, whose threads all have them; that one then gives up executing programs.
/// </summary>
public static partial class Sandbox
{
    private const string FilterVariable = "SPOTTER_SANDBOX_FILTER";
    private const string WithNetwork = "network";
    private const string Alone = "alone";
    private const int NoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS
    private const int DataLimit = 2; // RLIMIT_DATA
    private const int CoreLimit = 4; // RLIMIT_CORE

    /// <summary>What of it this machine can't do, in words; empty when it can do all.</summary>
    public static IReadOnlyList<string> Missing { get; } = OperatingSystem.IsLinux()
        ? [.. Absent()]
        : ["a sandbox exists on Linux only"];

    /// <summary>What this machine can do, in words.</summary>
    public static string Present => string.Create(CultureInfo.InvariantCulture, $"Landlock {Landlock.Version}, seccomp {(SystemCallFilter.IsAvailable ? "yes" : "no")}");

    /// <summary>
    /// Does what the environment says. Where rules are given, this process is replaced by one that is confined; to be called
    /// before anything else is done.
    /// </summary>
    /// <param name="arguments">How to start this program anew: its own path first, as the system has it.</param>
    /// <exception cref="InvalidOperationException">The system refuses something that it has.</exception>
    public static void Enter(IReadOnlyList<string> arguments)
    {
        if (!OperatingSystem.IsLinux())
            return;
        if (Environment.GetEnvironmentVariable(FilterVariable) is { } network)
        {
            if (SystemCallFilter.IsAvailable)
                SystemCallFilter.Install(network == WithNetwork);
            return;
        }
        if (Environment.GetEnvironmentVariable(SandboxRules.Variable) is not { Length: > 0 } text)
            return;
        var rules = SandboxRules.Parse(text);
        if (Control(NoNewPrivileges, 1, 0, 0, 0) != 0)
            throw new InvalidOperationException($"The process can't give up new privileges: {Marshal.GetLastPInvokeErrorMessage()}.");
        // When the machine runs out of memory, let it end this process and not the service.
        TryWrite("/proc/self/oom_score_adj", "500");
        Limit(CoreLimit, 0);
        if (rules.MemoryBytes is { } bytes)
            Limit(DataLimit, (ulong)bytes);
        Capabilities.Drop();
        if (Landlock.Version > 0)
            Landlock.Restrict(rules, [arguments[0], .. LoaderFiles()]);
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => (string)v.Key != SandboxRules.Variable)
            .Select(v => $"{v.Key}={v.Value}")
            .Append($"{FilterVariable}={(rules.Port is null ? Alone : WithNetwork)}");
        _ = Execute(arguments[0], [.. arguments, null], [.. environment, null]);
        throw new InvalidOperationException($"{arguments[0]} can't be started anew: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    private static IEnumerable<string> Absent()
    {
        if (Landlock.Version == 0)
            yield return "this kernel has no Landlock (Linux 5.13 and newer have it, unless it is switched off): workers can read and write what this user can";
        else if (Landlock.Version < Landlock.FirstWithNetwork)
            yield return "the kernel's Landlock is too old to keep workers to one port (Linux 6.7 and newer can)";
        if (!SystemCallFilter.IsAvailable)
            yield return "this kernel has no seccomp filters, or the machine is neither x86-64 nor arm64: workers can start programs and open any kind of socket";
    }

    /// <summary>What the system runs first to load a program: executing one executes that as well.</summary>
    private static IEnumerable<string> LoaderFiles() => File.ReadLines("/proc/self/maps")
        .Select(line => line.IndexOf('/', StringComparison.Ordinal) is >= 0 and var at ? line[at..] : "")
        .Where(path => Path.GetFileName(path).StartsWith("ld-", StringComparison.Ordinal))
        .Distinct(StringComparer.Ordinal)
        .ToList();

    private static void Limit(int what, ulong most)
    {
        ReadOnlySpan<ulong> both = [most, most];
        // One that is lower already stays.
        _ = SetLimit(what, in both[0]);
    }

    private static void TryWrite(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // It is a hint.
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int what, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int what, in ulong limits);

    [LibraryImport("libc", EntryPoint = "execve", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Execute(string program, string?[] arguments, string?[] environment);
}
