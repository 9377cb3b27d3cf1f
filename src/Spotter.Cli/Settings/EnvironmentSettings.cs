using System.Collections;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>
/// Settings in environment variables: <c>SPOTTER__KEEP__JOBSDAYS</c> is <c>keep.jobsDays</c>. One that is empty counts as not
/// given, since that is how a variable is taken back; several values have commas between them.
/// </summary>
internal sealed class EnvironmentSettings : ISettingSource
{
    /// <summary>All variables with our prefix that say something.</summary>
    public static IEnumerable<string> All => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .Where(v => v.Value is string { Length: > 0 })
        .Select(v => (string)v.Key)
        .Where(name => name.StartsWith(Setting.VariablePrefix, StringComparison.Ordinal));

    public string NameOf(string key) => Setting.VariablePrefix + key.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();

    public IReadOnlyList<string>? Find(string key, bool isList)
    {
        if (Environment.GetEnvironmentVariable(NameOf(key)) is not { Length: > 0 } text)
            return null;
        return isList ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [text];
    }

    public IReadOnlyList<string> NamesBelow(string key)
    {
        var prefix = key.Length == 0 ? Setting.VariablePrefix : $"{NameOf(key)}__";
        return [.. All
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..].Split("__")[0].ToLowerInvariant())
            .Distinct(StringComparer.Ordinal)];
    }
}
