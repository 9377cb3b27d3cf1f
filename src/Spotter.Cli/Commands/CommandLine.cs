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
        var parsed = Parse(args);
        if (parsed.Errors.Count > 0 && !AsksForHelp(parsed))
        {
            StandardError.Complain($"{UsageFault.Words(parsed)} See `{UsageFault.PathOf(parsed.CommandResult)} --help`.");
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

    /// <summary>Reads a command line. "@cat.jpg" is a picture, not a file of arguments.</summary>
    internal static ParseResult Parse(IReadOnlyList<string> args) => CreateRoot().Parse(args, new() { ResponseFileTokenReplacer = null });

    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand("Finds things in pictures, on one machine or on many.");
        foreach (var command in (Command[])[
            BackupCommand.Create(),
            BridgeCommand.Create(),
            CallbacksCommand.Create(),
            TelegramCommand.Create(),
            CompletionCommand.Create(),
            DetectCommand.Create(),
            DoctorCommand.Create(),
            ServeCommand.CreateGateway(),
            HealthCommand.Create(),
            KeysCommand.Create(),
            LoadCommand.Create(),
            McpCommand.Create(),
            ModelsCommand.Create(),
            OptionsCommand.Create(),
            PolicyCommand.Create(),
            QueueCommand.Create(),
            ServeCommand.Create(),
            SettingsCommand.Create(),
            SimulateCommand.Create(),
            WatchCommand.Create(),
            WorkerCommand.Create()])
        {
            root.Add(command);
        }
        return root;
    }

    private static bool AsksForHelp(ParseResult parsed) =>
        parsed.Action is System.CommandLine.Help.HelpAction;
}
