using System.CommandLine;

namespace Spotter.Cli.Commands;

/// <summary><c>completion</c>: scripts by which a shell completes this program's commands, options and values. They ask the program itself (the parser's <c>[suggest]</c>), so they know what it knows.</summary>
internal static class CompletionCommand
{
    private static readonly string[] Shells = ["bash", "fish", "zsh"];

    public static Command Create()
    {
        var command = new Command("completion", "Print a script by which a shell completes commands, options and values.");
        foreach (var shell in Shells)
            command.Add(CreateFor(shell));
        return command;
    }

    private static Command CreateFor(string shell)
    {
        var command = new Command(shell, $"Print the script for {shell}; see docs/operations.md.");
        command.SetAction(_ =>
        {
            using var script = new StreamReader(typeof(CompletionCommand).Assembly.GetManifestResourceStream($"spotter.{shell}")!);
            Console.Out.Write(script.ReadToEnd());
            return ExitStatus.Done;
        });
        return command;
    }
}
