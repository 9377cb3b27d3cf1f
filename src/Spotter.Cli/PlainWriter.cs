using System.Text;

namespace Spotter.Cli;

/// <summary>
/// What all of the program's output goes through, so that no command, log line or error has to remember to make harmless what it
/// prints (<see cref="PlainText"/>).
/// </summary>
/// <param name="to">Takes what is harmless.</param>
internal sealed class PlainWriter(TextWriter to) : TextWriter
{
    /// <summary>Standard error as it is, for progress bars, which do command the terminal and say nothing from elsewhere.</summary>
    public static TextWriter Terminal { get; private set; } = TextWriter.Null;

    public override Encoding Encoding => to.Encoding;

    /// <summary>Stands before standard output and standard error from now on.</summary>
    public static void Install()
    {
        Terminal = Console.Error;
        Console.SetOut(Synchronized(new PlainWriter(Console.Out)));
        Console.SetError(Synchronized(new PlainWriter(Console.Error)));
    }

    public override void Write(char value) => to.Write(PlainText.IsCommand(value) ? PlainText.Instead : value);

    public override void Write(string? value)
    {
        if (value is not null)
            to.Write(PlainText.Lines(value));
    }

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => Write(value + Environment.NewLine);

    public override void Flush() => to.Flush();
}
