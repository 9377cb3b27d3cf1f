using System.Runtime.InteropServices;

namespace Spotter.Core.Confinement;

/// <summary>The numbers that a kind of machine gives to the calls which the filter looks at.</summary>
/// <param name="Machine">What the kernel calls the machine (AUDIT_ARCH_…).</param>
/// <param name="Seccomp">seccomp.</param>
/// <param name="Socket">socket.</param>
/// <param name="Fork">clone.</param>
/// <param name="SendTo">sendto, sendmmsg: their flags are the fourth argument.</param>
/// <param name="SendMessage">sendmsg: its flags are the third.</param>
/// <param name="Refused">Those that nothing here needs: to start programs, look into other processes, get round Landlock, hear of names in folders that may not be listed, or change the machine.</param>
internal sealed record SystemCalls(uint Machine, int Seccomp, uint Socket, uint Fork, uint[] SendTo, uint SendMessage, uint[] Refused)
{
    /// <summary>clone3 has the same number everywhere; so have the newer ones below.</summary>
    public const uint Clone3 = 435;

    // io_uring_setup, open_tree, move_mount, fsopen, fsconfig, fsmount, pidfd_getfd, mount_setattr
    private static readonly uint[] Newer = [425, 428, 429, 430, 431, 432, 438, 442];

    /// <summary>Those of this machine; null where nobody has looked them up.</summary>
    public static SystemCalls? Here { get; } = !OperatingSystem.IsLinux() ? null : RuntimeInformation.ProcessArchitecture switch
    {
        // execve, execveat, ptrace, process_vm_readv, process_vm_writev, kcmp, bpf, perf_event_open, userfaultfd, add_key, request_key, keyctl,
        // unshare, setns, mount, umount2, pivot_root, chroot, init_module, finit_module, delete_module, kexec_load, kexec_file_load,
        // open_by_handle_at, personality, reboot, swapon, swapoff, inotify_init (not on arm64), inotify_init1, inotify_add_watch, fanotify_init, fanotify_mark
        Architecture.X64 => new(0xC000003E, 317, 41, 56, [44, 307], 46,
        [
            59, 322, 101, 310, 311, 312, 321, 298, 323, 248, 249, 250, 272, 308, 165, 166, 155, 161, 175, 313, 176, 246, 320, 304, 135, 169, 167, 168, 253, 294, 254, 300, 301, .. Newer,
        ]),
        Architecture.Arm64 => new(0xC00000B7, 277, 198, 220, [206, 269], 211,
        [
            221, 281, 117, 270, 271, 272, 280, 241, 282, 217, 218, 219, 97, 268, 40, 39, 41, 51, 105, 273, 106, 104, 294, 265, 92, 142, 224, 225, 26, 27, 262, 263, .. Newer,
        ]),
        _ => null,
    };
}
