using Spectre.Console;

namespace Spotter.Cli;

/// <summary>Standard error as progress bars draw on it, past <see cref="PlainWriter"/>. Only for a terminal.</summary>
internal sealed class ProgressTerminal : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput terminal = new(PlainWriter.Terminal);

    public TextWriter Writer => terminal.Writer;

    public bool IsTerminal => true;

    public int Width => terminal.Width;

    public int Height => terminal.Height;

    /// <summary>A console for progress bars.</summary>
    public static IAnsiConsole Create() => AnsiConsole.Create(new() { Out = new ProgressTerminal() });

    public void SetEncoding(System.Text.Encoding encoding) => terminal.SetEncoding(encoding);
}
