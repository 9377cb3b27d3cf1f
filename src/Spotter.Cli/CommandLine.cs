using System.CommandLine;
using Spotter.Cli.Commands;
using Spotter.Core;

namespace Spotter.Cli;

/// <summary>Exit statuses.</summary>
internal static class ExitStatus
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>A worker that ended because a job got stuck in it.</summary>
    public const int Stuck = 3;
    public const int Interrupted = 130;
}

/// <summary>The program's commands, and what becomes of their errors: one line on standard error and a status.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed;
        try
        {
            parsed = CreateRoot().Parse(args, new() { ResponseFileTokenReplacer = null }); // "@cat.jpg" is a picture
        }
        catch (InvalidOperationException e)
        {
            // A validator asked for the value of what is no number.
            Complain($"{e.Message} See `spotter --help`.");
            return ExitStatus.WrongUsage;
        }
        if (parsed.Errors.Count > 0 && !AsksForHelp(parsed))
        {
            Complain($"{parsed.Errors[^1].Message} See `{CommandPath(parsed)} --help`.");
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
            Complain(OneLine(e));
            if (string.Equals(Environment.GetEnvironmentVariable("SPOTTER_DEBUG"), "1", StringComparison.Ordinal))
                await Console.Error.WriteLineAsync(e.ToString());
            return ExitStatus.Failed;
        }
    }

    /// <summary>Tells the user of an error: one line on standard error, whatever the message holds.</summary>
    public static void Complain(string message) =>
        Console.Error.WriteLine("spotter: " + string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

    /// <summary>The sentence for an exception that ended a command.</summary>
    public static string OneLine(Exception error) => error switch
    {
        SpotterException => error.Message,
        IOException or UnauthorizedAccessException => error.Message,
        _ => $"an unexpected fault, {error.GetType().Name}: {error.Message} Run again with SPOTTER_DEBUG=1 to see where, and report it.",
    };

    private static RootCommand CreateRoot()
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
            SimulateCommand.Create(),
            WorkerCommand.Create()])
        {
            root.Add(command);
        }
        return root;
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
