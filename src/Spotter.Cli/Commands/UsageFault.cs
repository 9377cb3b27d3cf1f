using System.CommandLine;
using System.CommandLine.Parsing;
using Spotter.Core.Settings;

namespace Spotter.Cli.Commands;

/// <summary>What is wrong with a command line, in our words instead of the parser's, and what may have been meant.</summary>
internal static class UsageFault
{
    /// <summary>Checks a command's options together. An option that has no value, or a wrong one, says so itself.</summary>
    public static void AddCheck(this Command command, Action<CommandResult> check) => command.Validators.Add(result =>
    {
        try
        {
            check(result);
        }
        catch (InvalidOperationException)
        {
            // The parser has no value to give; why not is told of the option.
        }
    });

    /// <summary>The first fault in a sentence. What the parser finds itself is told from what was typed, all else by whoever checked it.</summary>
    public static string Words(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        return Unmatched(parsed)
            ?? (parsed.RootCommandResult.Children.OfType<OptionResult>().Any(o => o.Option is VersionOption) ? "--version stands alone." : null)
            ?? command.Children.OfType<OptionResult>().Where(o => !o.Implicit).Select(OfOption).FirstOrDefault(fault => fault is not null)
            ?? MissingCommand(command)
            ?? MissingArgument(command)
            ?? MissingOption(command)
            ?? parsed.Errors[0].Message;
    }

    /// <summary>The command with those above it, as <c>spotter queue list</c>.</summary>
    public static string PathOf(CommandResult command)
    {
        var names = new Stack<string>();
        for (SymbolResult? result = command; result is not null; result = result.Parent)
        {
            if (result is CommandResult { Command: not RootCommand } one)
                names.Push(one.Command.Name);
        }
        return string.Join(' ', names.Prepend("spotter"));
    }

    private static string? Unmatched(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var token, ..])
            return null;
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name).Concat(command.Options.Where(o => !o.Hidden).Select(o => o.Name));
        var near = known.Select(name => (Name: name, Off: TextDistance.Between(name, token))).Where(n => n.Off <= (n.Name.Length < 5 ? 1 : 2)).OrderBy(n => n.Off).FirstOrDefault();
        var what = token.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        return $"`{PathOf(parsed.CommandResult)}` has no {what} '{token}'{(near.Name is null ? "." : $"; did you mean '{near.Name}'?")}";
    }

    private static string? OfOption(OptionResult result)
    {
        var (option, given) = (result.Option, result.Tokens.Count);
        if (given < option.Arity.MinimumNumberOfValues || (option.Arity.MinimumNumberOfValues > 0 && given < result.IdentifierTokenCount))
            return $"{option.Name} takes a value; give it as {option.Name} {option.HelpName}.";
        return given > option.Arity.MaximumNumberOfValues ? $"{option.Name} is given more than once; give it once." : null;
    }

    private static string? MissingCommand(CommandResult result) => result.Command is { Subcommands.Count: > 0, Action: null } command
        ? $"`{PathOf(result)}` needs a command: {SettingValues.OneOf([.. command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)]).Words}."
        : null;

    private static string? MissingArgument(CommandResult result) =>
        result.Command.Arguments.FirstOrDefault(a => (result.GetResult(a)?.Tokens.Count ?? 0) < a.Arity.MinimumNumberOfValues) is { } missing
            ? $"`{PathOf(result)}` needs {missing.Name}: {missing.Description}"
            : null;

    private static string? MissingOption(CommandResult result) =>
        result.Command.Options.FirstOrDefault(o => o.Required && result.GetResult(o) is null or { Implicit: true }) is { } missing
            ? $"`{PathOf(result)}` needs {missing.Name} {missing.HelpName}: {missing.Description}"
            : null;
}
