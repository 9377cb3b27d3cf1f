using System.CommandLine;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>Settings as flags of a command: names, values, defaults and help are those of their declarations.</summary>
internal sealed class SettingFlags(IReadOnlyList<Setting> settings)
{
    private readonly List<(Setting Setting, Option Flag)> flags = [.. settings.Where(s => s.Flag is not null).Select(s => (s, FlagOf(s)))];

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command) => flags.ForEach(f => command.Add(f.Flag));

    /// <summary>What was typed.</summary>
    public GivenSettings Read(ParseResult parsed)
    {
        var given = new GivenSettings();
        foreach (var (setting, flag) in flags)
        {
            if (flag is Option<bool> && parsed.GetValue((Option<bool>)flag))
                given.Add(setting.Key, setting.Flag!, setting.FlagText!);
            else if (flag is Option<string[]> several && parsed.GetValue(several) is { Length: > 0 } texts)
                given.Add(setting.Key, setting.Flag!, texts);
            else if (setting.FlagMayHaveValue && parsed.GetResult(flag) is { Implicit: false })
                given.Add(setting.Key, setting.Flag!, setting.FlagText!);
        }
        return given;
    }

    private static Option FlagOf(Setting setting)
    {
        if (setting is { FlagText: not null, FlagMayHaveValue: false })
            return new Option<bool>(setting.Flag!) { Description = setting.Help };
        var flag = new Option<string[]>(setting.Flag!)
        {
            HelpName = setting.ValueName,
            Description = setting.IsList && !setting.Help.Contains("repeated", StringComparison.Ordinal) ? $"{setting.Description} May be repeated." : setting.Description,
            Arity = setting.FlagMayHaveValue ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
        };
        flag.CompletionSources.Add([.. setting.Names]);
        flag.Validators.Add(result =>
        {
            if (result.Tokens.Count > 1 && !setting.IsList)
                result.AddError($"{setting.Flag} is given more than once; give it once.");
            foreach (var token in result.Tokens.Where(token => !setting.Accepts(token.Value)))
                result.AddError($"{setting.Flag} takes {setting.Words}{(setting.IsSecret ? "" : $", not {token.Value}")}.");
        });
        return flag;
    }
}
