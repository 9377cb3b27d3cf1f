using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Spotter.Core;

/// <summary>
/// Named steps at which a process can be made to fail, so that tests reach every moment between two durable steps.
/// Nothing happens unless <c>SPOTTER_FAILPOINT</c> was set when the process began, and then the whole class costs
/// nothing: the compiler of the running program leaves the calls out.
/// </summary>
/// <remarks>
/// <c>SPOTTER_FAILPOINT</c> is one or more of <c>NAME[(SUBJECT)]=ACTION[+ACTION][@N]</c>, separated by semicolons.
/// <c>NAME</c> may end in <c>*</c>. <c>SUBJECT</c> is what a job's sender calls its picture; without it every job counts.
/// <c>@N</c> is the Nth pass through the steps that match; without it every pass. Actions: <c>kill</c> (SIGKILL),
/// <c>crash</c> (a fault in native code), <c>hang</c>, <c>throw</c> (an <see cref="IOException"/>), <c>hog</c> (takes memory
/// until there is none), <c>escape</c> (tries what a sandbox must refuse), and <c>delay</c> with milliseconds, as in <c>delay250+kill</c>. With <c>SPOTTER_FAILPOINT_FILE</c> the
/// process notes there what it does, and does it only if the file is not there yet: once, however many processes there are.
/// </remarks>
public static class Failpoint
{
    /// <summary>The variable that arms.</summary>
    public const string Variable = "SPOTTER_FAILPOINT";

    /// <summary>The variable that names the file by which a failpoint fails once.</summary>
    public const string FileVariable = "SPOTTER_FAILPOINT_FILE";

    private static readonly Rule[] Rules = Read(Environment.GetEnvironmentVariable(Variable));
    private static readonly string? OnceFile = Environment.GetEnvironmentVariable(FileVariable);

    /// <summary>True when any failpoint can fail in this process.</summary>
    public static readonly bool IsArmed = Rules.Length > 0;

    /// <summary>What the sender of the job that the calling thread works on calls its picture, for steps that don't know it.</summary>
    [field: ThreadStatic]
    public static string? Subject { get; set; }

    /// <summary>A step is reached.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="subject">What the job's sender calls the picture, where that is known.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(string name, string? subject = null)
    {
        if (IsArmed)
            Pass(name, subject ?? Subject);
    }

    private static void Pass(string name, string? subject)
    {
        foreach (var rule in Rules)
        {
            if (rule.Matches(name, subject) && rule.IsDue() && Note(name))
                rule.Act(name);
        }
    }

    /// <summary>False when it has failed already.</summary>
    private static bool Note(string name)
    {
        if (OnceFile is null)
            return true;
        try
        {
            using var file = new FileStream(OnceFile, FileMode.CreateNew);
            file.Write(System.Text.Encoding.UTF8.GetBytes(name));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static Rule[] Read(string? text) =>
        string.IsNullOrEmpty(text) ? [] : Array.ConvertAll(text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), Rule.Read);

    private sealed class Rule(string name, string? subject, string[] actions, long due)
    {
        private long passes;

        public static Rule Read(string text)
        {
            var (what, how) = Split(text, '=');
            var (steps, subject) = Split(what.TrimEnd(')'), '(');
            var (actions, number) = Split(how ?? throw Unreadable(text), '@');
            long due = 0;
            if (number is not null && !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out due))
                throw Unreadable(text);
            return new Rule(steps, subject, actions.Split('+'), due);
        }

        public bool Matches(string step, string? of) =>
            (subject is null || subject == of)
            && (name.EndsWith('*') ? step.StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal) : step == name);

        public bool IsDue() => Interlocked.Increment(ref passes) is var pass && (due == 0 || pass == due);

        public void Act(string step)
        {
            foreach (var action in actions)
                Act(action, step);
        }

        private static void Act(string action, string step)
        {
            switch (action)
            {
                case "kill":
                    Process.GetCurrentProcess().Kill();
                    Forever();
                    break;
                case "crash":
                    Crash();
                    break;
                case "hang":
                    Forever();
                    break;
                case "hog":
                    Hog();
                    break;
                case "escape":
                    EscapeAttempts.Make();
                    break;
                case "throw":
                    throw new IOException($"The failpoint {step} threw this.");
                case var delay when delay.StartsWith("delay", StringComparison.Ordinal)
                    && int.TryParse(delay.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds):
                    using (var never = new ManualResetEventSlim())
                        never.Wait(milliseconds);
                    break;
                default:
                    throw Unreadable(action);
            }
        }

        private static void Forever()
        {
            using var never = new ManualResetEventSlim();
            never.Wait();
        }

        /// <summary>What a decoder does that writes where it should not: no managed handler catches it.</summary>
        private static unsafe void Crash() => NativeMemory.Fill((void*)0x10000, 1 << 20, 1);

        /// <summary>What a decoder does whose picture is too complex: takes memory, and uses it, until it is refused.</summary>
        private static unsafe void Hog()
        {
            const int Piece = 16 << 20;
            var taken = new List<nint>();
            try
            {
                while (true)
                {
                    taken.Add((nint)NativeMemory.Alloc(Piece));
                    *(byte*)taken[^1] = 1;
                }
            }
            finally
            {
                foreach (var piece in taken)
                    NativeMemory.Free((void*)piece);
            }
        }

        private static (string Before, string? After) Split(string text, char at) =>
            text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var index ? (text[..index], text[(index + 1)..]) : (text, null);

        private static FormatException Unreadable(string text) => new($"{Variable} can't be read at '{text}'.");
    }
}
