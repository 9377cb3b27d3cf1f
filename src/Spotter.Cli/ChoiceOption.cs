using System.CommandLine;
using System.CommandLine.Parsing;
using Spotter.Core.Settings;

namespace Spotter.Cli;

/// <summary>Options that take one of a few names, offer them to a shell that completes, and refuse anything else in our own words.</summary>
internal static class ChoiceOption
{
    /// <summary>One of some names; null when it is not given.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="names">What it takes.</param>
    /// <param name="description">For the help.</param>
    public static Option<string?> Of(string name, IReadOnlyList<string> names, string description)
    {
        var values = SettingValues.OneOf(names);
        var option = new Option<string?>(name) { Description = description, HelpName = values.Name, CustomParser = result => Read(result, name, values) };
        option.CompletionSources.Add([.. names]);
        return option;
    }

    /// <summary>A value of a kind that settings take too.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="values">What it takes.</param>
    /// <param name="otherwise">The value when it is not given.</param>
    /// <param name="description">For the help.</param>
    public static DefaultOption<T> Of<T>(string name, SettingValues<T> values, T otherwise, string description)
    {
        var option = new DefaultOption<T>(name, otherwise, values.Write(otherwise), description) { HelpName = values.Name, CustomParser = result => Read(result, name, values) };
        option.CompletionSources.Add([.. values.Names]);
        return option;
    }

    private static T? Read<T>(ArgumentResult result, string name, SettingValues<T> values)
    {
        var given = result.Tokens[0].Value;
        if (values.Read(given) is (true, var value))
            return value;
        result.AddError($"{name} takes {values.Words}, not {given}.");
        return default;
    }
}
