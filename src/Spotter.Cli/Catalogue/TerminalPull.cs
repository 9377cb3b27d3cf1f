using System.Globalization;

namespace Spotter.Cli.Catalogue;

/// <summary>What somebody at a terminal sees and is asked before a model is downloaded.</summary>
internal static class TerminalPull
{
    /// <summary>True when somebody can be asked.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    /// <summary>What a model is, whose, and under which licence.</summary>
    public static string Terms(CatalogueEntry entry) =>
        // Each on one line, or a text could hold the lines that come after it.
        $"""
        {entry.Name}: {PlainText.OneLine(entry.What)}
          licence  {PlainText.OneLine(entry.Licence.Id)}, of {PlainText.OneLine(entry.Licence.Holder)}
                   ({PlainText.OneLine(entry.Licence.Evidence)})
          from     {entry.Url}
        """;

    /// <summary>Asks for a yes or a no; what is neither is a no.</summary>
    /// <param name="question">The question, with its mark.</param>
    /// <param name="byDefault">What an empty line means.</param>
    public static bool Ask(string question, bool byDefault)
    {
        Console.Error.Write($"{question} {(byDefault ? "[Y/n]" : "[y/N]")} ");
        return Console.In.ReadLine()?.Trim() is { } answer && (answer.Length == 0
            ? byDefault
            : answer.Equals("y", StringComparison.OrdinalIgnoreCase) || answer.Equals("yes", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Downloads it, with a bar on a terminal, until it is there or Ctrl-C comes.</summary>
    /// <param name="download">The model.</param>
    /// <param name="entry">What is known of it.</param>
    /// <param name="force">Replace a file of that name with other bytes.</param>
    /// <param name="showBar">False to show no bar.</param>
    /// <exception cref="Core.SpotterException">As <see cref="PinnedDownload.RunAsync"/> says.</exception>
    public static async Task<PullState> RunAsync(PinnedDownload download, CatalogueEntry entry, bool force, bool showBar)
    {
        // From here on a bar has to be taken off the terminal.
        using var interrupt = new Interrupt();
        return await PullProgress.ShowAsync(entry.Name, entry.Bytes, showBar, progress => download.RunAsync(force, progress, interrupt.Token));
    }

    /// <summary>A length as people read it.</summary>
    public static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");
}
