using System.Runtime.InteropServices;

namespace Spotter.Core.Confinement;

/// <summary>
/// Refuses system calls to the whole process, with an error that a library can deal with (seccomp). It allows what it doesn't
/// know: what files and ports may be used is Landlock's, and a list of all calls that .NET and the native libraries make would
/// break with their next version. https://docs.kernel.org/userspace-api/seccomp_filter.html
/// </summary>
internal static unsafe partial class SystemCallFilter
{
    private const int SetFilter = 1; // SECCOMP_SET_MODE_FILTER
    private const int ActionAvailable = 2; // SECCOMP_GET_ACTION_AVAIL
    private const int AllThreads = 1; // SECCOMP_FILTER_FLAG_TSYNC
    private const uint Allow = 0x7FFF0000;
    private const uint Refuse = 0x00050000; // SECCOMP_RET_ERRNO, with the error below
    private const uint NotPermitted = 1; // EPERM
    private const uint NotThere = 38; // ENOSYS
    // Not EAFNOSUPPORT, by which .NET would take IPv6 to be missing from the machine.
    private const uint NoAccess = 13; // EACCES

    private const ushort Load = 0x20;
    private const ushort And = 0x54;
    private const ushort IfEqual = 0x15;
    private const ushort IfAtLeast = 0x35;
    private const ushort IfAny = 0x45;
    private const ushort Return = 0x06;
    private const uint Number = 0;
    private const uint MachineField = 4;
    private const uint OtherInterface = 0x40000000; // x32
    private const uint NewNamespaces = 0x7E020000;
    private const uint FastOpen = 0x20000000; // MSG_FASTOPEN: connects without connect, past Landlock
    private const uint InternetV4 = 2;
    private const uint InternetV6 = 10;
    private const uint TypeBits = 0xF;
    private const uint Stream = 1;
    private const uint Tcp = 6;

    /// <summary>True where this kernel has it, and this kind of machine is known.</summary>
    public static bool IsAvailable { get; } = SystemCalls.Here is { } calls && CanRefuse(calls);

    /// <summary>Installs it in all threads, for good.</summary>
    /// <param name="network">True to leave TCP; false for no socket of any kind.</param>
    /// <exception cref="InvalidOperationException">The kernel refuses.</exception>
    public static void Install(bool network)
    {
        var program = Program(SystemCalls.Here!, network);
        fixed (Instruction* first = program)
        {
            var whole = new FilterProgram { Length = (ushort)program.Length, First = first };
            var result = SysCall(SystemCalls.Here!.Seccomp, SetFilter, AllThreads, (nint)(&whole));
            if (result != 0)
                throw new InvalidOperationException($"The filter of system calls can't be installed: {(result > 0 ? "a thread has another one" : Marshal.GetLastPInvokeErrorMessage())}.");
        }
    }

    private static bool CanRefuse(SystemCalls calls)
    {
        var action = Refuse;
        return SysCall(calls.Seccomp, ActionAvailable, 0, (nint)(&action)) == 0;
    }

    private static Instruction[] Program(SystemCalls calls, bool network)
    {
        List<Instruction> code =
        [
            new(Load, MachineField), new(IfEqual, calls.Machine, 1, 0), new(Return, Refuse | NotPermitted),
            new(Load, Number), new(IfAtLeast, OtherInterface, 0, 1), new(Return, Refuse | NotPermitted),
        ];
        foreach (var call in calls.Refused)
            code.AddRange([new(IfEqual, call, 0, 1), new(Return, Refuse | NotPermitted)]);
        // Its flags lie in memory, where the filter can't see them; the C library falls back to clone.
        code.AddRange([new(IfEqual, SystemCalls.Clone3, 0, 1), new(Return, Refuse | NotThere)]);
        AddFlagCheck(code, calls.Fork, argument: 0, NewNamespaces);
        foreach (var call in calls.SendTo)
            AddFlagCheck(code, call, argument: 3, FastOpen);
        AddFlagCheck(code, calls.SendMessage, argument: 2, FastOpen);
        List<Instruction> sockets = network
            ?
            [
                new(Load, Argument(0)), new(IfEqual, InternetV4, 2, 0), new(IfEqual, InternetV6, 1, 0), new(Return, Refuse | NoAccess),
                new(Load, Argument(1)), new(And, TypeBits), new(IfEqual, Stream, 1, 0), new(Return, Refuse | NoAccess),
                // Landlock knows TCP only, not what else gives streams.
                new(Load, Argument(2)), new(IfEqual, 0, 2, 0), new(IfEqual, Tcp, 1, 0), new(Return, Refuse | NoAccess),
                new(Return, Allow),
            ]
            : [new(Return, Refuse | NoAccess)];
        code.Add(new(IfEqual, calls.Socket, 0, (byte)sockets.Count));
        code.AddRange(sockets);
        code.Add(new(Return, Allow));
        return [.. code];
    }

    private static void AddFlagCheck(List<Instruction> code, uint call, int argument, uint flags) => code.AddRange(
    [
        new(IfEqual, call, 0, 4), new(Load, Argument(argument)), new(IfAny, flags, 0, 1), new(Return, Refuse | NotPermitted), new(Return, Allow),
    ]);

    /// <summary>Where the lower half of an argument lies in struct seccomp_data; both kinds of machine put that first.</summary>
    private static uint Argument(int index) => 16 + (8 * (uint)index);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SysCall(nint number, nint first, nint second, nint third);

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Instruction(ushort code, uint value, byte ifTrue = 0, byte ifFalse = 0)
    {
        public readonly ushort Code = code;
        public readonly byte IfTrue = ifTrue;
        public readonly byte IfFalse = ifFalse;
        public readonly uint Value = value;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public Instruction* First;
    }
}
