using System.CommandLine;
using Spotter.Engines.Options;

namespace Spotter.Cli;

/// <summary>Job options as flags of a command: names, ranges, defaults and help are those of their declarations.</summary>
internal sealed class OptionFlags
{
    private readonly List<(JobOption Option, Option<string[]> Flag)> flags;

    public OptionFlags(IEnumerable<JobOption> options) => flags = [.. options.Select(option => (option, FlagOf(option)))];

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command) => flags.ForEach(flag => command.Add(flag.Flag));

    /// <summary>What was typed.</summary>
    public JobFields Read(ParseResult parsed)
    {
        var fields = new JobFields();
        foreach (var (option, flag) in flags)
        {
            foreach (var text in parsed.GetValue(flag) ?? [])
                fields.Append(option.Name, text);
        }
        return fields;
    }

    private static Option<string[]> FlagOf(JobOption option)
    {
        var flag = new Option<string[]>($"--{option.Name}")
        {
            HelpName = option.Values.Type switch
            {
                OptionType.Whole => "N",
                OptionType.Number => $"{option.Values.Least}..{option.Values.Most}",
                _ => option.Name.ToUpperInvariant(),
            },
            Description = option.Values.Type == OptionType.Text ? $"{option.Description} Takes {option.Values.Words}." : option.Description,
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
