using System.CommandLine;

namespace Spotter.Cli.Commands;

/// <summary>The program's commands, and what becomes of their errors: one line on standard error and a status.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        // Whoever types the name alone wants to know what there is.
        if (args.Length == 0)
            args = ["--help"];
        ParseResult parsed;
        try
        {
            parsed = CreateRoot().Parse(args, new() { ResponseFileTokenReplacer = null }); // "@cat.jpg" is a picture
        }
        catch (InvalidOperationException e)
        {
            // A validator asked for the value of what is no number.
            StandardError.Complain($"{e.Message} See `spotter --help`.");
            return ExitStatus.WrongUsage;
        }
        if (parsed.Errors.Count > 0 && !AsksForHelp(parsed))
        {
            StandardError.Complain($"{Words(parsed)} See `{CommandPath(parsed)} --help`.");
            return ExitStatus.WrongUsage;
        }
        try
        {
            // Commands that have something to finish on Ctrl-C catch it themselves, for as long as they need.
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (OperationCanceledException)
        {
            return ExitStatus.Interrupted;
        }
        catch (Exception e)
        {
            StandardError.Complain(StandardError.OneLine(e));
            if (string.Equals(Environment.GetEnvironmentVariable("SPOTTER_DEBUG"), "1", StringComparison.Ordinal))
                await Console.Error.WriteLineAsync(e.ToString());
            return ExitStatus.Failed;
        }
    }

    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand("Finds things in pictures, on one machine or on many.");
        foreach (var command in (Command[])[
            CallbacksCommand.Create(),
            DetectCommand.Create(),
            DoctorCommand.Create(),
            ServeCommand.CreateGateway(),
            KeysCommand.Create(),
            LoadCommand.Create(),
            ModelsCommand.Create(),
            OptionsCommand.Create(),
            PolicyCommand.Create(),
            QueueCommand.Create(),
            ServeCommand.Create(),
            SettingsCommand.Create(),
            SimulateCommand.Create(),
            WorkerCommand.Create()])
        {
            root.Add(command);
        }
        return root;
    }

    /// <summary>What is wrong, and what may have been meant.</summary>
    private static string Words(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var token, ..])
            return parsed.Errors[^1].Message;
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name).Concat(command.Options.Where(o => !o.Hidden).Select(o => o.Name));
        var near = known.Select(name => (Name: name, Off: TextDistance.Between(name, token))).Where(n => n.Off <= (n.Name.Length < 5 ? 1 : 2)).OrderBy(n => n.Off).FirstOrDefault();
        var what = token.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        return $"`{CommandPath(parsed)}` has no {what} '{token}'{(near.Name is null ? "." : $"; did you mean '{near.Name}'?")}";
    }

    private static bool AsksForHelp(ParseResult parsed) =>
        parsed.Action is System.CommandLine.Help.HelpAction;

    private static string CommandPath(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (System.CommandLine.Parsing.SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
        {
            if (result is System.CommandLine.Parsing.CommandResult { Command: not RootCommand } command)
                names.Push(command.Command.Name);
        }
        return string.Join(' ', names.Prepend("spotter"));
    }
}
