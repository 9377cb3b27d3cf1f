using System.CommandLine;
using Spotter.Engines.Options;

namespace Spotter.Cli;

/// <summary>Job options as flags of a command: names, ranges, defaults and help are those of their declarations.</summary>
internal sealed class OptionFlags
{
    private readonly List<(JobOption Option, Option Flag)> flags;

    public OptionFlags(IEnumerable<JobOption> options) => flags = [.. options.Select(option => (option, option.Values.Type == OptionType.Flag ? SwitchOf(option) : FlagOf(option)))];

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command) => flags.ForEach(flag => command.Add(flag.Flag));

    /// <summary>What was typed.</summary>
    public JobFields Read(ParseResult parsed)
    {
        var fields = new JobFields();
        foreach (var (option, flag) in flags)
        {
            if (flag is Option<bool> yes && parsed.GetResult(yes) is not null)
                fields.Append(option.Name, parsed.GetValue(yes) ? "true" : "false");
            else if (flag is Option<string[]> texts)
                parsed.GetValue(texts)?.ToList().ForEach(text => fields.Append(option.Name, text));
        }
        return fields;
    }

    /// <summary>Yes or no: true without a value.</summary>
    private static Option SwitchOf(JobOption option) => new Option<bool>($"--{option.Name}") { Description = option.Description };

    private static Option FlagOf(JobOption option)
    {
        var flag = new Option<string[]>($"--{option.Name}")
        {
            HelpName = option.Values.Type switch
            {
                OptionType.Whole => "N",
                OptionType.Number => $"{option.Values.Least}..{option.Values.Most}",
                _ => option.Name.ToUpperInvariant(),
            },
            Description = option.Values.Type is OptionType.Text or OptionType.Structure ? $"{option.Description} Takes {option.Values.Words}." : option.Description,
            Arity = ArgumentArity.OneOrMore,
        };
        flag.CompletionSources.Add([.. option.Values.Choices ?? []]);
        flag.Validators.Add(result =>
        {
            if (result.Tokens.Count > 1 && !option.Is(OptionTraits.Repeats))
                result.AddError($"--{option.Name} is given more than once; give it once.");
            foreach (var token in result.Tokens.Where(token => !option.Values.Accepts(token.Value)))
                result.AddError($"--{option.Name} takes {option.Values.Words}, not {token.Value}.");
        });
        return flag;
    }
}
