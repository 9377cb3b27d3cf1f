using System.Runtime.InteropServices;

namespace Spotter.Core.Confinement;

/// <summary>
/// What root may do beyond others, of which a confined process keeps hardly anything: by CAP_SYS_ADMIN and CAP_PERFMON newer kernels
/// show it the environments of other processes, past Landlock. https://man7.org/linux/man-pages/man7/capabilities.7.html
/// </summary>
internal static partial class Capabilities
{
    private const uint Version3 = 0x20080522;

    // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: a model may be another user's. Which files there are at all is Landlock's to say.
    private const uint Kept = (1 << 1) | (1 << 2);

    /// <summary>Gives up the others for the calling thread, and for all that it starts if it may gain no new privileges.</summary>
    /// <exception cref="InvalidOperationException">The kernel refuses.</exception>
    public static void Drop()
    {
        var header = new Header { Version = Version3 };
        Span<Set> sets = [default, default];
        Check(Get(ref header, ref sets[0]));
        var kept = sets[0].Permitted & Kept;
        sets[0] = new Set { Effective = kept, Permitted = kept };
        sets[1] = default;
        header = new Header { Version = Version3 };
        Check(Put(ref header, in sets[0]));
    }

    private static void Check(int result)
    {
        if (result != 0)
            throw new InvalidOperationException($"The process can't give up its capabilities: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "capget", SetLastError = true)]
    private static partial int Get(ref Header header, ref Set sets);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static partial int Put(ref Header header, in Set sets);

    /// <summary>struct __user_cap_header_struct; process 0 is the calling thread.</summary>
    private struct Header
    {
        public uint Version;
        public int Process;
    }

    /// <summary>struct __user_cap_data_struct, of which there are two: for the lower 32 capabilities and the higher ones.</summary>
    private struct Set
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }
}
